/** Writing NFO files in Kodi's form (https://kodi.wiki/view/NFO_files). Pure. */
import { XMLBuilder } from 'fast-xml-parser';
import type { ProviderIds } from '../naming/ids.ts';

const builder = new XMLBuilder({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  textNodeName: '#',
  format: true,
  indentBy: '  ',
  suppressEmptyNode: true,
  suppressBooleanAttributes: false,
});

/** An element's children by name; undefined ones, and empty lists, are left out. */
export type Children = Readonly<Record<string, unknown>>;

/** An element of an NFO with all below it, as a text that ends with a line feed. */
export const element = (name: string, children: Children): string =>
  builder.build({ [name]: clean(children) });

/** A text as XML may hold it and the reader reads it again: no control characters, no ends of blank. */
export const plain = (text: string): string =>
  text
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    // What XML 1.0 allows of them are tab and line feed alone.
    .replace(/[^\t\n\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
    .trim();

/** A name of a list, in which the reader takes some signs for the ends of names. */
export const listed = (name: string): string =>
  plain(name)
    .replaceAll('|', '/')
    .replace(/\s+\/\s+/g, '/')
    .replace(/\s+/g, ' ');

function clean(value: unknown): unknown {
  if (typeof value === 'string') return plain(value);
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(
    ([, child]) => child !== undefined && child !== null && child !== '',
  );
  return Object.fromEntries(kept.map(([name, child]) => [name, clean(child)]));
}

/** Ids as NFO files give them; others go by the preferred one, where it is there. */
export function uniqueIds(ids: ProviderIds, preferred: 'tmdb' | 'tvdb'): Children[] {
  const known = (['imdb', 'tmdb', 'tvdb'] as const).filter((type) => ids[type] !== undefined);
  const first = known.includes(preferred) ? preferred : known[0];
  return known.map((type) => ({
    ...{ '@type': type, ...(type === first ? { '@default': 'true' } : {}), '#': ids[type] },
  }));
}

/** Minutes, as NFO files count; undefined for less than half of one. */
export function minutesOf(ms: number | undefined): number | undefined {
  const minutes = Math.round((ms ?? 0) / 60_000);
  return minutes > 0 && minutes < 10_000 ? minutes : undefined;
}
