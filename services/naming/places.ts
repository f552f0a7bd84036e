import data from './data/places.json' with { type: 'json' };
import { audioExtensions, splitName } from './extensions.ts';

/** What the place of a file inside a library says: extras, discs, subtitles, rubbish. Pure. */

export type ExtraType =
  | 'trailer'
  | 'sample'
  | 'scene'
  | 'clip'
  | 'interview'
  | 'behindTheScenes'
  | 'deletedScene'
  | 'featurette'
  | 'short'
  | 'themeSong'
  | 'themeVideo'
  | 'extra';

const extraFolders: ReadonlyMap<string, ExtraType> = new Map(
  Object.entries(data.extraFolders).flatMap(([type, names]) =>
    names.split(' ').map((name) => [name.replaceAll('_', ' '), type as ExtraType] as const),
  ),
);

const set = (names: string): ReadonlySet<string> => new Set(names.split(' '));

/** Right below a root there is no film these could belong to, and people name shelves so. */
const shelves = set(data.shelves);
const subtitleFolders = set(data.subtitleFolders);
const discFolder = /^(.*?)[\s._([-]*(?:cd|dvd|disc|disk)[\s._-]*(\d{1,2})[)\]]?$/i;

/** Whose directory this is: the film's own folder, and what its sub-folder is for. */
export interface Place {
  /** The folder the film is named by, relative to the root; need not exist ('X (Disc 1)' → 'X'). */
  readonly owner: string;
  readonly extra: ExtraType | undefined;
  readonly isSubtitles: boolean;
  /** `bdmv` and `video_ts` are the two structures of discs. */
  readonly disc: 'bdmv' | 'video_ts' | undefined;
  /** The number of 'CD2' or 'Title (Disc 2)'. */
  readonly part: number | undefined;
}

/** Reads a directory's path, relative to the root; '' is the root. */
export function readPlace(directory: string): Place {
  const segments = directory === '' ? [] : directory.split('/');
  const place = { extra: undefined, isSubtitles: false, disc: undefined, part: undefined };
  for (const [index, segment] of segments.entries()) {
    const lower = segment.toLowerCase();
    const owner = () => parted(segments.slice(0, index).join('/'));
    if (lower === 'bdmv' || lower === 'video_ts') return { ...place, ...owner(), disc: lower };
    const extra = extraFolders.get(lower);
    if (extra !== undefined && !(index === 0 && shelves.has(lower))) {
      return { ...place, ...owner(), extra };
    }
    if (index > 0 && subtitleFolders.has(lower)) {
      return { ...place, ...owner(), isSubtitles: true };
    }
  }
  return { ...place, ...parted(directory) };
}

/** `X/CD2` and `X (Disc 2)` belong to `X`. */
function parted(directory: string): { owner: string; part: number | undefined } {
  const slash = directory.lastIndexOf('/');
  const match = discFolder.exec(directory.slice(slash + 1));
  if (match === null) return { owner: directory, part: undefined };
  const parent = directory.slice(0, Math.max(slash, 0));
  const base = (match[1] ?? '').trim();
  if (base === '' && parent === '') return { owner: directory, part: undefined };
  const owner = base === '' ? parent : slash < 0 ? base : `${parent}/${base}`;
  return { owner, part: Number(match[2]) };
}

const suffixes: readonly (readonly [RegExp, ExtraType])[] = [
  [/(?:^|[-._]|\s-\s?)trailer\d{0,2}$/i, 'trailer'],
  [/(?:^|[-._]|\s-\s?)sample\d{0,2}$/i, 'sample'],
  [/-(?:deleted|deletedscene)\d{0,2}$/i, 'deletedScene'],
  [/-scene\d{0,2}$/i, 'scene'],
  [/-clip\d{0,2}$/i, 'clip'],
  [/-interview\d{0,2}$/i, 'interview'],
  [/-behindthescenes\d{0,2}$/i, 'behindTheScenes'],
  [/-featurette\d{0,2}$/i, 'featurette'],
  [/-short\d{0,2}$/i, 'short'],
  [/-(?:extra|other)\d{0,2}$/i, 'extra'],
];

/** The kind of extra a video's name says it is, and the name without that; undefined: none. */
export function extraBySuffix(stem: string): { type: ExtraType; base: string } | undefined {
  for (const [pattern, type] of suffixes) {
    const match = pattern.exec(stem);
    if (match !== null) return { type, base: stem.slice(0, match.index).replace(/[\s._-]+$/, '') };
  }
  return undefined;
}

/** What kind of extra a file is by folder or name; undefined: it is none. */
export function extraTypeOf(file: {
  directory: string;
  stem: string;
  isVideo: boolean;
}): ExtraType | undefined {
  const { extra } = readPlace(file.directory);
  if (!file.isVideo) {
    return extra === 'themeSong' || file.stem.toLowerCase() === 'theme' ? 'themeSong' : undefined;
  }
  if (extra !== undefined) return extra === 'themeSong' ? undefined : extra;
  return extraBySuffix(file.stem)?.type;
}

/** The type of a file that is known to be an extra. */
export function typeOfExtra({ directory, name }: { directory: string; name: string }): ExtraType {
  const { stem, extension } = splitName(name);
  return extraTypeOf({ directory, stem, isVideo: !audioExtensions.has(extension) }) ?? 'extra';
}
