/**
 * Answers of TheTVDB's API, version 4, as far as they are used (https://thetvdb.github.io/v4-api).
 * Anything may be null, whatever the vendor's own description says; an empty text is none.
 */
import * as z from 'zod';

const text = z.string().nullish();
const number = z.number().nullish();
const id = z.union([z.int(), z.string().regex(/^\d+$/)]);
const list = <Item extends z.ZodType>(item: Item) => z.array(item).nullish();
const named = z.object({ name: z.string() });
const answer = <Data extends z.ZodType>(data: Data) => z.object({ data });

export const hit = z.object({
  tvdb_id: id,
  name: z.string(),
  aliases: list(z.string()),
  translations: z.record(z.string(), text).nullish(),
  overview: text,
  overviews: z.record(z.string(), text).nullish(),
  year: text,
  country: text,
  image_url: text,
});
export type Hit = z.output<typeof hit>;

export const search = answer(z.array(hit));

export const findings = answer(
  z.array(z.object({ series: z.object({ id }).nullish(), movie: z.object({ id }).nullish() })),
);

const translation = z.object({
  language: text,
  name: text,
  overview: text,
  tagline: text,
  aliases: list(z.string()),
  isAlias: z.boolean().nullish(),
});

const artwork = z.object({
  type: z.number(),
  image: z.string(),
  language: text,
  score: number,
});
export type Artwork = z.output<typeof artwork>;

/** What series and films have alike. */
const common = {
  id,
  name: z.string(),
  year: text,
  image: text,
  originalLanguage: text,
  originalCountry: text,
  status: z.object({ name: text }).nullish(),
  aliases: list(named),
  genres: list(named),
  artworks: list(artwork),
  remoteIds: list(z.object({ id: z.string(), sourceName: text })),
  contentRatings: list(z.object({ name: z.string(), country: text })),
  trailers: list(z.object({ name: text, url: z.string(), language: text })),
  characters: list(
    z.object({ personName: text, name: text, peopleType: text, sort: number, episodeId: number }),
  ),
  translations: z
    .object({ nameTranslations: list(translation), overviewTranslations: list(translation) })
    .nullish(),
};

export const series = answer(
  z.object({
    ...common,
    overview: text,
    firstAired: text,
    averageRuntime: number,
    seasons: list(
      z.object({
        number: z.int(),
        type: z.object({ type: text }).nullish(),
        name: text,
        image: text,
      }),
    ),
    originalNetwork: named.nullish(),
    latestNetwork: named.nullish(),
  }),
);
export type Series = z.output<typeof series>['data'];

export const film = answer(
  z.object({
    ...common,
    runtime: number,
    first_release: z.object({ date: text }).nullish(),
    studios: list(named),
  }),
);
export type Film = z.output<typeof film>['data'];

export const episode = z.object({
  id,
  seasonNumber: z.int(),
  number: z.int(),
  absoluteNumber: number,
  name: text,
  overview: text,
  aired: text,
  runtime: number,
  image: text,
});
export type Episode = z.output<typeof episode>;

export const episodes = z.object({
  data: z.object({ episodes: list(episode) }),
  links: z.object({ next: text }).nullish(),
});
export type EpisodesAnswer = z.output<typeof episodes>;
