/** A library as people have them, and what each of its files is in truth. */
import { link, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  episodeTitle,
  films,
  rowsOf,
  series,
  shownOn,
  type Film,
  type Series,
  type Work,
} from './catalogue.ts';
import { forms, type Form } from './forms.ts';
import type { Lengths } from './lengths.ts';

/** What lies at a path. */
export interface Placed<Truth extends Work = Work> {
  readonly path: string;
  readonly truth: Truth;
  /** How it is named. */
  readonly form: string;
  /** One of two discs. */
  readonly isHalf?: true;
  /** The text of what is no film. */
  readonly text?: string;
  readonly episode?: { readonly season: number; readonly number: number; readonly day: string };
}

const fill = (path: string, { imdb, id }: Work): string =>
  path.replace('@imdb', imdb).replace('@id', `${id}`);

const filmNfo = (film: Film, isOfLinks: boolean): string =>
  isOfLinks
    ? `https://www.imdb.com/title/${film.imdb}/\n`
    : `<movie><title>${film.title}</title><year>${film.year}</year></movie>`;

/** Films, so many at most: those of cases first, the others named by one form after the other. */
export function filmLibrary(count: number): Placed<Film>[] {
  const cases = new Map(rowsOf('cases.txt').map(([key = '', ...rest]) => [key, rest]));
  const held = films.filter(({ isDecoy }) => !isDecoy);
  const odd = held.filter(({ key }) => cases.has(key));
  const usual = held.filter(({ key }) => !cases.has(key));
  const isAlone = (film: Film) =>
    films.every(
      (one) => one === film || !namesOf(one).some((name) => namesOf(film).includes(name)),
    );
  const named = usual.flatMap((film, index) => {
    const form = formFor(film, index, isAlone(film));
    return Object.entries(form.paths(film) ?? {}).map(([path, what]) => ({
      ...{ path, truth: film, form: form.name },
      ...(what === 'film' ? {} : what === 'half' ? { isHalf: true as const } : { text: what }),
    }));
  });
  const strange = odd.flatMap((film) => {
    const [paths = '', why = ''] = cases.get(film.key) ?? [];
    return paths.split(' + ').map((path) => {
      const whole = path.includes('/') ? path : join(dirname(paths.split(' + ')[0] ?? ''), path);
      const placed = { path: fill(whole, film), truth: film, form: `by hand: ${why}` };
      const isNfo = path.endsWith('.nfo');
      return isNfo ? { ...placed, text: filmNfo(film, path !== 'movie.nfo') } : placed;
    });
  });
  return pick(strange, named, count);
}

const namesOf = ({ title, original, others }: Work) =>
  [title, original, ...others].map((name) => name.toLowerCase());

/** The next form in turn that names this film. */
function formFor(film: Film, index: number, isAlone: boolean): Form {
  for (let step = 0; ; step++) {
    const form = forms[(index + step) % forms.length]!;
    const isFit = form.paths(film) !== undefined && (isAlone || !isOfAnother(form));
    if (isFit) return form;
  }
}

/** Without the right year such a name is that of another film of the title as much. */
const isOfAnother = ({ isYearless, name }: Form) =>
  isYearless === true || name.startsWith('a year too');

/** Of both kinds in proportion, evenly from each list. */
function pick(odd: Placed<Film>[], usual: Placed<Film>[], count: number): Placed<Film>[] {
  const keys = (list: readonly Placed<Film>[]) => [...new Set(list.map(({ truth }) => truth.key))];
  const [a, b] = [keys(odd), keys(usual)];
  const fromOdd = Math.round((count * a.length) / (a.length + b.length));
  const chosen = new Set([...evenly(a, fromOdd), ...evenly(b, count - fromOdd)]);
  return [...odd, ...usual].filter(({ truth }) => chosen.has(truth.key));
}

/** So many of a list, as far apart as they may be. */
function evenly<Item>(list: readonly Item[], count: number): Item[] {
  const share = Math.min(1, count / list.length);
  return list.filter((_, at) => Math.round((at + 1) * share) > Math.round(at * share));
}

/** Series, so many at most: of each season the first two episodes and the last. */
export function seriesLibrary(count: number): Placed<Series>[] {
  const rows = rowsOf('series-cases.txt');
  const chosen = evenly(rows, count);
  return chosen.flatMap(([key, pattern = '', why = '']) => {
    const one = series.find((some) => some.key === key);
    if (one === undefined) throw new Error(`no series ${key} is known`);
    return episodesOf(one).map((episode) => ({
      ...{ path: episodePath(one, pattern, episode), truth: one, form: why, episode },
    }));
  });
}

function episodesOf(one: Series) {
  return one.seasons.flatMap(({ number: season, count }) => {
    const chosen = season === 0 ? [] : [...new Set([1, Math.min(2, count), count])];
    return chosen.map((number) => ({ season, number, day: shownOn(one, season, number) }));
  });
}

type Episode = NonNullable<Placed['episode']>;

function episodePath(one: Series, pattern: string, { season, number, day }: Episode): string {
  const before = one.seasons.filter((other) => other.number > 0 && other.number < season);
  const absolute = before.reduce((sum, { count }) => sum + count, number);
  const padded = (value: number, width: number) => String(value).padStart(width, '0');
  const values: Readonly<Record<string, string>> = {
    ...{ s: `${season}`, ss: padded(season, 2), e: `${number}`, ee: padded(number, 2) },
    ...{ a: `${absolute}`, aa: padded(absolute, 2), aaa: padded(absolute, 3) },
    ...{ date: day, dotted: day.replaceAll('-', '.'), title: episodeTitle(season, number) },
  };
  return fill(pattern.replace('@tvdb', `${one.tvdb}`), one).replace(
    /\{(\w+)\}/g,
    (whole, name: string) => values[name] ?? whole,
  );
}

/** Writes all of it below a folder: films of about the length that theirs is, by hard links. */
export async function writeLibrary(
  folder: string,
  placed: readonly Placed[],
  lengths: Lengths,
): Promise<void> {
  for (const { path, text, isHalf, truth } of placed) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    if (text !== undefined) await writeFile(file, text);
    else {
      const minutes = 'minutes' in truth ? Number(truth.minutes) : 45;
      await link(await lengths.file(isHalf ? Math.round(minutes / 2) : minutes), file);
    }
  }
}
