import { episodeCode, type EpisodeWords } from './episodes';
import { day } from './format';
import { currentLocale, t } from './i18n.svelte';
import type { EpisodePlace } from './tiles';

/** An episode, as far as it is named. */
type Named = Omit<EpisodePlace, 'seriesId' | 'seriesTitle'>;

const words: EpisodeWords = {
  code: (season, number) => t('episode.code', { season, number }),
  special: (number) => t('episode.special', { number }),
  counted: (number) => t('episode.counted', { number }),
  day: (date) => day(date, currentLocale()),
};

/** `S1 E2` in the language of the page. */
export const codeOf = (place: Named): string => episodeCode(place, words);

/** `S1 E2 · The Detail`. */
export const labelOf = (place: Named): string =>
  [codeOf(place), place.title].filter(Boolean).join(' · ') || t('episode.nameless');

/** A season's name. */
export const seasonName = (number: number): string =>
  number === 0 ? t('season.specials') : t('season.name', { number: String(number) });
