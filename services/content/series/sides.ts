import { typeOfExtra } from '../../naming/places.ts';
import { readSubtitleTail } from '../../naming/subtitles.ts';
import type { PlacedFile } from '../placed.ts';

/** Which video a file beside others belongs to, and what its name says. */
export interface SideFile {
  readonly file: PlacedFile;
  readonly video: PlacedFile | undefined;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Gives subtitles, extras and the like to the videos they are named like. Pure. */
export function attachSides(
  videos: readonly PlacedFile[],
  sides: readonly PlacedFile[],
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
  file: PlacedFile,
  byName: ReadonlyMap<string, PlacedFile>,
): { video: PlacedFile; tail: string } | undefined {
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
  file: PlacedFile,
  video: PlacedFile | undefined,
  tail: string,
): Record<string, unknown> {
  const forFile = video === undefined ? {} : { forFileId: video.id };
  switch (file.role) {
    case 'subtitle':
    case 'audio':
      return { ...readSubtitleTail(tail), ...forFile };
    case 'extra':
      return { extraType: typeOfExtra(file), ...forFile };
    case 'video':
    case 'image':
    case 'nfo':
    case 'other':
      return {};
  }
}
