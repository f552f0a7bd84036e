import { sortTitle } from '../../naming/titles.ts';
import { namesPeople } from '../../nfo/people.ts';
import { besideChoice, type Evidence } from '../match.ts';
import type { NfoFilm } from './nfo.ts';
import type { Plan } from './plan.ts';

/** What of a film a person may set, and a scan or a provider may fill. */
export interface FilmFields {
  title: string;
  sortTitle: string;
  originalTitle: string | null;
  year: number | null;
  releaseDate: string | null;
  runtimeMs: number | null;
  overview: string | null;
  tagline: string | null;
  certification: string | null;
  studio: string | null;
  collection: string | null;
  genres: string[];
  tags: string[];
  rating: number | null;
}

export type FieldName = keyof FilmFields;

export const fieldNames = [
  'title',
  'sortTitle',
  'originalTitle',
  'year',
  'releaseDate',
  'runtimeMs',
  'overview',
  'tagline',
  'certification',
  'studio',
  'collection',
  'genres',
  'tags',
  'rating',
] as const satisfies readonly FieldName[];

export type Source = 'name' | 'nfo' | 'embedded' | 'user' | (string & Record<never, never>);

/** The evidence a film was recognised by. */
export interface Match extends Evidence {
  readonly edition?: string;
  readonly nfo?: { readonly path: string; readonly digest: string };
}

/** A film's row, as far as identification reads and writes it. */
export interface FilmRow extends FilmFields {
  readonly id: string;
  identity: string;
  match: Match | Record<never, never>;
  sources: Partial<Record<FieldName | 'people', Source>>;
  lockedFields: readonly string[];
}

/** A row for a film nobody has seen before. */
export const emptyRow = (id: string): FilmRow => ({
  id,
  title: '',
  sortTitle: '',
  originalTitle: null,
  year: null,
  releaseDate: null,
  runtimeMs: null,
  overview: null,
  tagline: null,
  certification: null,
  studio: null,
  collection: null,
  genres: [],
  tags: [],
  rating: null,
  identity: '',
  match: {},
  sources: {},
  lockedFields: [],
});

/** The evidence of a plan. Pure. */
export function matchOf(plan: Plan): Match {
  const { reading, runnerUp } = plan.group;
  return {
    path: plan.path,
    from: plan.nfo?.film.title === undefined ? reading.from : plan.nfo.from,
    title: plan.title,
    year: plan.year ?? null,
    score: plan.nfo === undefined ? reading.score : 1,
    ...(reading.edition === undefined ? {} : { edition: reading.edition }),
    ...(plan.nfo === undefined ? {} : { nfo: { path: plan.nfo.path, digest: plan.nfo.digest } }),
    ...besideChoice(runnerUp, plan.problems),
  };
}

/** Whether evidence `a` outranks `b`; a total order, so that no order of work matters. */
export function outranks(a: Match, b: Match): boolean {
  if (a.score !== b.score) return a.score > b.score;
  return a.path < b.path;
}

/**
 * The row after a plan's evidence: what a person has set or locked stays; an NFO outranks
 * providers; a name fills only what came from a name, from an NFO that is gone, or from nowhere.
 * Undefined when nothing changes. Pure.
 */
export function applyPlan(row: FilmRow, plan: Plan, language: string): FilmRow | undefined {
  const next: FilmRow = { ...row, sources: { ...row.sources } };
  const named = nameFields(plan);
  const told = plan.nfo === undefined ? {} : nfoFields(plan.nfo.film, language);
  const set = (name: FieldName, value: unknown, source: Source) => {
    Object.assign(next, { [name]: value });
    next.sources[name] = source;
  };
  for (const name of fieldNames) {
    if (isLocked(row, name) || row.sources[name] === 'user') continue;
    const source = row.sources[name];
    if (told[name] !== undefined) set(name, told[name], 'nfo');
    else if (named[name] !== undefined && namesMayFill(source, plan))
      set(name, named[name], 'name');
  }
  if (plan.nfo !== undefined && namesPeople(plan.nfo.film) && !isLocked(row, 'people')) {
    next.sources.people = 'nfo';
  } else if (plan.nfo === undefined && row.sources.people === 'nfo') {
    next.sources.people = 'name';
  }
  followTitle(next, plan, language);
  next.identity = plan.identity;
  next.match = matchOf(plan);
  return sameRow(row, next) ? undefined : next;
}

const isLocked = (row: FilmRow, name: string): boolean => row.lockedFields.includes(name);

const namesMayFill = (source: Source | undefined, plan: Plan): boolean =>
  source === undefined || source === 'name' || (source === 'nfo' && plan.nfo === undefined);

/** The sort title is the title's, unless somebody gave another. */
function followTitle(next: FilmRow, plan: Plan, language: string): void {
  const source = next.sources.sortTitle;
  const isGiven = source === 'nfo' ? plan.nfo?.film.sortTitle !== undefined : source !== 'name';
  if ((source !== undefined && isGiven) || next.lockedFields.includes('sortTitle')) return;
  next.sortTitle = sortTitle(next.title, language);
  next.sources.sortTitle = 'name';
}

function nameFields(plan: Plan): Partial<FilmFields> {
  const { title, year } = plan.group.reading;
  return { title, ...(year === undefined ? {} : { year }) };
}

const ratingOrder = ['imdb', 'themoviedb', 'tmdb', 'nfo', 'trakt', 'metacritic'];

function nfoFields(film: NfoFilm, language: string): Partial<FilmFields> {
  const best = film.ratings.toSorted(
    (a, b) => rank(a.source) - rank(b.source) || (a.source < b.source ? -1 : 1),
  )[0];
  const fields: Partial<Record<FieldName, unknown>> = {
    title: film.title,
    sortTitle: film.sortTitle === undefined ? undefined : sortTitle(film.sortTitle, language),
    originalTitle: film.originalTitle,
    year: film.year,
    releaseDate: film.releaseDate,
    runtimeMs: film.runtimeMs,
    overview: film.overview,
    tagline: film.tagline,
    certification: film.certification,
    studio: film.studios[0],
    collection: film.collection,
    genres: film.genres.length === 0 ? undefined : film.genres,
    tags: film.tags.length === 0 ? undefined : film.tags,
    rating: best?.score,
  };
  return fields as Partial<FilmFields>;
}

const rank = (source: string): number => {
  const index = ratingOrder.indexOf(source);
  return index < 0 ? ratingOrder.length : index;
};

/** Whether two rows say the same. PostgreSQL keeps the rating in four bytes and orders keys of jsonb its own way. */
export const sameRow = (a: FilmRow, b: FilmRow): boolean =>
  // Soon told of a film that is new, as all are in a first scan.
  a.identity === b.identity && canonical(a) === canonical(b);

const canonical = (row: FilmRow): string =>
  JSON.stringify({ ...row, rating: row.rating === null ? null : Math.fround(row.rating) }, sorted);

const sorted = (_key: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;
