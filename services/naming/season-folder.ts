import words from './data/series.json' with { type: 'json' };
import { takeIds } from './ids.ts';
import { findEpisode, findFullMark, findSeason } from './marks.ts';
import { titleKey } from './titles.ts';

const specials = new Set(words.specials.split(' '));
const wordsOf = words.season.split(' ').sort((a, b) => b.length - a.length);
const named = new RegExp(`^(?:s|(?:${wordsOf.join('|')}))[ ._-]*(\\d{1,4})(?=$|[ ._([-])`, 'i');
const numbered = new RegExp(
  `^(\\d{1,3})(?:st|nd|rd|th|\\.|ª|a|º|e)?[ ._]*(?:${wordsOf.join('|')})$`,
  'i',
);

/**
 * The season a folder is for, by its name and its parent's: "Staffel 1", `S02`, "Show Season 1"
 * inside of "Show", "Specials" (0). Undefined: it is no folder of a season.
 */
export function seasonOfFolder(folder: string, parent: string | undefined): number | undefined {
  const name = takeIds(folder.normalize('NFC')).text.trim();
  if (specials.has(name.toLowerCase())) return 0;
  if (!/\d/.test(name)) return undefined;
  const first = named.exec(name) ?? numbered.exec(name);
  if (first?.[1] !== undefined) return hasEpisode(name) ? undefined : Number(first[1]);
  if (parent === undefined || parent === '') return undefined;
  const mark = findSeason(name);
  if (mark === undefined || mark.seasons.length !== 1 || hasEpisode(name)) return undefined;
  // What stands before the season's number must be the series' own name.
  const before = titleKey(name.slice(0, mark.start).replace(/^\[|[[(]$/g, ''));
  const own = titleKey(parent.replace(/\s*[([{].*$/, ''));
  return before !== '' && (before === own || before === titleKey(parent))
    ? mark.seasons[0]
    : undefined;
}

const hasEpisode = (name: string): boolean =>
  findFullMark(name) !== undefined || findEpisode(name) !== undefined;
