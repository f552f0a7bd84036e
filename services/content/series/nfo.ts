import { idsInText, type ProviderIds } from '../../naming/ids.ts';
import { nobody, peopleOf, type NfoPeople } from '../../nfo/people.ts';
import * as read from '../../nfo/values.ts';
import { idsOf, nfoMaxBytes, parseRoot, rootAt } from '../../nfo/xml.ts';

/** What `tvshow.nfo` says of a series; what it does not say is undefined or empty. */
export interface NfoShow extends NfoPeople {
  readonly title: string | undefined;
  readonly originalTitle: string | undefined;
  readonly sortTitle: string | undefined;
  readonly year: number | undefined;
  /** YYYY-MM-DD. */
  readonly premiered: string | undefined;
  readonly overview: string | undefined;
  readonly status: string | undefined;
  readonly certification: string | undefined;
  readonly genres: readonly string[];
  readonly studios: readonly string[];
  readonly ids: ProviderIds;
}

/** What the NFO of an episode says; a file of several episodes has several. */
export interface NfoEpisode {
  readonly title: string | undefined;
  readonly season: number | undefined;
  readonly episode: number | undefined;
  /** YYYY-MM-DD. */
  readonly aired: string | undefined;
  readonly overview: string | undefined;
}

/** A show's NFO read: the show, if it tells of one, and what was wrong with the file. */
export interface ShowReading {
  readonly show: NfoShow | undefined;
  readonly problems: readonly string[];
}

/** An NFO that says nothing. */
export const emptyShow: NfoShow = {
  title: undefined,
  originalTitle: undefined,
  sortTitle: undefined,
  year: undefined,
  premiered: undefined,
  overview: undefined,
  status: undefined,
  certification: undefined,
  genres: [],
  studios: [],
  ids: {},
  ...nobody,
};

/**
 * Reads `tvshow.nfo`: Kodi's XML (https://kodi.wiki/view/NFO_files/TV_shows), or a text with a link
 * to a database. Never throws: what is broken is told.
 */
export function readShowNfo(bytes: Uint8Array): ShowReading {
  if (bytes.byteLength > nfoMaxBytes) return { show: undefined, problems: ['larger than 1 MiB'] };
  const text = read.decodeText(bytes);
  const start = rootAt(text, 'tvshow');
  const { element, after, problems } =
    start === undefined
      ? { element: undefined, after: text, problems: [] }
      : parseRoot(text, 'tvshow', start);
  if (element !== undefined) return { show: toShow(element, after), problems };
  const ids = after === '' ? {} : idsInText(text, 'series');
  if (Object.keys(ids).length > 0) return { show: { ...emptyShow, ids }, problems };
  const isNone = problems.length === 0;
  return {
    show: undefined,
    problems: isNone ? ['neither a series in XML nor a link to one'] : problems,
  };
}

function toShow(element: read.Element, after: string): NfoShow {
  const text = (name: string, max = 500) => read.text(element, name, max);
  const premiered = read.date(text('premiered') ?? text('aired'));
  return {
    title: text('title') ?? text('showtitle'),
    originalTitle: text('originaltitle'),
    sortTitle: text('sorttitle'),
    year: read.year(text('year')) ?? read.year(premiered?.slice(0, 4)),
    premiered,
    overview: text('plot', 10_000) ?? text('outline', 10_000),
    status: text('status', 60),
    certification: (text('mpaa') ?? text('certification'))?.replace(/^rated\s+/i, ''),
    genres: read.names(element, 'genre'),
    studios: read.names(element, 'studio'),
    ids: { ...idsInText(after, 'series'), ...idsOf(element) },
    ...peopleOf(element),
  };
}

const mostEpisodes = 50;

/** Reads the NFO beside an episode's file: one `<episodedetails>` for each episode in it. */
export function readEpisodeNfo(bytes: Uint8Array): NfoEpisode[] {
  if (bytes.byteLength > nfoMaxBytes) return [];
  let text = read.decodeText(bytes);
  const found: NfoEpisode[] = [];
  while (found.length < mostEpisodes) {
    const start = rootAt(text, 'episodedetails');
    if (start === undefined) break;
    const { element, after } = parseRoot(text, 'episodedetails', start);
    if (element === undefined || after.length >= text.length) break;
    found.push(toEpisode(element));
    text = after;
  }
  return found;
}

function toEpisode(element: read.Element): NfoEpisode {
  const text = (name: string, max = 500) => read.text(element, name, max);
  return {
    title: text('title'),
    season: read.count(text('season')),
    episode: read.count(text('episode')),
    aired: read.date(text('aired') ?? text('premiered')),
    overview: text('plot', 10_000),
  };
}
