import { lookUp } from './lexicon.ts';
import { tokenize } from './tokens.ts';

const kinds: Readonly<Record<string, string>> = {
  'Blu-ray': 'bluray',
  'Ultra HD Blu-ray': 'bluray',
  DVD: 'dvd',
  'HD DVD': 'hddvd',
  VHS: 'vhs',
};

/**
 * What a file that stands for a disc on a shelf says the disc is (`Film.bluray.disc`): bluray, dvd,
 * hddvd, vhs or tv. `stem` is its name without `.disc`.
 */
export function stubSource(stem: string): string | undefined {
  const dot = stem.lastIndexOf('.');
  if (dot <= 0) return undefined;
  const { tokens } = tokenize(stem.slice(dot + 1));
  const source = lookUp(tokens, 0)?.word.facts.find(([kind]) => kind === 'source')?.[1];
  if (source === undefined) return undefined;
  return kinds[source] ?? (/TV|Satellite/.test(source) ? 'tv' : undefined);
}
