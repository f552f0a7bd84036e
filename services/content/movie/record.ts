import type { Verdict } from '../../metadata/kind.ts';
import { isProviderName, type WorkRecord } from '../../metadata/provider.ts';
import { sortTitle } from '../../naming/titles.ts';
import { isHeld } from '../cast.ts';
import { fieldNames, type FieldName, type FilmFields, type FilmRow, type Match } from './fields.ts';

/**
 * A film's row after a provider's word: it fills what came from a name, from a provider or from
 * nowhere, and empties what a provider told before and this one does not tell. Without a
 * record all of that is taken back. Pure.
 */
export function applyRecord(
  row: FilmRow,
  { provider, record, locale }: Verdict,
  language: string,
): FilmRow {
  const next: FilmRow = { ...row, sources: { ...row.sources } };
  const told = record === undefined ? {} : toldBy(record, locale.country);
  for (const name of fieldNames) {
    if (name === 'sortTitle' || !isOpen(row, name)) continue;
    const value = told[name];
    if (value !== undefined) {
      Object.assign(next, { [name]: value });
      next.sources[name] = provider;
    } else if (isProviderName(row.sources[name])) takeBack(next, name);
  }
  const source = next.sources.sortTitle ?? 'name';
  if (source === 'name' && !row.lockedFields.includes('sortTitle')) {
    next.sortTitle = sortTitle(next.title, language);
    next.sources.sortTitle = 'name';
  }
  return next;
}

/** Whether nobody with more to say holds a field. */
const isOpen = (row: FilmRow, name: FieldName): boolean =>
  !row.lockedFields.includes(name) && !isHeld(row.sources[name]);

/** A field as it was before any provider: title and year as the name on disk says. */
function takeBack(next: FilmRow, name: FieldName): void {
  const { title, year } = next.match as Partial<Match>;
  const named = { title, year }[name as 'title' | 'year'];
  if (name === 'title' && named === undefined) return;
  if (named !== undefined && named !== null) {
    Object.assign(next, { [name]: named });
    next.sources[name] = 'name';
    return;
  }
  Object.assign(next, { [name]: Array.isArray(next[name]) ? [] : null });
  Reflect.deleteProperty(next.sources, name);
}

function toldBy(record: WorkRecord, country: string): Partial<FilmFields> {
  const { certifications, genres, tags, rating } = record;
  const fields: Partial<Record<FieldName, unknown>> = {
    title: record.title,
    originalTitle: record.originalTitle,
    year: record.year,
    releaseDate: record.date,
    runtimeMs: record.runtimeMs,
    overview: record.overview,
    tagline: record.tagline,
    certification: certifications[country] ?? certifications['US'],
    studio: record.studios[0],
    collection: record.collection?.name,
    genres: genres.length === 0 ? undefined : [...genres],
    tags: tags.length === 0 ? undefined : [...tags],
    rating: rating?.score,
  };
  return fields as Partial<FilmFields>;
}
