import { idsInText, type ProviderIds } from '../../naming/ids.ts';
import { nobody, peopleOf, type NfoPeople } from '../../nfo/people.ts';
import * as read from '../../nfo/values.ts';
import { idsOf, nfoMaxBytes, parseRoot, rootAt } from '../../nfo/xml.ts';

/** A score out of ten. */
export interface NfoRating {
  readonly source: string;
  readonly score: number;
  readonly votes: number | undefined;
}

/** What an NFO says about a film; what it does not say is undefined or empty. */
export interface NfoFilm extends NfoPeople {
  readonly title: string | undefined;
  readonly originalTitle: string | undefined;
  readonly sortTitle: string | undefined;
  readonly year: number | undefined;
  /** YYYY-MM-DD. */
  readonly releaseDate: string | undefined;
  readonly overview: string | undefined;
  readonly tagline: string | undefined;
  readonly runtimeMs: number | undefined;
  readonly certification: string | undefined;
  readonly collection: string | undefined;
  readonly genres: readonly string[];
  readonly tags: readonly string[];
  readonly studios: readonly string[];
  readonly ids: ProviderIds;
  readonly ratings: readonly NfoRating[];
}

/** An NFO read: the film, if it tells of one, and what was wrong with the file. */
export interface NfoReading {
  readonly film: NfoFilm | undefined;
  readonly problems: readonly string[];
}

/**
 * Reads an NFO file: Kodi's XML (https://kodi.wiki/view/NFO_files/Movies), a text with a link to
 * IMDb or TheMovieDB, or XML followed by such a link. Never throws: what is broken is told.
 */
export function readNfo(bytes: Uint8Array): NfoReading {
  if (bytes.byteLength > nfoMaxBytes) return refused('larger than 1 MiB');
  const text = read.decodeText(bytes);
  const start = rootAt(text, 'movie');
  return start === undefined ? readPlain(text) : readXml(text, start);
}

const refused = (problem: string): NfoReading => ({ film: undefined, problems: [problem] });

function readPlain(text: string): NfoReading {
  const other = /<(tvshow|episodedetails|musicvideo|artist|album)[\s>]/i.exec(text)?.[1];
  if (other !== undefined) return refused(`tells of a <${other.toLowerCase()}>, not of a film`);
  const ids = idsInText(text);
  if (Object.keys(ids).length > 0) return { film: { ...emptyFilm, ids }, problems: [] };
  return refused('neither a film in XML nor a link to one');
}

function readXml(text: string, start: number): NfoReading {
  const { element, after, problems } = parseRoot(text, 'movie', start);
  if (element === undefined) {
    const ids = after === '' ? {} : idsInText(text);
    return { film: Object.keys(ids).length > 0 ? { ...emptyFilm, ids } : undefined, problems };
  }
  const film = toFilm(element, after);
  const isEmpty = film.title === undefined && Object.keys(film.ids).length === 0;
  return { film, problems: isEmpty ? [...problems, 'has neither a title nor an id'] : problems };
}

/** An NFO that says nothing. */
export const emptyFilm: NfoFilm = {
  title: undefined,
  originalTitle: undefined,
  sortTitle: undefined,
  year: undefined,
  releaseDate: undefined,
  overview: undefined,
  tagline: undefined,
  runtimeMs: undefined,
  certification: undefined,
  collection: undefined,
  genres: [],
  tags: [],
  studios: [],
  ids: {},
  ratings: [],
  ...nobody,
};

function toFilm(movie: read.Element, after: string): NfoFilm {
  const text = (name: string, max = 500) => read.text(movie, name, max);
  const releaseDate = read.date(text('premiered') ?? text('releasedate'));
  return {
    title: text('title'),
    originalTitle: text('originaltitle'),
    sortTitle: text('sorttitle'),
    year: read.year(text('year')) ?? read.year(releaseDate?.slice(0, 4)),
    releaseDate,
    overview: text('plot', 10_000) ?? text('outline', 10_000),
    tagline: text('tagline', 1_000),
    runtimeMs: read.minutes(text('runtime')),
    certification: (text('mpaa') ?? text('certification'))?.replace(/^rated\s+/i, ''),
    collection: collectionName(movie),
    genres: read.names(movie, 'genre'),
    tags: read.names(movie, 'tag'),
    studios: read.names(movie, 'studio'),
    ids: { ...idsInText(after), ...idsOf(movie) },
    ratings: ratingsOf(movie),
    ...peopleOf(movie),
  };
}

function collectionName(movie: read.Element): string | undefined {
  const set = read.children(movie, 'set')[0];
  if (set === undefined) return undefined;
  return read.text(set, 'name', 200) ?? read.ownText(set, 200);
}

function ratingsOf(movie: read.Element): NfoRating[] {
  const found = new Map<string, NfoRating>();
  const add = (source: string, value: number | undefined, votes: number | undefined) => {
    if (value === undefined || value <= 0 || value > 10 || found.has(source)) return;
    found.set(source, { source, score: Math.round(value * 100) / 100, votes });
  };
  for (const list of read.children(movie, 'ratings').slice(0, 1)) {
    for (const rating of read.children(list, 'rating').slice(0, 20)) {
      const max = read.number(read.attribute(rating, 'max')) ?? 10;
      const value = read.number(read.text(rating, 'value', 20));
      const source = (read.attribute(rating, 'name') ?? 'nfo').toLowerCase().slice(0, 40);
      const score = value === undefined ? undefined : (value * 10) / (max > 0 ? max : 10);
      add(source, score, read.count(read.text(rating, 'votes', 20)));
    }
  }
  if (found.size === 0) {
    const votes = read.count(read.text(movie, 'votes', 20));
    add('nfo', read.number(read.text(movie, 'rating', 20)), votes);
  }
  return [...found.values()];
}
