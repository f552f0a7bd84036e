import { sortTitle } from '../../naming/titles.ts';
import { namesPeople } from '../../nfo/people.ts';
import { withLocked } from '../edit.ts';
import type { NfoShow } from './nfo.ts';
import type { Match, SeriesPlan } from './plan.ts';

/** A series as it is kept. */
export interface SeriesRow {
  readonly id: string;
  readonly identity: string;
  readonly title: string;
  readonly sortTitle: string;
  readonly originalTitle: string | null;
  readonly year: number | null;
  readonly premiered: string | null;
  readonly overview: string | null;
  readonly status: string | null;
  readonly certification: string | null;
  readonly genres: string[];
  readonly studios: string[];
  readonly match: Match | Record<never, never>;
  readonly sources: Record<string, string>;
  readonly lockedFields: readonly string[];
}

/**
 * What a plan makes of a series: an NFO tells all, names only what no NFO has told, and neither
 * what a person has set. Undefined: it stays as it is.
 */
export function applyPlan(
  row: SeriesRow | undefined,
  plan: SeriesPlan,
  { id, language }: { id: string; language: string },
): SeriesRow | undefined {
  const next = plan.nfo === undefined ? byName(row, plan, language) : byNfo(row, plan, language);
  if (next === undefined) return undefined;
  // The widest name known: a year that one file lacks is not forgotten.
  const isNarrower = row !== undefined && plan.year === undefined && row.identity !== '';
  const kept = isNarrower && row.identity.startsWith(plan.identity) ? row.identity : plan.identity;
  const lockedFields = row?.lockedFields ?? [];
  const whole = ofPerson(row, { ...next, id, identity: kept, lockedFields }, language);
  return row !== undefined && JSON.stringify(sorted(row)) === JSON.stringify(sorted(whole))
    ? undefined
    : whole;
}

/** What a person set stays, and the sort title follows the title that stays. */
export function ofPerson(row: SeriesRow | undefined, next: SeriesRow, language: string): SeriesRow {
  if (row === undefined || row.lockedFields.length === 0) return next;
  const whole = withLocked(row, next);
  const { lockedFields } = row;
  const isFollowing = lockedFields.includes('title') && !lockedFields.includes('sortTitle');
  const isGiven = whole.sources['sortTitle'] === 'nfo';
  return isFollowing && !isGiven
    ? { ...whole, sortTitle: sortTitle(whole.title, language) }
    : whole;
}

/** What of a row makes it another one; why it was recognised does not. */
const sorted = (row: SeriesRow): unknown =>
  ['identity' as const, ...fieldNames]
    .map((name) => row[name])
    .concat(Object.entries(row.sources).sort().flat());

/** What of a series is shown, and told by somebody. */
export const fieldNames = [
  'title',
  'sortTitle',
  'originalTitle',
  'year',
  'premiered',
  'overview',
  'status',
  'certification',
  'genres',
  'studios',
] as const;

type Fields = Omit<SeriesRow, 'id' | 'identity' | 'lockedFields'>;

const nothing = {
  originalTitle: null,
  premiered: null,
  overview: null,
  status: null,
  certification: null,
  genres: [],
  studios: [],
};

function byName(
  row: SeriesRow | undefined,
  { title, year, match, isPartial }: SeriesPlan,
  language: string,
): Fields | undefined {
  if (row !== undefined && isPartial) return undefined;
  if (row?.sources['title'] === 'nfo') return { ...row, year: row.year ?? year ?? null };
  // A provider's word stands until it is asked again; what it was looked for by is the name's.
  if (row !== undefined && isProvided(row, 'title')) return { ...row, match };
  const named = { title, sortTitle: sortTitle(title, language), match };
  const sources = { ...row?.sources, title: 'name' };
  return { ...nothing, ...row, ...named, year: year ?? row?.year ?? null, sources };
}

/** Whether a field is what a provider says. */
const isProvided = (row: SeriesRow, name: string): boolean =>
  !['name', 'nfo', undefined].includes(row.sources[name]);

/** What a provider told that an NFO leaves out. */
function providedBeside(row: SeriesRow | undefined, told: Readonly<Record<string, unknown>>) {
  const names = row === undefined ? [] : Object.keys(row.sources);
  const kept = names.filter((name) => {
    const value = told[name] as string | readonly string[] | null | undefined;
    const isTold = value !== undefined && value !== null && value.length > 0;
    return (
      !['title', 'year', 'people'].includes(name) &&
      row !== undefined &&
      isProvided(row, name) &&
      !isTold
    );
  });
  return {
    fields: Object.fromEntries(kept.map((name) => [name, row?.[name as keyof SeriesRow]])),
    sources: Object.fromEntries(kept.map((name) => [name, row?.sources[name] ?? ''])),
  };
}

/** An NFO that names nobody leaves it to a provider. */
function castSource(
  row: SeriesRow | undefined,
  nfo: NfoShow | undefined,
): Readonly<Record<string, string>> {
  if (nfo !== undefined && namesPeople(nfo)) return { people: 'nfo' };
  const source = row !== undefined && isProvided(row, 'people') ? row.sources['people'] : undefined;
  return source === undefined ? {} : { people: source };
}

function byNfo(
  row: SeriesRow | undefined,
  { nfo, title, year, match }: SeriesPlan,
  language: string,
): Fields {
  const name = nfo?.title ?? title;
  const told = nfo === undefined ? nothing : toldBy(nfo);
  const beside = providedBeside(row, told);
  return {
    ...told,
    ...beside.fields,
    title: name,
    sortTitle: sortTitle(nfo?.sortTitle ?? name, language),
    year: nfo?.year ?? year ?? null,
    match,
    sources: {
      ...{ title: nfo?.title === undefined ? 'name' : 'nfo', overview: 'nfo' },
      ...(nfo?.sortTitle === undefined ? {} : { sortTitle: 'nfo' }),
      ...beside.sources,
      ...castSource(row, nfo),
    },
  };
}

const toldBy = (nfo: NfoShow) => ({
  originalTitle: nfo.originalTitle ?? null,
  premiered: nfo.premiered ?? null,
  overview: nfo.overview ?? null,
  status: nfo.status ?? null,
  certification: nfo.certification ?? null,
  genres: [...nfo.genres],
  studios: [...nfo.studios],
});
