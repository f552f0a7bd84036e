import { titleKey } from '../../naming/titles.ts';
import type { EpisodeGroup } from './grouping.ts';
import type { NfoEpisode } from './nfo.ts';

/** An episode as names and NFO files tell it. */
export interface EpisodePlan {
  /** What makes two files one episode of a series: 's1e2', 'd2020-01-31', 'a113'. */
  readonly key: string;
  /** Where it stands in its series; compared byte by byte. */
  readonly place: string;
  readonly season: number;
  readonly number: number | null;
  readonly absolute: number | null;
  /** YYYY-MM-DD. */
  readonly airDate: string | null;
  readonly title: string | null;
  readonly overview: string | null;
  /** What of the files tells each of the last three. */
  readonly sources: Readonly<Record<string, 'name' | 'nfo'>>;
}

type Numbered = Pick<EpisodePlan, 'season' | 'key'> &
  Partial<Pick<EpisodePlan, 'number' | 'absolute' | 'airDate'>>;

/** The episodes a file holds: as its NFO says, else as its name does. Pure. */
export function episodesOf(group: EpisodeGroup, nfo: readonly NfoEpisode[]): EpisodePlan[] {
  const isNumbered = nfo.length > 0 && nfo.every((one) => one.season !== undefined);
  const named = isNumbered ? nfo.flatMap(byNfo) : [];
  if (named.length > 0) return named.map((one, index) => complete(one, nfo[index], undefined));
  const numbered = byName(group);
  const isOne = numbered.length === 1;
  const title = isOne ? (group.reading.episodeTitle ?? untold(group)) : undefined;
  return numbered.map((one) => complete(one, isOne ? nfo[0] : matching(nfo, one), title));
}

const byNfo = ({ season, episode }: NfoEpisode): Numbered[] =>
  season === undefined || episode === undefined
    ? []
    : [{ season, number: episode, key: `s${season}e${episode}` }];

const matching = (nfo: readonly NfoEpisode[], { number }: Numbered): NfoEpisode | undefined =>
  nfo.find(({ episode }) => episode !== undefined && episode === number);

function byName({ reading, versions }: EpisodeGroup): Numbered[] {
  const marks = reading.episodes;
  const season = marks?.isSpecial === true ? 0 : reading.season;
  const numbers = marks?.episodes.filter((number) => Number.isInteger(number)) ?? [];
  if (marks !== undefined && numbers.length > 0) {
    const known = season ?? 1;
    return numbers.map((number, index) => ({
      ...{ season: known, number, key: `s${known}e${number}` },
      absolute: marks.absolute[index] ?? null,
    }));
  }
  if (marks?.date !== undefined) {
    const part = marks.part === undefined ? '' : `p${marks.part}`;
    const year = Number(marks.date.slice(0, 4));
    return [{ season: season ?? year, airDate: marks.date, key: `d${marks.date}${part}` }];
  }
  if (marks !== undefined && marks.absolute.length > 0) {
    const within = season === undefined ? '' : `s${season}`;
    return marks.absolute.map((absolute) => ({
      ...{ season: season ?? 1, absolute, key: `${within}a${absolute}` },
    }));
  }
  const name = titleKey(versions[0]?.stem ?? '').slice(0, 200);
  return [{ season: season ?? 0, key: `f${name}` }];
}

/** What is called nothing that could be counted is called by its name. */
const untold = ({ reading, versions }: EpisodeGroup): string | undefined =>
  reading.episodes === undefined ? versions[0]?.stem : undefined;

function complete(
  one: Numbered,
  nfo: NfoEpisode | undefined,
  title: string | undefined,
): EpisodePlan {
  const { season, key, number = null, absolute = null } = one;
  const named = title ?? null;
  const whole = { season, key, number, absolute, title: nfo?.title ?? named };
  const airDate = nfo?.aired ?? one.airDate ?? null;
  const sources = {
    ...sourceOf('title', nfo?.title, named),
    ...sourceOf('airDate', nfo?.aired, one.airDate),
    ...sourceOf('overview', nfo?.overview, null),
  };
  return {
    ...{ ...whole, sources },
    airDate,
    overview: nfo?.overview ?? null,
    place: placeOf({ ...one, airDate }),
  };
}

function sourceOf(
  field: string,
  told: string | undefined,
  named: string | null | undefined,
): EpisodePlan['sources'] {
  if (told !== undefined) return { [field]: 'nfo' };
  return named === undefined || named === null ? {} : { [field]: 'name' };
}

function placeOf({ season, number, absolute, airDate, key }: Numbered): string {
  const counted = number ?? absolute;
  const count = counted?.toFixed(1).padStart(9, '0');
  const within =
    count === undefined ? (airDate === null ? `3 ${key}` : `2 ${airDate}`) : `1 ${count}`;
  return `${String(season).padStart(5, '0')} ${within}`;
}
