import sharp from 'sharp';
import type { Vendor, VendorAnswer } from '../vendor.ts';
import { startVendor } from '../vendor.ts';

/** A film as a fake TMDb knows it; what is not given, it does not know. */
export interface FakeFilm {
  readonly id: number;
  readonly title: string;
  readonly originalTitle?: string;
  readonly date?: string;
  readonly minutes?: number;
  readonly votes?: number;
  readonly imdb?: string;
  readonly overview?: string | null;
  readonly otherTitles?: readonly string[];
  /** Over all of the answer, as the vendor would send it. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** A series as it knows it. */
export interface FakeSeries extends Omit<FakeFilm, 'minutes'> {
  readonly tvdb?: number;
  /** By number, the titles of a season's episodes; they are shown a week apart. */
  readonly seasons: Readonly<Record<number, readonly string[]>>;
  /** The same in other languages, of two letters; what is left out nobody has translated. */
  readonly spoken?: Readonly<Record<string, Readonly<Record<number, readonly string[]>>>>;
  /** What names its pictures: of seasons in English and German, and of episodes. None if absent. */
  readonly pictures?: string;
  /** Names of seasons, by language and number; the others are called by their numbers. */
  /** Groups of its episodes (season and number), by type, then by the number of the group. */
  readonly groupings?: Readonly<Record<number, Readonly<Record<number, readonly Place[]>>>>;
  readonly seasonNames?: Readonly<Record<string, Readonly<Record<number, string>>>>;
  /** Who takes part, as it sends them to who asks; nobody if absent. */
  readonly people?: { readonly cast?: readonly object[]; readonly crew?: readonly object[] };
}

type Place = readonly [season: number, number: number];

/** A server that answers as TMDb does, of a few films and series. */
export interface FakeTmdb extends Vendor {
  readonly films: FakeFilm[];
  readonly series: FakeSeries[];
  /** Instead of what it knows; undefined: as usual. */
  trouble: VendorAnswer | undefined;
}

const poster = { width: 780, height: 1170, channels: 3, background: '#357' } as const;
const still = { width: 300, height: 169, channels: 3, background: '#753' } as const;

/** The body of what TMDb has not. */
const missing = {
  success: false,
  status_code: 34,
  status_message: 'The resource you requested could not be found.',
};

/** Starts one with these films. */
export async function startTmdb(films: readonly FakeFilm[] = []): Promise<FakeTmdb> {
  const vendor = await startVendor();
  const fake: FakeTmdb = Object.assign(vendor, {
    films: [...films],
    series: [],
    trouble: undefined,
  });
  const bytes = await sharp({ create: poster }).jpeg().toBuffer();
  const stillBytes = await sharp({ create: still }).jpeg().toBuffer();
  vendor.respond = (url) => {
    if (fake.trouble !== undefined) return fake.trouble;
    if (url.pathname.startsWith('/t/p/'))
      return {
        headers: { 'content-type': 'image/jpeg' },
        bytes: url.pathname.includes('/still/') ? stillBytes : bytes,
      };
    const json = answer(fake, url);
    return json === undefined ? { status: 404, json: missing } : { json };
  };
  return fake;
}

function answer({ films, series, url: base }: FakeTmdb, url: URL): object | undefined {
  const [, version, what = '', id = '', part = '', season = ''] = url.pathname.split('/');
  if (version !== '3') return undefined;
  switch (what) {
    case 'configuration':
      return { images: { ...sizes, secure_base_url: `${base}/t/p/` }, change_keys: [] };
    case 'search':
      if (id === 'tv')
        return pageOf(series.filter((one) => isHit(one, url.searchParams)).map(tvHit));
      return pageOf(films.filter((film) => isHit(film, url.searchParams)).map(hit));
    case 'find':
      return {
        movie_results: films.filter(({ imdb }) => imdb === id).map(hit),
        tv_results: series.filter(({ imdb, tvdb }) => [imdb, `${tvdb}`].includes(id)).map(tvHit),
      };
    case 'tv': {
      if (id === 'episode_group') return groupingOf(series, part);
      const one = series.find((some) => String(some.id) === id);
      if (one === undefined) return undefined;
      const language = (url.searchParams.get('language') ?? 'en').slice(0, 2);
      if (part === 'episode_groups') return groupingsOf(one);
      if (season !== '') return tvSeason(one, Number(season), language);
      return { ...tvDetail(one, language), ...appendedTo(one, url.searchParams, language) };
    }
    case 'movie': {
      const film = films.find((one) => String(one.id) === id);
      return film && detail(film);
    }
    default:
      return undefined;
  }
}

const sizes = {
  base_url: 'http://image.tmdb.org/t/p/',
  poster_sizes: ['w92', 'w342', 'w780', 'original'],
  backdrop_sizes: ['w300', 'w1280', 'original'],
  logo_sizes: ['w92', 'w500', 'original'],
  still_sizes: ['w92', 'w185', 'w300', 'original'],
};

const pageOf = (results: object[]) => ({
  ...{ page: 1, results, total_pages: 1, total_results: results.length },
});

/** By words, in any of its titles; the year has to be the very one. */
function isHit(film: FakeFilm, query: URLSearchParams): boolean {
  const words = (query.get('query') ?? '').toLowerCase().split(/\W+/u).filter(Boolean);
  const titles = [film.title, film.originalTitle, ...(film.otherTitles ?? [])];
  const isNamed = titles.some((title) => {
    const text = title?.toLowerCase() ?? '';
    return words.length > 0 && words.every((word) => text.includes(word));
  });
  const year = query.get('year') ?? query.get('first_air_date_year');
  return isNamed && (year === null || film.date?.startsWith(year) === true);
}

const hit = ({ id, title, originalTitle, date, overview, votes }: FakeFilm) => ({
  adult: false,
  backdrop_path: null,
  genre_ids: [18],
  id,
  original_language: 'en',
  original_title: originalTitle ?? title,
  overview: overview === undefined ? `What happens in ${title}.` : overview,
  popularity: 1.5,
  poster_path: `/poster-${id}.jpg`,
  release_date: date ?? '',
  title,
  video: false,
  vote_average: 7.25,
  vote_count: votes ?? 100,
});

const tvHit = (one: FakeSeries) => {
  const { title, original_title, release_date, ...rest } = hit(one);
  return { ...rest, name: title, original_name: original_title, first_air_date: release_date };
};

const groupingsOf = ({ id, groupings = {} }: FakeSeries) => ({
  ...{ id, results: [] },
  results: Object.entries(groupings).map(([type, groups]) => ({
    ...{ id: `${id}-${type}`, name: 'An order', description: '', type: Number(type) },
    episode_count: Object.values(groups).flat().length,
  })),
});

function groupingOf(series: readonly FakeSeries[], grouping: string): object | undefined {
  const [id, type] = grouping.split('-');
  const groups = series.find((one) => String(one.id) === id)?.groupings?.[Number(type)];
  return (
    groups && {
      ...{ id: grouping, name: 'An order', type: Number(type) },
      groups: Object.entries(groups).map(([order, places]) => ({
        ...{ id: `${grouping}-${order}`, order: Number(order), locked: false },
        name: order === '0' ? 'Specials' : `Season ${order}`,
        episodes: places.map(([season_number, episode_number], index) => ({
          ...{ season_number, episode_number, order: index, still_path: null },
        })),
      })),
    }
  );
}

/** Seasons that are asked for with their series. */
function appendedTo(one: FakeSeries, query: URLSearchParams, language: string): object {
  const names = (query.get('append_to_response') ?? '').split(',').slice(0, 20);
  const people = { cast: [], crew: [], ...one.people };
  const seasons = names.flatMap((name) => {
    const number = /^season\/(\d+)$/.exec(name)?.[1];
    const season = number === undefined ? undefined : tvSeason(one, Number(number), language);
    return season === undefined ? [] : [[name, season] as const];
  });
  return {
    ...Object.fromEntries(seasons),
    ...(names.includes('aggregate_credits') ? { aggregate_credits: people } : {}),
  };
}

const tvDetail = (one: FakeSeries, language: string) => ({
  ...tvHit(one),
  genres: [{ id: 18, name: 'Drama' }],
  created_by: [],
  number_of_episodes: Object.values(one.seasons).flat().length,
  networks: [{ id: 1, logo_path: null, name: 'Netflix', origin_country: 'DE' }],
  production_companies: [],
  seasons: Object.entries(one.seasons).map(([number, titles]) => ({
    ...{ season_number: Number(number), episode_count: titles.length },
    ...seasonTexts(one, Number(number), language),
  })),
  status: 'Returning Series',
  tagline: '',
  content_ratings: { results: [{ descriptors: [], iso_3166_1: 'US', rating: 'TV-MA' }] },
  external_ids: { imdb_id: one.imdb ?? null, tvdb_id: one.tvdb ?? null },
  keywords: { results: [{ id: 1, name: 'time travel' }] },
  alternative_titles: { results: [] },
  translations: { translations: [] },
  videos: { results: [] },
  images: { posters: [], backdrops: [], logos: [] },
  ...one.more,
});

const weekMs = 7 * 24 * 3_600_000;

const counts: Readonly<Record<string, readonly [string, string]>> = {
  en: ['Season', 'Episode'],
  de: ['Staffel', 'Folge'],
  fr: ['Saison', 'Épisode'],
};

function seasonTexts({ seasonNames, pictures }: FakeSeries, number: number, language: string) {
  const own = seasonNames?.[language]?.[number];
  const [word] = counts[language] ?? counts['en']!;
  const spoken = language === 'de' ? 'de' : 'en';
  return {
    ...{ name: own ?? `${word} ${number}`, overview: own === undefined ? '' : `${own}!` },
    poster_path: pictures === undefined ? null : `/${pictures}-${number}-${spoken}.jpg`,
  };
}

function tvSeason(one: FakeSeries, number: number, language: string) {
  const { seasons, spoken, pictures, date = '2000-01-01' } = one;
  const titles = seasons[number];
  const theirs = language === 'en' ? titles : (spoken?.[language]?.[number] ?? []);
  const [, word] = counts[language] ?? counts['en']!;
  return (
    titles && {
      season_number: number,
      ...seasonTexts(one, number, language),
      episodes: titles.map((name, index) => {
        const own = spoken === undefined ? name : theirs?.[index];
        return {
          ...{ episode_number: index + 1, season_number: number, runtime: 50 },
          still_path:
            pictures === undefined ? null : `/still/${pictures}-${number}x${index + 1}.jpg`,
          name: own ?? `${word} ${index + 1}`,
          overview: own === undefined ? '' : `What happens in ${own}.`,
          air_date: new Date(Date.parse(date) + index * weekMs).toISOString().slice(0, 10),
        };
      }),
    }
  );
}

const detail = (film: FakeFilm) => ({
  ...hit(film),
  belongs_to_collection: null,
  budget: 0,
  genres: [
    { id: 18, name: 'Drama' },
    { id: 80, name: 'Crime' },
  ],
  imdb_id: film.imdb ?? null,
  production_companies: [{ id: 1, logo_path: null, name: 'Regency', origin_country: 'US' }],
  runtime: film.minutes ?? 0,
  status: 'Released',
  tagline: '',
  credits: {
    cast: [
      { id: 2, name: 'Robert De Niro', character: 'Neil McCauley', order: 1, profile_path: null },
      {
        id: 1,
        name: 'Al Pacino',
        character: 'Lt. Vincent Hanna',
        order: 0,
        profile_path: '/a.jpg',
      },
    ],
    crew: [{ id: 3, name: 'Michael Mann', job: 'Director', department: 'Directing' }],
  },
  external_ids: { imdb_id: film.imdb ?? null, wikidata_id: null, facebook_id: null },
  keywords: { keywords: [{ id: 4, name: 'heist' }] },
  release_dates: {
    results: [
      {
        iso_3166_1: 'US',
        release_dates: [
          { certification: '', type: 1, release_date: '1995-12-06T00:00:00.000Z' },
          { certification: 'R', type: 3, release_date: '1995-12-15T00:00:00.000Z' },
        ],
      },
      { iso_3166_1: 'DE', release_dates: [{ certification: '16', type: 3 }] },
    ],
  },
  videos: {
    results: [
      { key: 'teaser', name: 'Teaser', site: 'YouTube', type: 'Teaser', official: true },
      { key: 'trailer', name: 'Trailer', site: 'YouTube', type: 'Trailer', iso_639_1: 'en' },
      { key: 'clip', name: 'Clip', site: 'YouTube', type: 'Clip' },
    ],
  },
  images: {
    posters: [
      { file_path: '/other.jpg', iso_639_1: 'fr', vote_average: 9, vote_count: 1, width: 1000 },
      { file_path: `/poster-${film.id}.jpg`, iso_639_1: 'en', vote_average: 5, width: 1000 },
    ],
    backdrops: [{ file_path: `/backdrop-${film.id}.jpg`, iso_639_1: null, width: 1920 }],
    logos: [{ file_path: '/logo.svg', iso_639_1: 'en', width: 500 }],
  },
  alternative_titles: {
    titles: (film.otherTitles ?? []).map((title) => ({ iso_3166_1: 'DE', title, type: '' })),
  },
  translations: {
    translations: [
      { iso_639_1: 'en', data: { title: '', overview: 'In English.', tagline: 'A crime saga' } },
    ],
  },
  ...film.more,
});
