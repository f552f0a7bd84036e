/** Ids of a film at other places, as names and NFO files carry them. */
export interface ProviderIds {
  readonly imdb?: string;
  readonly tmdb?: string;
  readonly tvdb?: string;
}

const bracketed = (provider: string, value: string): RegExp =>
  new RegExp(
    ['\\[\\s*_\\s*\\]', '\\{\\s*_\\s*\\}', '\\(\\s*_\\s*\\)']
      .map((shape) => shape.replace('_', `${provider}(?:id)?\\s*[-=:]\\s*(${value})`))
      .join('|'),
    'i',
  );

const patterns = {
  imdb: [bracketed('imdb', 'tt\\d{7,9}'), /(?<![a-z0-9])(tt\d{7,8})(?![a-z0-9])/i],
  tmdb: [bracketed('tmdb', '\\d{1,9}')],
  tvdb: [bracketed('tvdb', '\\d{1,9}')],
} as const;

const anyTag = /[[({]\s*(?:imdb|tmdb|tvdb)(?:id)?\d?\s*[-=:][^\])}]*[\])}]/gi;

/**
 * The ids in a name (`[imdbid-tt0133093]`, `{tmdb=603}`, `(tvdb-1)`, a bare `tt0133093`), the first
 * of each source, and the name without them.
 */
export function takeIds(name: string): { text: string; ids: ProviderIds } {
  if (!/tt\d|mdb|tvdb/i.test(name)) return { text: name, ids: {} };
  const ids: { imdb?: string; tmdb?: string; tvdb?: string } = {};
  for (const source of ['imdb', 'tmdb', 'tvdb'] as const) {
    for (const pattern of patterns[source]) {
      const value = pattern.exec(name)?.slice(1).find(Boolean);
      if (value === undefined) continue;
      ids[source] ??= source === 'imdb' ? value.toLowerCase() : value;
    }
  }
  const text = name.replace(anyTag, ' ').replace(/[[({]?\b(tt\d{7,8})\b[\])}]?/gi, ' ');
  return { text: text.replace(/\s+/g, ' ').trim(), ids };
}

/** The film's ids in any text: links to IMDb and TheMovieDB, as scene NFO files have them. */
export function idsInText(text: string): ProviderIds {
  const imdb = /tt\d{7,8}/.exec(text)?.[0];
  const tmdb = /themoviedb\.org\/movie\/(\d{1,9})/.exec(text)?.[1];
  const tvdb = /thetvdb\.com\/(?:movies\/|\?tab=(?:movie|series)&id=)(\d{1,9})/.exec(text)?.[1];
  return {
    ...(imdb === undefined ? {} : { imdb }),
    ...(tmdb === undefined ? {} : { tmdb }),
    ...(tvdb === undefined ? {} : { tvdb }),
  };
}
