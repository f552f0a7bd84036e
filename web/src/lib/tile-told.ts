import { duration } from './format';
import { currentLocale, t, tn } from './i18n.svelte';
import type { Tile } from './tiles';

/** How far somebody is in what is begun, as a share of one; 0: nowhere. */
export const partOf = ({ positionMs, durationMs }: Tile): number =>
  durationMs > 0 ? Math.min(1, positionMs / durationMs) : 0;

/** What the marks of a tile show, for who does not see them. */
export const toldOf = (tile: Tile): string =>
  [
    tile.isWatched && t('movie.watched'),
    tile.unwatched > 0 && tn('series.unwatched', tile.unwatched),
    partOf(tile) > 0 &&
      t('movie.left', { time: duration(tile.durationMs - tile.positionMs, currentLocale()) }),
    !tile.isAvailable && t('movie.unavailable'),
  ]
    .filter(Boolean)
    .join(', ');
