import { extraBySuffix } from '../../naming/places.ts';
import { readSubtitleTail } from '../../naming/subtitles.ts';
import type { SeriesFile } from './units.ts';

/** Which video a file beside others belongs to, and what its name says. */
export interface SideFile {
  readonly file: SeriesFile;
  readonly video: SeriesFile | undefined;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Gives subtitles, extras and the like to the videos they are named like. Pure. */
export function attachSides(
  videos: readonly SeriesFile[],
  sides: readonly SeriesFile[],
): SideFile[] {
  const byName = new Map(videos.map((video) => [nameKey(video.directory, video.stem), video]));
  const byFolder = Map.groupBy(videos, ({ directory }) => directory);
  return sides.map((file) => {
    const found = ownerOf(file, byName);
    const alone = byFolder.get(file.place.isSubtitles ? file.place.owner : file.directory) ?? [];
    const video =
      found?.video ?? (alone.length === 1 && file.role !== 'image' ? alone[0] : undefined);
    return { file, video, facts: factsOf(file, video, found?.tail ?? file.stem) };
  });
}

const nameKey = (directory: string, stem: string): string => `${directory}/${stem.toLowerCase()}`;

/** The video with the longest name that the file's own (or its folder's) begins with. */
function ownerOf(
  file: SeriesFile,
  byName: ReadonlyMap<string, SeriesFile>,
): { video: SeriesFile; tail: string } | undefined {
  const { owner, isSubtitles, extra } = file.place;
  const above = isSubtitles || extra !== undefined ? [owner] : [];
  for (const directory of [file.directory, ...above]) {
    for (let end = file.stem.length; end > 0; end--) {
      if (/^[\p{L}\p{N}]/u.test(file.stem.slice(end, end + 2))) continue;
      const video = byName.get(nameKey(directory, file.stem.slice(0, end)));
      if (video !== undefined) return { video, tail: file.stem.slice(end) };
    }
  }
  const folder = file.directory.slice(file.directory.lastIndexOf('/') + 1);
  const video = isSubtitles ? byName.get(nameKey(owner, folder)) : undefined;
  return video && { video, tail: file.stem };
}

function factsOf(
  file: SeriesFile,
  video: SeriesFile | undefined,
  tail: string,
): Record<string, unknown> {
  const forFile = video === undefined ? {} : { forFileId: video.id };
  switch (file.role) {
    case 'subtitle':
    case 'audio':
      return defined({ ...readSubtitleTail(tail), ...forFile });
    case 'extra':
      return { extraType: extraType(file), ...forFile };
    case 'video':
    case 'image':
    case 'nfo':
    case 'other':
      return {};
  }
}

function extraType(file: SeriesFile): string {
  if (/\.(?:aac|ac3|flac|m4a|mp3|og[ag]|opus|wav|wma)$/i.test(file.name)) return 'themeSong';
  return file.place.extra ?? extraBySuffix(file.stem)?.type ?? 'extra';
}

const defined = (facts: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
