import type { components } from '#api/types.ts';
import type { UserState } from './store.ts';

/** A person's state of a work as the API tells it. */
export type UserStateView = components['schemas']['UserState'];

/** A state for the API; what is not known is left out. */
export const presentState = (state: UserState): UserStateView => ({
  positionMs: state.positionMs,
  ...(state.durationMs === null ? {} : { durationMs: state.durationMs }),
  ...(state.fileId === null ? {} : { fileId: state.fileId }),
  isWatched: state.watchedAt !== null,
  ...(state.watchedAt === null ? {} : { watchedAt: state.watchedAt.toISOString() }),
  playCount: state.playCount,
  ...(state.lastPlayedAt === null ? {} : { lastPlayedAt: state.lastPlayedAt.toISOString() }),
  isFavourite: state.favouriteAt !== null,
  isOnWatchlist: state.watchlistAt !== null,
});
