/** Seasons of a series with their episodes, in few requests. */
import { localeOf, type Locale } from '../../metadata/provider.ts';
import { languageTag } from './common.ts';
import type { Season } from './schemas.ts';

/** A season that is to be asked for. */
interface SeasonListed {
  readonly number: number;
  readonly episodeCount?: number | undefined;
}

/** Seasons in one language. */
export interface SeasonsIn {
  readonly language: string;
  readonly seasons: readonly Season[];
}

/** What asks TMDb: for several seasons in an answer about their series, or for one. */
export interface AskSeasons {
  some(numbers: readonly number[], language: string): Promise<Readonly<Record<string, Season>>>;
  one(number: number, language: string): Promise<Season | undefined>;
}

/** TMDb appends no more to one answer. */
const appendedMax = 20;
/** An episode with all who made it is up to 20 kB; an answer may have 8 MB. */
const episodesMax = 200;
const seasonsMax = 100;

/** Seasons that are asked for together. Pure. */
export function batchesOf(listed: readonly SeasonListed[]): number[][] {
  const batches: { numbers: number[]; episodes: number }[] = [];
  for (const { number, episodeCount = 0 } of listed.slice(0, seasonsMax)) {
    const last = batches.at(-1);
    const fits =
      last !== undefined &&
      last.numbers.length < appendedMax &&
      last.episodes + episodeCount <= episodesMax;
    if (fits) {
      last.numbers.push(number);
      last.episodes += episodeCount;
    } else batches.push({ numbers: [number], episodes: episodeCount });
  }
  return batches.map(({ numbers }) => numbers);
}

/**
 * All seasons in the language of a locale, and then in others. What an answer about the series
 * leaves out is asked for alone. Throws ProviderError.
 */
export async function seasonsOf(
  ask: AskSeasons,
  listed: readonly SeasonListed[],
  { locale, languages }: { locale: Locale; languages: readonly string[] },
): Promise<{ own: Season[]; others: SeasonsIn[] }> {
  const batches = batchesOf(listed);
  const all = async (tag: string): Promise<Season[]> => {
    const seasons: Season[] = [];
    for (const numbers of batches) {
      const found = numbers.length === 1 ? {} : await ask.some(numbers, tag);
      for (const number of numbers) {
        const season = found[`season/${number}`] ?? (await ask.one(number, tag));
        if (season !== undefined) seasons.push(season);
      }
    }
    return seasons;
  };
  const own = await all(languageTag(locale));
  const others: SeasonsIn[] = [];
  for (const language of languages) {
    others.push({ language, seasons: await all(languageTag(localeOf(language))) });
  }
  return { own, others };
}
