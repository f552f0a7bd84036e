import { useQueryClient } from '@tanstack/svelte-query';
import { api, read } from './api';
import { toasts } from './toasts.svelte';
import type { Episode, Movie, Series } from './types';

/** What one says of a work with a press. */
export type Mark = 'watched' | 'favourites' | 'watchlist';

/** The work that is meant; of a season only that it was watched can be said. */
export interface Marked {
  readonly kind: 'movie' | 'series' | 'season' | 'episode';
  readonly id: string;
}

/** A mark as it is, and as it is to be. */
export interface MarkState {
  readonly isWatched: boolean;
  readonly isFavourite: boolean;
  readonly isOnWatchlist: boolean;
}

const field = {
  watched: 'isWatched',
  favourites: 'isFavourite',
  watchlist: 'isOnWatchlist',
} as const;

/** All that shows what somebody has done with works. */
export const touchedByMarks = [
  ...['movies', 'continue', 'recent', 'watchlist', 'favourites'],
  ...['series', 'episodes', 'episode', 'next-up'],
] as const;

/** Sets and takes away marks: shown at once, and taken back if the server will not have it. */
export function useMarks() {
  const queries = useQueryClient();
  return {
    async toggle(this: void, work: Marked, mark: Mark, isSet: boolean): Promise<void> {
      const queryKey = work.kind === 'series' ? ['series', 'one', work.id] : [work.kind, work.id];
      await queries.cancelQueries({ queryKey });
      const before = queries.getQueryData<Movie | Episode | Series>(queryKey);
      if (before) queries.setQueryData(queryKey, marked(before, mark, !isSet));
      try {
        await send(work, mark, isSet);
        if (work.kind === 'movie') void queries.invalidateQueries({ queryKey });
        const keys = touchedByMarks.map((key) => queries.invalidateQueries({ queryKey: [key] }));
        await Promise.all(keys);
      } catch (error) {
        queries.setQueryData(queryKey, before);
        toasts.fail(error);
      }
    },
  };
}

function marked(work: Movie | Episode | Series, mark: Mark, isSet: boolean) {
  if ('userState' in work) {
    return { ...work, userState: { ...work.userState, [field[mark]]: isSet } };
  }
  if (mark === 'watched') return { ...work, watchedCount: isSet ? work.episodeCount : 0 };
  return { ...work, [field[mark]]: isSet };
}

function send({ kind, id: itemId }: Marked, mark: Mark, isSet: boolean) {
  if (mark === 'watched') {
    const params = { params: { path: { kind, itemId } } };
    const path = '/api/v1/users/me/watched/{kind}/{itemId}';
    return read(isSet ? api.DELETE(path, params) : api.POST(path, params));
  }
  if (kind === 'season') throw new Error('a season stands on no list');
  const params = { params: { path: { kind, itemId } } };
  const path = `/api/v1/users/me/${mark}/{kind}/{itemId}` as const;
  return read(isSet ? api.DELETE(path, params) : api.POST(path, params));
}
