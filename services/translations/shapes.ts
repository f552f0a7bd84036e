/** Where answers hold texts of works, and how they look with others in their place. Pure. */
import type { components } from '#api/types.ts';
import { fields, type Texts } from './choose.ts';
import type { TranslatedKind } from './store.ts';

type Schemas = components['schemas'];

/** A work that an answer shows. */
export interface Shown {
  readonly kind: TranslatedKind;
  readonly id: string;
}

/** The texts to show of a work; undefined: its own. */
export type Find = (work: Shown) => Texts | undefined;

/** What an answer of one form shows, and the same with texts put in their place. */
export interface Shape<Body> {
  works(body: Body): readonly Shown[];
  put(body: Body, find: Find): Body;
}

/** What is shown of one work: a title, and in its place another. */
function titled<Body extends { readonly id: string; readonly title: string | null }>(
  kind: TranslatedKind,
): Shape<Body> {
  return {
    works: ({ id }) => [{ kind, id }],
    put(body, find) {
      const title = find({ kind, id: body.id })?.title;
      return title === undefined ? body : { ...body, title: title.text };
    },
  };
}

/** A work's page: all its texts, and which of them are in another language. */
function whole<Body extends { readonly id: string }>(kind: TranslatedKind): Shape<Body> {
  return {
    works: ({ id }) => [{ kind, id }],
    put(body, find) {
      const texts = find({ kind, id: body.id });
      if (texts === undefined) return body;
      const shown = fields.flatMap((name) => {
        const text = texts[name];
        return text === undefined || !(name in body) ? [] : [{ name, ...text }];
      });
      if (shown.length === 0) return body;
      return {
        ...body,
        ...Object.fromEntries(shown.map(({ name, text }) => [name, text])),
        translated: Object.fromEntries(shown.map(({ name, language }) => [name, language])),
      };
    },
  };
}

type OfSeries = { readonly seriesId: string; readonly seriesTitle: string };

const ofSeries = <Body extends OfSeries>(): Shape<Body> => ({
  works: ({ seriesId }) => [{ kind: 'series', id: seriesId }],
  put(body, find) {
    const title = find({ kind: 'series', id: body.seriesId })?.title;
    return title === undefined ? body : { ...body, seriesTitle: title.text };
  },
});

/** Both, one after the other. */
const both = <Body>(one: Shape<Body>, other: Shape<Body>): Shape<Body> => ({
  works: (body) => [...one.works(body), ...other.works(body)],
  put: (body, find) => other.put(one.put(body, find), find),
});

const list = <Item>(shape: Shape<Item>): Shape<{ readonly items: Item[] }> => ({
  works: ({ items }) => items.flatMap((item) => shape.works(item)),
  put: (body, find) => ({ ...body, items: body.items.map((item) => shape.put(item, find)) }),
});

const episode = both(ofSeries<Schemas['EpisodeCard']>(), titled('episode'));

/** What somebody has on a list, of any kind; an episode is titled by its series and itself. */
const listed: Shape<Schemas['UserItem']> = {
  works: ({ kind, id, episode: place }) => [
    ...(isTitled(kind) ? [{ kind, id }] : []),
    ...(place === undefined ? [] : [{ kind: 'series' as const, id: place.seriesId }]),
  ],
  put(item, find) {
    const { kind, id, episode: place } = item;
    if (place === undefined) {
      return isTitled(kind) ? titled<typeof item>(kind).put(item, find) : item;
    }
    const put = ofSeries<typeof place>().put(place, find);
    const title = find({ kind: 'episode', id })?.title?.text ?? place.title;
    return {
      ...item,
      title: retitled(item.title, [place, put, title]),
      episode: { ...put, title },
    };
  },
};

type Place = Pick<Schemas['EpisodePlace'], 'seriesTitle' | 'title'>;

/** `Series · S01E02 · Title`, with other titles in their places. */
function retitled(text: string, [was, is, title]: [Place, Place, string | null]): string {
  const own = was.title === null ? '' : ` · ${was.title}`;
  const counted = text.endsWith(own) ? text.slice(0, text.length - own.length) : undefined;
  const end = title === null ? '' : ` · ${title}`;
  const renamed = counted === undefined ? text : counted + end;
  return renamed.startsWith(was.seriesTitle)
    ? `${is.seriesTitle}${renamed.slice(was.seriesTitle.length)}`
    : renamed;
}

const titledKinds = ['movie', 'series', 'episode'] as const satisfies readonly TranslatedKind[];
const isTitled = (kind: string): kind is (typeof titledKinds)[number] =>
  titledKinds.some((one) => one === kind);

const hit: Shape<Schemas['SearchItem']> = {
  works: ({ kind, id }) => (isTitled(kind) ? [{ kind, id }] : []),
  put: (item, find) =>
    isTitled(item.kind) ? titled<typeof item>(item.kind).put(item, find) : item,
};

/** What somebody takes part in. */
const credited: Shape<Schemas['PersonWork']> = {
  works: ({ kind, id }) => [{ kind, id }],
  put: (item, find) => titled<typeof item>(item.kind).put(item, find),
};

const film = whole<Schemas['Movie']>('movie');

const seriesTexts = whole<Schemas['Series']>('series');
const season = whole<Schemas['Season']>('season');
const series: Shape<Schemas['Series']> = {
  works: (body) => [
    ...seriesTexts.works(body),
    ...body.seasons.flatMap((one) => season.works(one)),
    ...(body.upNext === null ? [] : episode.works(body.upNext)),
  ],
  put(body, find) {
    const { upNext, seasons } = body;
    const put = {
      ...seriesTexts.put(body, find),
      seasons: seasons.map((one) => season.put(one, find)),
    };
    return upNext === null ? put : { ...put, upNext: episode.put(upNext, find) };
  },
};

const episodeTexts = both(ofSeries<Schemas['Episode']>(), whole('episode'));
const episodePage: Shape<Schemas['Episode']> = {
  works: (body) => [
    ...episodeTexts.works(body),
    ...[body.previous, body.next].flatMap((one) => (one === null ? [] : episode.works(one))),
  ],
  put(body, find) {
    const { previous, next } = body;
    return {
      ...episodeTexts.put(body, find),
      previous: previous && episode.put(previous, find),
      next: next && episode.put(next, find),
    };
  },
};

/** An episode that a provider knows, held or not. */
const shown = both(ofSeries<Schemas['CalendarEpisode']>(), {
  works: (one) => [{ kind: 'known', id: knownId(one) }],
  put(one, find) {
    const { title, overview } = find({ kind: 'known', id: knownId(one) }) ?? {};
    return { ...one, title: title?.text ?? one.title, overview: overview?.text ?? one.overview };
  },
});

const knownId = ({ seriesId, season: within, number }: Schemas['CalendarEpisode']): string =>
  `${seriesId} ${within} ${number}`;

const films = list(titled<Schemas['MovieCard']>('movie'));
const seriesList = list(titled<Schemas['SeriesCard']>('series'));
const episodes = list(episode);
const mine = list(listed);
const hits = list(hit);

/** Operations whose answers are shown in the viewer's language, and their forms. */
export const shapes = {
  ...{ listMovies: films, getMovie: film, updateMovie: film, mergeMovies: film, splitMovie: film },
  ...{ listSeries: seriesList, getSeries: series, updateSeries: series },
  ...{ mergeSeries: series, splitSeries: series },
  ...{ listEpisodes: episodes, listNextUp: episodes },
  ...{ getEpisode: episodePage, updateEpisode: episodePage },
  ...{ listContinueWatching: mine, listFavourites: mine, listWatchlist: mine },
  ...{ listPersonWorks: list(credited), search: hits, suggest: hits, listCalendar: list(shown) },
  ...{ getSeason: season, updateSeason: season },
} as const;
