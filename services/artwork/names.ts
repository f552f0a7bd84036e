/** What a picture is for. */
export type ImageType = 'poster' | 'backdrop' | 'logo' | 'thumb' | 'banner' | 'disc';

/** A picture recognised by its name; the lowest rank is shown first. */
export interface NamedImage {
  readonly type: ImageType;
  readonly rank: number;
}

// In order of preference within a type. Names as Kodi, Jellyfin, Emby and Plex use them.
const words: Readonly<Record<ImageType, readonly string[]>> = {
  poster: ['poster', 'folder', 'cover', 'movie', 'default', 'jacket'],
  backdrop: ['fanart', 'backdrop', 'background', 'art'],
  logo: ['clearlogo', 'logo'],
  thumb: ['thumb', 'landscape'],
  banner: ['banner'],
  disc: ['disc', 'discart', 'cdart'],
};

const byWord = new Map(
  Object.entries(words).flatMap(([type, list]) =>
    list.map((word, rank) => [word, { type: type as ImageType, rank }] as const),
  ),
);

const suffix = new RegExp(`^(?:(.*?)[-._ ])?(${[...byWord.keys()].join('|')})[-._ ]?(\\d{0,2})$`);
const folders: ReadonlySet<string> = new Set(['extrafanart', 'backdrops']);
const numberRank = 100;
const generalRank = 10;

/**
 * What a picture beside a film is, by its path and the names (without extension) of the film's
 * videos; undefined: nothing that is shown. Pure.
 */
export function readImageName(path: string, stems: readonly string[]): NamedImage | undefined {
  const [name = '', folder = ''] = path.toLowerCase().split('/').reverse();
  const stem = name.replace(/\.[^.]*$/, '');
  const own = stems.map((text) => text.toLowerCase());
  if (folders.has(folder)) return { type: 'backdrop', rank: 2 * numberRank };
  if (own.includes(stem)) return { type: 'poster', rank: generalRank - 1 };
  const [, before, word = '', number = ''] = suffix.exec(stem) ?? [];
  const known = byWord.get(word);
  if (known === undefined) return undefined;
  // "season01-poster" is nobody's poster here; "Heat (1995)-poster" is Heat's, and more surely so.
  if (before !== undefined && !own.includes(before)) return undefined;
  const general = before === undefined ? generalRank : 0;
  return { type: known.type, rank: known.rank + general + Number(number || 0) * numberRank };
}

/** What a picture inside a container is for, by its name there and its shape. Pure. */
export function readAttachedName(
  fileName: string | undefined,
  { width, height }: { width: number; height: number },
): ImageType {
  const stem = (fileName ?? '').toLowerCase().replace(/\.[^.]*$/, '');
  // Matroska's own rule: cover and small_cover stand, cover_land and small_cover_land lie.
  if (/^(?:small_)?cover_land$/.test(stem)) return 'thumb';
  const named = byWord.get(stem);
  if (named !== undefined && named.type !== 'poster') return named.type;
  return width > height * 1.2 ? 'thumb' : 'poster';
}
