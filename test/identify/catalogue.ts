/**
 * Facts of real films and series as a vendor knows them, ids made up: those that the library holds,
 * and others that one of them may be mistaken for.
 */
import { readFileSync } from 'node:fs';

/** A film or a series of the vendor's. */
export interface Work {
  readonly id: number;
  /** Names it in lists of cases: `Heat (1995)`. */
  readonly key: string;
  readonly title: string;
  readonly original: string;
  readonly others: readonly string[];
  readonly year: number;
  readonly votes: number;
  /** Nobody has it. */
  readonly isDecoy: boolean;
  readonly imdb: string;
}

export interface Film extends Work {
  readonly minutes: number;
}

export interface Series extends Work {
  readonly country: string;
  readonly tvdb: number;
  /** How many episodes, by season. */
  readonly seasons: readonly { readonly number: number; readonly count: number }[];
}

/** Rows of a list beside this file, without comments. */
export const rowsOf = (name: string): string[][] =>
  readFileSync(new URL(name, import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split('|'));

const works = (rows: readonly string[][], firstId: number): Work[] =>
  rows.map(([name = '', year = '', , votes = '', original = '', others = ''], index) => {
    const title = name.replace(/^-/, '');
    const id = firstId + 7 * index;
    return {
      ...{ id, title, key: `${title} (${year})`, year: Number(year) },
      original: original === '' ? title : original,
      others: others === '' ? [] : others.split(';'),
      votes: Number(votes) * 100 + (index % 90),
      isDecoy: name.startsWith('-'),
      imdb: `tt${String(3_000_000 + id)}`,
    };
  });

const filmRows = rowsOf('films.txt');
const seriesRows = rowsOf('series.txt');

export const films: readonly Film[] = works(filmRows, 1_001).map((work, index) => ({
  ...work,
  minutes: Number(filmRows[index]?.[2]),
}));

export const series: readonly Series[] = works(seriesRows, 90_001).map((work, index) => {
  const [, , country = '', , , , seasons = ''] = seriesRows[index] ?? [];
  return {
    ...{ ...work, country, tvdb: 70_000 + work.id },
    seasons: seasons.split(' ').map((one) => {
      const [number = '', count = ''] = one.split(':');
      return { number: Number(number), count: Number(count) };
    }),
  };
});

/** The day on which an episode is shown: one a week, each season in its year. */
export function shownOn({ year, seasons }: Series, season: number, episode: number): string {
  const isYear = season > 1_000;
  const index = seasons
    .filter(({ number }) => number > 0)
    .findIndex((one) => one.number === season);
  const first = Date.UTC(isYear ? season : year + Math.max(index, 0), 0, 8);
  return new Date(first + (episode - 1) * 7 * 24 * 3_600_000).toISOString().slice(0, 10);
}

/** No two of a series are alike. */
export const episodeTitle = (season: number, episode: number): string =>
  `${colours[(season * 5 + episode) % colours.length]} ${things[episode % things.length]}`;

const colours = ['Red', 'Green', 'Silver', 'White', 'Golden', 'Grey', 'Purple'];
const things = ['Harbour', 'Letter', 'Winter', 'Garden', 'Mirror', 'Station', 'River', 'Promise'];
