import { findEdition } from './editions.ts';
import type { Found } from './lexicon.ts';
import type { Episodes, NamingOptions, Parts } from './reading.ts';
import { tokenAt } from './span.ts';
import { cleanTitle } from './title.ts';

const letter = /[\p{L}\p{N}]/u;

/** What stands between the mark of an episode and the words of the release. */
export function episodeTitle(
  { text, name, date }: Parts,
  episodes: Episodes,
  counted: readonly Found[],
): string | undefined {
  const isDated = date !== undefined && date.start >= episodes.end;
  const isFirst = isDated && !letter.test(text.slice(episodes.end, date.start));
  const from = isFirst ? date.end : episodes.end;
  if (from >= text.length) return undefined;
  const word = counted.find(({ start }) => start >= from);
  const bracket = name.brackets.find(
    ({ start, open }) =>
      start >= from && /[[{【]/.test(open) && letter.test(text.slice(from, start)),
  );
  const dateAt = isDated && !isFirst ? date.start : text.length;
  const end = Math.min(word?.start ?? text.length, bracket?.start ?? text.length, dateAt);
  const edition = findEdition(name.tokens, tokenAt(name.tokens, from), () => false);
  const editionAt = edition === undefined ? end : (name.tokens[edition[0]]?.start ?? end);
  const isEdition = editionAt < end && letter.test(text.slice(from, editionAt));
  const title = cleanTitle(text.slice(from, isEdition ? editionAt : end))
    .replace(/^[)\]'!]+|\s*\(\d{1,2}\)$/g, '')
    .trim();
  return title === '' ? undefined : title;
}

/** "003. Show - Name", where no folder names the series: the title follows the number. */
export function titleBehindNumber(
  { text, lead, name, words }: Parts,
  episodes: Episodes | undefined,
  { kind, folderTitle, season }: NamingOptions,
): { title: string; episodeTitle: string | undefined } | undefined {
  if (episodes?.form !== 'number' || kind !== undefined) return undefined;
  if ((folderTitle ?? season) !== undefined) return undefined;
  const from = episodes.end;
  if (/\p{L}/u.test(text.slice(lead.end, episodes.start))) return undefined;
  const word = words.find(({ start, strength }) => strength === 'strong' && start > from);
  const bracket = name.brackets.find(({ start }, index) => index > 0 && start > from);
  const end = Math.min(word?.start ?? text.length, bracket?.start ?? text.length);
  const [title = '', ...rest] = cleanTitle(text.slice(from, end)).split(' - ');
  if (title === '') return undefined;
  return { title, episodeTitle: rest.length === 0 ? undefined : rest.join(' - ') };
}
