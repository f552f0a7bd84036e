import words from './data/series.json' with { type: 'json' };

const alternatives = (list: string): string =>
  list
    .split(' ')
    .sort((a, b) => b.length - a.length)
    .join('|');

const formsOf = (before: string, after: string): RegExp =>
  new RegExp(`^(?:(?:${before})[ .#]*(\\d{1,5})|第? ?(\\d{1,5})[ .]*(?:${after}))$`, 'iu');

const forms = {
  season: formsOf(alternatives(words.season), alternatives(words.season)),
  episode: formsOf(
    alternatives(`${words.episode} פרק الحلقة`),
    alternatives(`${words.episode} ${words.afterNumber}`),
  ),
} as const;
const specials = new Set(words.specials.split(' '));

/**
 * Whether a title says no more than its number, in any language: "Folge 5", "第 5 集", "Season 2",
 * "Specials" of season 0. Providers say so where nobody has named a part. Pure.
 */
export function isCountOnly(what: 'season' | 'episode', title: string, number: number): boolean {
  const text = title.normalize('NFC').trim();
  if (what === 'season' && number === 0 && specials.has(text.toLowerCase())) return true;
  const [, before, after] = forms[what].exec(text) ?? [];
  return Number(before ?? after ?? Number.NaN) === number;
}
