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
function titled<Body extends { readonly id: string; readonly title: string }>(
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

const list = <Item>(shape: Shape<Item>): Shape<{ readonly items: Item[] }> => ({
  works: ({ items }) => items.flatMap((item) => shape.works(item)),
  put: (body, find) => ({ ...body, items: body.items.map((item) => shape.put(item, find)) }),
});

const episode = ofSeries<Schemas['EpisodeCard']>();

/** What somebody has on a list, of any kind; an episode is titled by its series. */
const listed: Shape<Schemas['UserItem']> = {
  works: ({ kind, id, episode: place }) => [
    ...(kind === 'movie' || kind === 'series' ? [{ kind, id }] : []),
    ...(place === undefined ? [] : [{ kind: 'series' as const, id: place.seriesId }]),
  ],
  put(item, find) {
    const { kind, episode: place } = item;
    if (kind === 'movie' || kind === 'series') return titled<typeof item>(kind).put(item, find);
    if (place === undefined) return item;
    const put = ofSeries<typeof place>().put(place, find);
    const title = item.title.startsWith(place.seriesTitle)
      ? `${put.seriesTitle}${item.title.slice(place.seriesTitle.length)}`
      : item.title;
    return { ...item, title, episode: put };
  },
};

const hit: Shape<Schemas['SearchItem']> = {
  works: ({ kind, id }) => (kind === 'movie' || kind === 'series' ? [{ kind, id }] : []),
  put: (item, find) =>
    item.kind === 'movie' || item.kind === 'series'
      ? titled<typeof item>(item.kind).put(item, find)
      : item,
};

const film = whole<Schemas['Movie']>('movie');

const seriesTexts = whole<Schemas['Series']>('series');
const series: Shape<Schemas['Series']> = {
  works: (body) => seriesTexts.works(body),
  put(body, find) {
    const { upNext } = body;
    const put = seriesTexts.put(body, find);
    return upNext === null ? put : { ...put, upNext: episode.put(upNext, find) };
  },
};

const episodePage: Shape<Schemas['Episode']> = {
  works: ({ seriesId }) => [{ kind: 'series', id: seriesId }],
  put(body, find) {
    const { previous, next } = body;
    return {
      ...ofSeries<Schemas['Episode']>().put(body, find),
      previous: previous && episode.put(previous, find),
      next: next && episode.put(next, find),
    };
  },
};

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
  ...{ search: hits, suggest: hits, listCalendar: list(ofSeries<Schemas['CalendarEpisode']>()) },
} as const;
