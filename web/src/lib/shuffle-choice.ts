import type { EpisodeCard, Season } from './types.ts';

/** What of a season there is to choose from. */
export type Counted = Pick<Season, 'number' | 'episodeCount' | 'watchedCount' | 'isAvailable'>;

type Playable = Pick<EpisodeCard, 'isAvailable'> & {
  readonly userState: Pick<EpisodeCard['userState'], 'isWatched'>;
};

/**
 * A season out of which any episode is to be played: as likely as it holds episodes that are yet
 * to be watched, or, where none are, episodes. Specials only where there is nothing else. Pure;
 * `random` is 0 to 1. Undefined: nothing can be played.
 */
export function anySeason(seasons: readonly Counted[], random: number): number | undefined {
  const there = seasons.filter(({ isAvailable }) => isAvailable);
  const regular = there.filter(({ number }) => number > 0);
  const some = regular.length > 0 ? regular : there;
  const isAllWatched = some.every((one) => one.watchedCount >= one.episodeCount);
  const weights = some.map((one) =>
    isAllWatched ? one.episodeCount : one.episodeCount - one.watchedCount,
  );
  let left = random * weights.reduce((sum, weight) => sum + weight, 0);
  const found = some.find((_, at) => (left -= weights[at] ?? 0) < 0);
  return (found ?? some.at(-1))?.number;
}

/** One that can be played, of those not watched if there are any. Pure; as above. */
export function anyOf<One extends Playable>(
  episodes: readonly One[],
  random: number,
): One | undefined {
  const there = episodes.filter(({ isAvailable }) => isAvailable);
  const fresh = there.filter(({ userState }) => !userState.isWatched);
  const some = fresh.length > 0 ? fresh : there;
  return some[Math.floor(random * some.length)];
}
