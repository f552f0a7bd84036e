/** Ids of a work at other places, as names and NFO files carry them. */
export interface ProviderIds {
  readonly imdb?: string;
  readonly tmdb?: string;
  readonly tvdb?: string;
  readonly tvmaze?: string;
  readonly anidb?: string;
  readonly anilist?: string;
  readonly anisearch?: string;
}

type Source = keyof ProviderIds;

/** The ids one by one. */
export const idEntries = (ids: ProviderIds): [source: string, value: string][] =>
  Object.entries(ids) as [string, string][];

const sources = 'imdb|tmdb|tvdb|tvmaze|anidb|anilist|anisearch';
const tag = new RegExp(
  ['\\[_\\]', '\\{_\\}', '\\(_\\)']
    .map((shape) =>
      shape.replace('_', `\\s*(${sources})(?:id)?\\s*[-=:]\\s*(tt\\d{6,9}|\\d{1,9})\\s*`),
    )
    .join('|'),
  'gi',
);
const anyTag = new RegExp(`[[({]\\s*(?:${sources})(?:id)?\\d?\\s*[-=:][^\\])}]*[\\])}]`, 'gi');
const bareImdb = /(?<![a-z0-9=-])(?:(?<=\s-)|)(tt\d{7,8})(?![a-z0-9])/i;

/**
 * The ids in a name (`[imdbid-tt0133093]`, `{tmdb=603}`, `(tvdb-1)`, a bare `tt0133093`), the first
 * of each source, and the name without them.
 */
export function takeIds(name: string): { text: string; ids: ProviderIds } {
  if (!/tt\d|(?:mdb|tvdb|tvmaze|anidb|anilist|anisearch)/i.test(name))
    return { text: name, ids: {} };
  const ids: Partial<Record<Source, string>> = {};
  for (const match of name.matchAll(tag)) {
    const [source, value] = match.slice(1).filter(Boolean);
    if (source === undefined || value === undefined) continue;
    const key = source.toLowerCase() as Source;
    if ((key === 'imdb') !== /^tt/i.test(value)) continue;
    ids[key] ??= value.toLowerCase();
  }
  const bare = bareImdb.exec(name)?.[1]?.toLowerCase();
  if (bare !== undefined) ids.imdb ??= bare;
  const text = name.replace(anyTag, ' ').replace(/[[({]?\b(tt\d{7,8})\b[\])}]?/gi, ' ');
  return { text: text.replace(/\s+/g, ' ').trim(), ids };
}

/** The work's ids in any text: links to IMDb, TheMovieDB and TheTVDB, as scene NFO files have them. */
export function idsInText(text: string, kind: 'movie' | 'series' = 'movie'): ProviderIds {
  const imdb = /tt\d{7,8}/.exec(text)?.[0];
  const place = kind === 'movie' ? 'movie' : 'tv';
  const tmdb = new RegExp(`themoviedb\\.org\\/${place}\\/(\\d{1,9})`).exec(text)?.[1];
  const tvdb = /thetvdb\.com\/(?:movies\/|series\/|\?tab=(?:movie|series)&id=)(\d{1,9})/.exec(
    text,
  )?.[1];
  return {
    ...(imdb === undefined ? {} : { imdb }),
    ...(tmdb === undefined ? {} : { tmdb }),
    ...(tvdb === undefined ? {} : { tvdb }),
  };
}
