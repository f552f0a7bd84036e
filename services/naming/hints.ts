import type { ProviderIds } from './ids.ts';

/** What a person says of the folder a hint file lies in. */
export interface Hints {
  readonly title: string | undefined;
  readonly year: number | undefined;
  readonly season: number | undefined;
  readonly ids: ProviderIds;
  /** What files are, by their names in small letters. */
  readonly files: ReadonlyMap<
    string,
    { readonly season: number | undefined; readonly episodes: readonly number[] }
  >;
}

/** Names of hint files. */
export const hintFile = '.plexmatch';

const longest = 64 * 1024;
const sources: ReadonlySet<string> = new Set(['imdb', 'tmdb', 'tvdb']);

type Source = 'imdb' | 'tmdb' | 'tvdb';

const isSource = (word: string): word is Source => sources.has(word);

const isId = (source: string, value: string): boolean =>
  source === 'imdb' ? /^tt\d{7,9}$/.test(value) : /^\d{1,9}$/.test(value);

/** `S02E03`, `3`, `3-4`: what a line for a file says of it. */
function episodesOf(text: string, season: number | undefined) {
  const match = /^(?:s(\d{1,4}))?\s*(?:ep?)?(\d{1,5})(?:\s*-\s*(?:ep?)?(\d{1,5}))?$/i.exec(text);
  if (match === null) return undefined;
  const first = Number(match[2]);
  const last = Math.min(Number(match[3] ?? first), first + 400);
  const count = Math.max(last - first, 0) + 1;
  return {
    season: match[1] === undefined ? season : Number(match[1]),
    episodes: Array.from({ length: count }, (_, index) => first + index),
  };
}

interface Reading {
  title: string | undefined;
  year: number | undefined;
  season: number | undefined;
  readonly ids: Partial<Record<Source, string>>;
  readonly files: Map<string, { season: number | undefined; episodes: readonly number[] }>;
}

function takeFile(into: Reading, value: string, isSpecial: boolean): void {
  const colon = value.indexOf(':');
  const numbers = value.slice(0, Math.max(colon, 0)).trim();
  const file = value.slice(colon + 1).trim();
  const said = episodesOf(numbers, isSpecial ? 0 : into.season);
  const name = file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1);
  if (said !== undefined && name !== '') into.files.set(name.toLowerCase(), said);
}

function takeId(into: Reading, source: string, value: string): void {
  if (isSource(source) && isId(source, value)) into.ids[source] ??= value;
}

function takeGuid(into: Reading, value: string): void {
  const [, source = '', id = ''] = /^(\w+):\/\/([\w-]+)/.exec(value) ?? [];
  takeId(into, source.toLowerCase(), id);
}

const takeTitle = (into: Reading, value: string): void => {
  into.title ??= value;
};

const whole = (value: string): number | undefined =>
  /^\d{1,4}$/.test(value) ? Number(value) : undefined;

/** What each key says; ids are known with and without `id`. */
const keys: Readonly<Record<string, (into: Reading, value: string) => void>> = {
  title: takeTitle,
  show: takeTitle,
  year: (into, value) => {
    into.year ??= whole(value);
  },
  season: (into, value) => {
    into.season = whole(value) ?? into.season;
  },
  ep: (into, value) => takeFile(into, value, false),
  episode: (into, value) => takeFile(into, value, false),
  sp: (into, value) => takeFile(into, value, true),
  special: (into, value) => takeFile(into, value, true),
  guid: takeGuid,
};

function takeLine(into: Reading, key: string, value: string): void {
  const take = Object.hasOwn(keys, key) ? keys[key] : undefined;
  if (take === undefined) takeId(into, key.replace(/id$/, ''), value);
  else take(into, value);
}

/**
 * Reads a `.plexmatch` file (https://support.plex.tv/articles/plexmatch/): `key: value` lines, of
 * the same key the first; lines it does not know are passed over. Never throws.
 */
export function parseHints(text: string): Hints {
  const into: Reading = {
    title: undefined,
    year: undefined,
    season: undefined,
    ids: {},
    files: new Map(),
  };
  for (const line of text.slice(0, longest).split(/\r?\n/)) {
    const match = /^\s*([a-z]+)\s*:\s*(\S.*)$/i.exec(line);
    if (match?.[1] !== undefined && match[2] !== undefined) {
      takeLine(into, match[1].toLowerCase(), match[2].trim());
    }
  }
  return into;
}
