import type { components } from '$api/types';
import { api, read } from './api';
import type { EditField, FieldValue } from './edit-fields';
import type { MessageKey } from './i18n.svelte';
import type { Episode, Movie, Season, Series } from './types';

type Schemas = components['schemas'];
type FieldName =
  Extract<MessageKey, `field.${string}`> extends `field.${infer Name}` ? Name : never;

/** What can be edited of a work, and how it is saved. */
export interface Edit {
  readonly fields: readonly EditField<FieldName>[];
  readonly values: Readonly<Record<string, FieldValue>>;
  readonly lockedFields: readonly string[];
  /** Queries that show it. */
  readonly shownBy: readonly (readonly string[])[];
  save(changes: Readonly<Record<string, FieldValue>>): Promise<unknown>;
}

const line = <Name extends FieldName>(name: Name) => ({ name, kind: 'line' }) as const;
const titles = [
  { name: 'title', kind: 'line', isNeeded: true },
  { name: 'sortTitle', kind: 'line', isNeeded: true },
  line('originalTitle'),
] as const;
const overview = { name: 'overview', kind: 'text' } as const;
const seriesKeys = [['series'], ['episodes'], ['episode'], ['about'], ['recent']] as const;

/** What a list of fields holds of a work. */
function valuesOf<Name extends string>(
  fields: readonly EditField<Name>[],
  work: Readonly<Partial<Record<Name, FieldValue | undefined>>>,
): Record<string, FieldValue> {
  return Object.fromEntries(fields.map(({ name }) => [name, work[name] ?? null]));
}

export function movieEdit(film: Movie): Edit {
  const fields = [
    ...titles,
    { name: 'year', kind: 'year' },
    ...[line('tagline'), line('certification'), line('studio')],
    ...([
      { name: 'genres', kind: 'names' },
      { name: 'tags', kind: 'names' },
    ] as const),
    overview,
  ] as const;
  const params = { path: { movieId: film.id } };
  return {
    ...{ fields, values: valuesOf(fields, film), lockedFields: film.lockedFields },
    shownBy: [['movie', film.id], ['movies'], ['about', 'movie', film.id], ['recent']],
    save: (changes) => {
      const body = changes as Schemas['MovieUpdate'];
      return read(api.PATCH('/api/v1/movies/{movieId}', { params, body }));
    },
  };
}

export function seriesEdit(series: Series): Edit {
  const fields = [
    ...titles,
    ...([
      { name: 'year', kind: 'year' },
      { name: 'premiered', kind: 'day' },
    ] as const),
    ...[line('certification'), line('status')],
    ...([
      { name: 'genres', kind: 'names' },
      { name: 'studios', kind: 'names' },
      { name: 'episodeOrder', kind: 'order' },
    ] as const),
    overview,
  ] as const;
  const params = { path: { seriesId: series.id } };
  return {
    ...{ fields, values: valuesOf(fields, series), lockedFields: series.lockedFields },
    shownBy: seriesKeys,
    save: (changes) => {
      const body = changes as Schemas['SeriesUpdate'];
      return read(api.PATCH('/api/v1/series/{seriesId}', { params, body }));
    },
  };
}

export function seasonEdit(season: Season): Edit {
  const fields = [line('title'), overview] as const;
  const params = { path: { seasonId: season.id } };
  return {
    ...{ fields, values: valuesOf(fields, season), lockedFields: season.lockedFields },
    shownBy: seriesKeys,
    save: (changes) => {
      const body = changes as Schemas['SeasonUpdate'];
      return read(api.PATCH('/api/v1/seasons/{seasonId}', { params, body }));
    },
  };
}

export function episodeEdit(episode: Episode): Edit {
  const fields = [line('title'), { name: 'airDate', kind: 'day' }, overview] as const;
  const params = { path: { episodeId: episode.id } };
  return {
    ...{ fields, values: valuesOf(fields, episode), lockedFields: episode.lockedFields },
    shownBy: seriesKeys,
    save: (changes) => {
      const body = changes as Schemas['EpisodeUpdate'];
      return read(api.PATCH('/api/v1/episodes/{episodeId}', { params, body }));
    },
  };
}
