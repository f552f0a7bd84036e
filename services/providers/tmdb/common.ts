/** What TMDb says of films and series alike, in our words. Pure. */
import { bareLanguage } from '../../languages.ts';
import type { Credit, CreditRole } from '../../people/index.ts';
import {
  localeOf,
  type Candidate,
  type ImageOffer,
  type Locale,
  type Trailer,
  type Translation,
} from '../../metadata/provider.ts';
import { said, yearOf } from '../read.ts';
import type { Configuration, FilmHit, Picture, Pictures, Video } from './schemas.ts';

/** A hit of a search. */
export function candidateOf(
  hit: FilmHit,
  urlOf: (type: PictureType, path: string) => string,
): Candidate {
  const poster = said(hit.poster_path);
  return {
    id: String(hit.id),
    title: hit.title,
    originalTitle: said(hit.original_title),
    year: yearOf(hit.release_date),
    overview: said(hit.overview),
    posterUrl: poster === undefined ? undefined : urlOf('poster', poster),
    votes: hit.vote_count ?? 0,
  };
}

export const languageTag = ({ language, country }: Locale): string =>
  language.includes('-') ? language : `${language}-${country}`;

/**
 * Texts by language. One of several countries is that of the country the language is named for, as
 * far as anything tells; the others keep their region. A title that the original's language lacks
 * is the original's.
 */
export function translationsOf(
  list: readonly {
    readonly iso_639_1?: string | null | undefined;
    readonly iso_3166_1?: string | null | undefined;
    readonly data?:
      | {
          readonly title?: string | null | undefined;
          readonly name?: string | null | undefined;
          readonly overview?: string | null | undefined;
          readonly tagline?: string | null | undefined;
        }
      | null
      | undefined;
  }[],
  original: {
    readonly language: string | null | undefined;
    readonly title: string | undefined;
  },
): Translation[] {
  return list.flatMap(({ iso_639_1, iso_3166_1, data }) => {
    const bare = said(iso_639_1);
    if (bare === undefined || data == null) return [];
    const region = said(iso_3166_1);
    const isUsual = region === undefined || localeOf(bare).country === region;
    const ownTitle = bare === original.language ? original.title : undefined;
    const title = said(data.title) ?? said(data.name) ?? ownTitle;
    const [overview, tagline] = [said(data.overview), said(data.tagline)];
    const isTold = [title, overview, tagline].some((text) => text !== undefined);
    const language = isUsual ? bare : `${bare}-${region}`;
    return isTold ? [{ language, title, overview, tagline }] : [];
  });
}

export const ratingOf = (work: {
  vote_average?: number | null | undefined;
  vote_count?: number | null | undefined;
}) =>
  work.vote_average != null && work.vote_count != null && work.vote_count > 0
    ? { source: 'themoviedb', score: Math.min(10, work.vote_average), votes: work.vote_count }
    : undefined;

const castMax = 40;
const crewMax = 20;

const jobRoles: Readonly<Record<string, CreditRole>> = {
  Director: 'director',
  Writer: 'writer',
  Screenplay: 'writer',
  Story: 'writer',
  Novel: 'writer',
  Creator: 'writer',
  Producer: 'producer',
  'Executive Producer': 'producer',
  'Original Music Composer': 'composer',
  Music: 'composer',
};

interface Cast {
  readonly name: string;
  readonly character?: string | null | undefined;
  readonly order?: number | null | undefined;
}

interface Crew {
  readonly name: string;
  readonly job?: string | null | undefined;
}

/** The cast in its order, and those of the crew whose part people look for. */
export function creditsOf(
  cast: readonly Cast[] | null | undefined,
  crew: readonly Crew[] | null | undefined,
): Credit[] {
  const actors = (cast ?? [])
    .toSorted((a, b) => (a.order ?? 999) - (b.order ?? 999))
    .slice(0, castMax)
    .map(({ name, character }, position) => ({
      ...{ name, role: 'actor' as const, position },
      character: said(character) ?? '',
    }));
  const makers = new Map<string, Credit>();
  for (const { name, job } of crew ?? []) {
    const role = jobRoles[job ?? ''];
    if (role === undefined || makers.has(`${role} ${name}`)) continue;
    const position = [...makers.values()].filter((one) => one.role === role).length;
    if (position < crewMax) makers.set(`${role} ${name}`, { name, role, character: '', position });
  }
  return [...makers.values(), ...actors];
}

const trailersMax = 10;

/** Trailers and teasers, official ones first. */
export function trailersOf(videos: readonly Video[] | null | undefined): Trailer[] {
  return (videos ?? [])
    .filter(({ type }) => type === 'Trailer' || type === 'Teaser')
    .toSorted((a, b) => rankOf(a) - rankOf(b))
    .slice(0, trailersMax)
    .map(({ site, key, name, iso_639_1 }) => ({
      ...{ site, key, name: said(name) ?? 'Trailer' },
      language: said(iso_639_1),
    }));
}

const rankOf = ({ type, official }: Video): number =>
  (type === 'Trailer' ? 0 : 2) + (official === true ? 0 : 1);

const baseUrl = 'https://image.tmdb.org/t/p/';
const wantedWidth = { poster: 780, backdrop: 1280, logo: 500, thumb: 780 } as const;
const offersMax = 12;

type PictureType = ImageOffer['type'];

/** Makes the address of a picture in the size that is kept. */
export function pictureUrls(
  config: Configuration | undefined,
): (type: PictureType, path: string) => string {
  const { secure_base_url, poster_sizes, backdrop_sizes, logo_sizes, still_sizes } =
    config?.images ?? {};
  const base = said(secure_base_url) ?? baseUrl;
  const sizes = {
    poster: sizeOf(poster_sizes, wantedWidth.poster),
    backdrop: sizeOf(backdrop_sizes, wantedWidth.backdrop),
    logo: sizeOf(logo_sizes, wantedWidth.logo),
    thumb: sizeOf(still_sizes, wantedWidth.thumb),
  };
  return (type, path) => `${base}${sizes[type]}${path}`;
}

/** The largest size there is up to the one wanted. */
function sizeOf(sizes: readonly string[] | null | undefined, wanted: number): string {
  const widths = (sizes ?? []).flatMap((size) => {
    const width = /^w(\d+)$/.exec(size)?.[1];
    return width === undefined ? [] : [Number(width)];
  });
  const fitting = widths.filter((width) => width <= wanted);
  return widths.length === 0 ? `w${wanted}` : `w${Math.max(...fitting, Math.min(...widths))}`;
}

/** Pictures of each type: in the language asked for, then without text, then in English. */
export function offersOf(
  work: {
    readonly poster_path?: string | null | undefined;
    readonly backdrop_path?: string | null | undefined;
    readonly images?: Pictures | null | undefined;
  },
  locale: Locale,
  urlOf: (type: PictureType, path: string) => string,
): ImageOffer[] {
  const { images } = work;
  const own = bareLanguage(locale.language);
  const of = (
    type: PictureType,
    list: readonly Picture[] | null | undefined,
    main: string | null | undefined,
  ): ImageOffer[] => {
    const order = type === 'backdrop' ? ['', own, 'en'] : [own, 'en', ''];
    const rank = ({ iso_639_1 }: Picture) => {
      const index = order.indexOf(iso_639_1 ?? '');
      return index < 0 ? order.length : index;
    };
    // SVG is refused where pictures are decoded.
    const usable = (list ?? []).filter(({ file_path }) => !file_path.endsWith('.svg'));
    const sorted = usable.toSorted(
      (a, b) => rank(a) - rank(b) || (b.vote_average ?? 0) - (a.vote_average ?? 0),
    );
    const offers = sorted.map(({ file_path, iso_639_1 }) => ({
      ...{ type, url: urlOf(type, file_path), language: said(iso_639_1) },
    }));
    const first = said(main);
    if (offers.length === 0 && first !== undefined) return [{ type, url: urlOf(type, first) }];
    return offers.slice(0, offersMax);
  };
  return [
    ...of('poster', images?.posters, work.poster_path),
    ...of('backdrop', images?.backdrops, work.backdrop_path),
    ...of('logo', images?.logos, undefined),
  ];
}
