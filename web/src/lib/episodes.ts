import type { EpisodePlace } from './tiles.ts';

/** Words a number of an episode is told with. */
export interface EpisodeWords {
  readonly code: (season: string, number: string) => string;
  readonly special: (number: string) => string;
  readonly counted: (number: string) => string;
  readonly day: (day: string) => string;
}

type Place = Pick<EpisodePlace, 'season' | 'number' | 'absolute' | 'airDate'>;

/** `S1 E2`, the number through all seasons, or the day; empty for one that has only a name. Pure. */
export function episodeCode(place: Place, words: EpisodeWords): string {
  const { season, number, absolute, airDate } = place;
  if (number !== null) {
    return season === 0
      ? words.special(String(number))
      : words.code(String(season), String(number));
  }
  if (absolute !== null) return words.counted(String(absolute));
  return airDate === null ? '' : words.day(airDate);
}

/** Seasons as they are told: specials last, as who looks for them knows where. Pure. */
export const specialsLast = <S extends { readonly number: number }>(seasons: readonly S[]): S[] =>
  seasons.toSorted((a, b) => (a.number || Infinity) - (b.number || Infinity));

/** Numbers between two episodes that are not here. */
export interface Gap {
  readonly from: number;
  readonly to: number;
}

/**
 * The episodes of a season with the numbers missing between them; what has no number, specials and
 * seasons that do not begin with 1 are taken as they are. Pure.
 */
export function withGaps<E extends Pick<EpisodePlace, 'season' | 'number'>>(
  episodes: readonly E[],
): readonly (E | Gap)[] {
  let last = 0;
  return episodes.flatMap((episode): (E | Gap)[] => {
    const { season, number } = episode;
    if (season === 0 || number === null) return [episode];
    const gap = number > last + 1 ? [{ from: last + 1, to: number - 1 }] : [];
    last = Math.max(last, number);
    return [...gap, episode];
  });
}

/** Tells a gap from an episode. */
export const isGap = (entry: object): entry is Gap => 'from' in entry && 'to' in entry;
