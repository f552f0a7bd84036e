/** Episodes as TheTVDB counts and names them. */
import { bareLanguage } from '../../languages.ts';
import {
  languagesOfParts,
  type EpisodeOrder,
  type EpisodeRecord,
  type ImageOffer,
  type PartsAsked,
  type SeasonRecord,
  type SeriesRecord,
  type Translation,
} from '../../metadata/provider.ts';
import { isCountOnly } from '../../naming/count-only.ts';
import type { AskOptions, AskProvider } from '../http.ts';
import { dayOf, minutes, said } from '../read.ts';
import { pictureUrl, tvdbLanguage } from './common.ts';
import type { Episode, EpisodesAnswer, Series } from './schemas.ts';

/** Of 500 episodes each. */
const pagesMax = 20;

const orderPaths = { aired: 'official', dvd: 'dvd', absolute: 'absolute' } as const;

/** Makes what asks for all episodes of a series, in an order and a language. */
export const pagesOf =
  (
    ask: { episodes: AskProvider<EpisodesAnswer> },
    seriesId: string,
    options: AskOptions | undefined,
  ) =>
  async (order: EpisodeOrder, language: string): Promise<Episode[]> => {
    const all: Episode[] = [];
    for (let page = 0; page < pagesMax; page++) {
      const path = `/series/${seriesId}/episodes/${orderPaths[order]}/${language}`;
      const found = await ask.episodes(path, { page }, options);
      all.push(...(found?.data.episodes ?? []));
      if (said(found?.links?.next) === undefined) break;
    }
    return all;
  };

/** Episodes in a language other than the one asked for, by their ids. */
interface EpisodesIn {
  readonly language: string;
  /** It is there to name what has no name, and is not kept. */
  readonly isSpare: boolean;
  readonly byId: ReadonlyMap<string, Episode>;
}

/** Episodes in all languages that are wanted; in English, too, where some have no name. */
export async function othersOf(
  listed: readonly Episode[],
  {
    record,
    asked,
    pages,
  }: {
    record: SeriesRecord;
    asked: PartsAsked;
    pages: (language: string) => Promise<readonly Episode[]>;
  },
): Promise<EpisodesIn[]> {
  const wanted = languagesOfParts(record, asked);
  const isEnglish = [asked.locale.language, ...wanted].some((one) => bareLanguage(one) === 'en');
  const isSpareWanted = !isEnglish && listed.some(({ name }) => said(name) === undefined);
  const others: EpisodesIn[] = [];
  for (const language of isSpareWanted ? [...wanted, 'en'] : wanted) {
    const list = await pages(tvdbLanguage({ language }));
    const byId = new Map(list.map((one) => [String(one.id), one]));
    others.push({ language, isSpare: isSpareWanted && language === 'en', byId });
  }
  return others;
}

/** What has no text in the language asked for has its English one. Pure. */
export function episodeOf(one: Episode, others: readonly EpisodesIn[]): EpisodeRecord {
  const told = others.flatMap((other) => textsOf(other, String(one.id)));
  const english = told.find(({ language }) => bareLanguage(language) === 'en');
  return {
    ...{ season: one.seasonNumber, number: one.number },
    absolute: counting(one.absoluteNumber),
    title: said(one.name) ?? english?.title,
    overview: said(one.overview) ?? english?.overview,
    airDate: dayOf(one.aired),
    runtimeMs: minutes(one.runtime),
    images: imagesOf('thumb', one.image),
    translations: told.flatMap(({ isSpare, ...text }) => (isSpare ? [] : [text])),
  };
}

const imagesOf = (type: ImageOffer['type'], image: string | null | undefined): ImageOffer[] => {
  const path = said(image);
  return path === undefined ? [] : [{ type, url: pictureUrl(path) }];
};

/** The seasons of an order, as far as they have a name or a picture of their own. Pure. */
export function seasonsOf(seasons: Series['seasons'], order: EpisodeOrder): SeasonRecord[] {
  const own = (seasons ?? []).filter(({ type }) => type?.type === orderPaths[order]);
  return own.map(({ number, name, image }) => {
    const title = said(name);
    return {
      number,
      title: title === undefined || isCountOnly('season', title, number) ? undefined : title,
      images: imagesOf('poster', image),
    };
  });
}

const counting = (number: number | null | undefined): number | undefined =>
  number != null && number > 0 ? number : undefined;

function textsOf(
  { language, isSpare, byId }: EpisodesIn,
  id: string,
): (Translation & { isSpare: boolean })[] {
  const one = byId.get(id);
  const [title, overview] = [said(one?.name), said(one?.overview)];
  const isTold = title !== undefined || overview !== undefined;
  return isTold ? [{ language, title, overview, isSpare }] : [];
}

/**
 * The record with the places its episodes have in an order. An episode has one id in all orders;
 * what is in this one only is left out. Pure.
 */
export function inOrder(
  record: SeriesRecord,
  order: EpisodeOrder,
  { listed, wanted }: { listed: readonly Episode[]; wanted: readonly Episode[] },
): SeriesRecord {
  if (wanted.length === 0) return record;
  if (order === 'absolute') {
    const regular = wanted.filter(({ seasonNumber }) => seasonNumber > 0);
    const numbers = new Map(regular.map(({ id, number }) => [String(id), counting(number)]));
    const episodes = record.episodes.map((one, at) => ({
      ...{ ...one, absolute: numbers.get(String(listed[at]?.id)) },
    }));
    return { ...record, episodes };
  }
  const known = new Map(listed.map((one) => [String(one.id), one]));
  const places = wanted.flatMap(({ id, seasonNumber: season, number }) => {
    const one = known.get(String(id));
    return one === undefined
      ? []
      : [{ season, number, known: { season: one.seasonNumber, number: one.number } }];
  });
  return { ...record, ordered: { order, places } };
}
