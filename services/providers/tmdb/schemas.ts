/**
 * Answers of TMDb's API, version 3, as far as they are used
 * (https://developer.themoviedb.org/reference). Anything may be null, whatever the vendor's own
 * description says; an empty text is none.
 */
import * as z from 'zod';

const text = z.string().nullish();
const number = z.number().nullish();
const id = z.union([z.int(), z.string().regex(/^\d+$/)]);
const list = <Item extends z.ZodType>(item: Item) => z.array(item).nullish();
const named = z.object({ name: z.string() });

export const configuration = z.object({
  images: z.object({
    secure_base_url: text,
    poster_sizes: list(z.string()),
    backdrop_sizes: list(z.string()),
    logo_sizes: list(z.string()),
    still_sizes: list(z.string()),
  }),
});
export type Configuration = z.output<typeof configuration>;

export const filmHit = z.object({
  id,
  title: z.string(),
  original_title: text,
  overview: text,
  release_date: text,
  poster_path: text,
  vote_count: number,
});
export type FilmHit = z.output<typeof filmHit>;

export const filmSearch = z.object({ results: z.array(filmHit) });

export const seriesHit = z.object({
  id,
  name: z.string(),
  original_name: text,
  overview: text,
  first_air_date: text,
  origin_country: list(z.string()),
  poster_path: text,
  vote_count: number,
});
export type SeriesHit = z.output<typeof seriesHit>;

export const seriesSearch = z.object({ results: z.array(seriesHit) });

export const findings = z.object({
  movie_results: list(z.object({ id })),
  tv_results: list(z.object({ id })),
});

const picture = z.object({
  file_path: z.string(),
  iso_639_1: text,
  vote_average: number,
  vote_count: number,
  width: number,
});
export type Picture = z.output<typeof picture>;

export const pictures = z.object({
  posters: list(picture),
  backdrops: list(picture),
  logos: list(picture),
});
export type Pictures = z.output<typeof pictures>;

const video = z.object({
  key: z.string(),
  name: text,
  site: z.string(),
  type: text,
  official: z.boolean().nullish(),
  iso_639_1: text,
});
export type Video = z.output<typeof video>;

/** What films and series have alike. */
export const common = {
  id,
  overview: text,
  tagline: text,
  status: text,
  original_language: text,
  poster_path: text,
  backdrop_path: text,
  genres: list(named),
  production_companies: list(named),
  vote_average: number,
  vote_count: number,
  external_ids: z.object({ imdb_id: text, tvdb_id: id.nullish() }).nullish(),
  videos: z.object({ results: list(video) }).nullish(),
  images: pictures.nullish(),
};

export const film = z.object({
  ...common,
  title: z.string(),
  original_title: text,
  release_date: text,
  runtime: number,
  imdb_id: text,
  belongs_to_collection: z.object({ id, name: z.string() }).nullish(),
  credits: z
    .object({
      cast: list(z.object({ name: z.string(), character: text, order: number })),
      crew: list(z.object({ name: z.string(), job: text, department: text })),
    })
    .nullish(),
  keywords: z.object({ keywords: list(named) }).nullish(),
  release_dates: z
    .object({
      results: list(
        z.object({
          iso_3166_1: z.string(),
          release_dates: list(z.object({ certification: text, type: number })),
        }),
      ),
    })
    .nullish(),
  alternative_titles: z.object({ titles: list(z.object({ title: z.string() })) }).nullish(),
  translations: z
    .object({
      translations: list(
        z.object({
          iso_639_1: text,
          iso_3166_1: text,
          data: z.object({ title: text, overview: text, tagline: text }).nullish(),
        }),
      ),
    })
    .nullish(),
});
export type Film = z.output<typeof film>;

/** Somebody over all episodes of a series: the parts that were played, the jobs that were done. */
const playing = z.object({
  name: z.string(),
  order: number,
  roles: list(z.object({ character: text, episode_count: number })),
});
export type Playing = z.output<typeof playing>;

const making = z.object({
  name: z.string(),
  jobs: list(z.object({ job: text, episode_count: number })),
});
export type Making = z.output<typeof making>;

export const series = z.object({
  ...common,
  name: z.string(),
  original_name: text,
  first_air_date: text,
  origin_country: list(z.string()),
  networks: list(named),
  created_by: list(named),
  number_of_episodes: number,
  aggregate_credits: z.object({ cast: list(playing), crew: list(making) }).nullish(),
  seasons: list(
    z.object({
      season_number: z.int(),
      episode_count: number,
      name: text,
      overview: text,
      poster_path: text,
    }),
  ),
  content_ratings: z
    .object({ results: list(z.object({ iso_3166_1: z.string(), rating: text })) })
    .nullish(),
  keywords: z.object({ results: list(named) }).nullish(),
  alternative_titles: z.object({ results: list(z.object({ title: z.string() })) }).nullish(),
  translations: z
    .object({
      translations: list(
        z.object({
          iso_639_1: text,
          iso_3166_1: text,
          data: z.object({ name: text, overview: text, tagline: text }).nullish(),
        }),
      ),
    })
    .nullish(),
});
export type Series = z.output<typeof series>;

export const season = z.object({
  season_number: z.int(),
  name: text,
  overview: text,
  poster_path: text,
  episodes: list(
    z.object({
      episode_number: z.int(),
      name: text,
      overview: text,
      air_date: text,
      runtime: number,
      still_path: text,
    }),
  ),
});
export type Season = z.output<typeof season>;

/** Seasons that were appended to a series, by the name they were asked for: `season/1`. */
export const appended = z.preprocess(
  (json) =>
    typeof json === 'object' && json !== null
      ? Object.fromEntries(Object.entries(json).filter(([name]) => /^season\/\d+$/.test(name)))
      : json,
  z.record(z.string(), season),
);

/** Groups of episodes that people have made of a series, each an order of a type. */
export const groupings = z.object({
  results: list(z.object({ id: z.string(), type: number, episode_count: number })),
});
export type Groupings = z.output<typeof groupings>;

export const grouping = z.object({
  groups: list(
    z.object({
      order: z.int(),
      name: text,
      episodes: list(z.object({ season_number: z.int(), episode_number: z.int(), order: z.int() })),
    }),
  ),
});
export type Grouping = z.output<typeof grouping>;
