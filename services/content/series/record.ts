import type { Verdict } from '../../metadata/kind.ts';
import { isProviderName, type SeriesRecord } from '../../metadata/provider.ts';
import { sortTitle } from '../../naming/titles.ts';
import { ofPerson, type SeriesRow } from './fields.ts';
import type { Match } from './plan.ts';

/** What of a series a provider may fill. */
const fields = [
  'title',
  'originalTitle',
  'year',
  'premiered',
  'overview',
  'status',
  'certification',
  'genres',
  'studios',
] as const satisfies readonly (keyof SeriesRow)[];

type Field = (typeof fields)[number];

/**
 * A series' row after a provider's word: it fills what a name has told, or nobody; what an NFO
 * tells and what a person has set stays. What the provider does not tell any more is taken back.
 * Pure.
 */
export function applyRecord(
  row: SeriesRow,
  { provider, record, locale }: Verdict<SeriesRecord>,
  language: string,
): SeriesRow {
  const next: Record<string, unknown> = { ...row };
  const sources: Record<string, string> = { ...row.sources };
  const told = record === undefined ? {} : toldBy(record, locale.country);
  for (const name of fields) {
    if (!isOpen(row, name)) continue;
    const value = told[name];
    if (value !== undefined) {
      next[name] = value;
      sources[name] = provider;
    } else if (isProviderName(sources[name])) {
      Reflect.deleteProperty(sources, name);
      next[name] = before(row, name);
    }
  }
  sources['title'] ??= 'name';
  const isRenamed = next['title'] !== row.title;
  const sorted = isRenamed ? sortTitle(String(next['title']), language) : row.sortTitle;
  return ofPerson(row, { ...row, ...next, sortTitle: sorted, sources }, language);
}

function isOpen(row: SeriesRow, name: Field): boolean {
  const source = row.sources[name];
  if (isProviderName(source) || source === 'name') return true;
  // An NFO's word is not noted field by field: what it left out is empty.
  if (name === 'year') return row.sources['title'] !== 'nfo' || row.year === null;
  const value = row[name];
  return value === null || value.length === 0;
}

/** As it was before any provider. */
function before(row: SeriesRow, name: Field): unknown {
  const { title, year } = row.match as Partial<Match>;
  if (name === 'title') return title ?? row.title;
  if (name === 'year') return year ?? null;
  return Array.isArray(row[name]) ? [] : null;
}

function toldBy(record: SeriesRecord, country: string): Partial<Record<Field, unknown>> {
  const { certifications, genres, studios } = record;
  return {
    title: record.title,
    originalTitle: record.originalTitle,
    year: record.year,
    premiered: record.date,
    overview: record.overview,
    status: record.status,
    certification: certifications[country] ?? certifications['US'],
    genres: genres.length === 0 ? undefined : [...genres],
    studios: studios.length === 0 ? undefined : [...studios],
  };
}
