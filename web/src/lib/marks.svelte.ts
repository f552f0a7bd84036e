import { useQueryClient } from '@tanstack/svelte-query';
import { api, read } from './api';
import { toasts } from './toasts.svelte';
import type { Movie } from './types';

/** What one says of a film with a press. */
export type Mark = 'watched' | 'favourites' | 'watchlist';

const field = {
  watched: 'isWatched',
  favourites: 'isFavourite',
  watchlist: 'isOnWatchlist',
} as const;

/** Sets and takes away marks: shown at once, and taken back if the server will not have it. */
export function useMarks(movieId: () => string) {
  const queries = useQueryClient();
  return {
    async toggle(mark: Mark, isSet: boolean): Promise<void> {
      const queryKey = ['movie', movieId()];
      await queries.cancelQueries({ queryKey });
      const before = queries.getQueryData<Movie>(queryKey);
      if (before) {
        const userState = { ...before.userState, [field[mark]]: !isSet };
        queries.setQueryData<Movie>(queryKey, { ...before, userState });
      }
      try {
        const userState = await send(mark, movieId(), isSet);
        queries.setQueryData<Movie>(queryKey, (film) => film && { ...film, userState });
        for (const key of ['movies', 'continue', 'recent', 'watchlist', 'favourites']) {
          void queries.invalidateQueries({ queryKey: [key] });
        }
      } catch (error) {
        queries.setQueryData(queryKey, before);
        toasts.fail(error);
      }
    },
  };
}

function send(mark: Mark, itemId: string, isSet: boolean) {
  const params = { params: { path: { kind: 'movie' as const, itemId } } };
  const path = `/api/v1/users/me/${mark}/{kind}/{itemId}` as const;
  return read(isSet ? api.DELETE(path, params) : api.POST(path, params));
}
