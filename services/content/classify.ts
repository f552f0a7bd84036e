import {
  audioExtensions,
  imageExtensions,
  splitName,
  subtitleExtensions,
  videoExtensions,
} from '../naming/extensions.ts';
import { isRubbishFile, isRubbishFolder } from '../naming/ignore.ts';
import { extraTypeOf, readPlace } from '../naming/places.ts';
import { isHintFile } from './hints.ts';
import type { FileRole } from './module.ts';

/** A clip that calls itself a sample is one only while it is small. */
const sampleMaxBytes = 300 * 1024 * 1024;

/** What a file is to a library of films or series, by place and name; undefined: not recorded. Pure. */
export function classify(file: {
  directory: string;
  name: string;
  sizeBytes: number;
}): FileRole | undefined {
  const { directory, name, sizeBytes } = file;
  if (isHintFile({ name })) return 'nfo';
  if (isRubbishFile(name)) return undefined;
  const { stem, extension } = splitName(name);
  if (extension === 'nfo') return 'nfo';
  if (imageExtensions.has(extension)) return 'image';
  if (subtitleExtensions.has(extension)) return 'subtitle';
  const isVideo = videoExtensions.has(extension);
  if (!isVideo && !audioExtensions.has(extension)) return undefined;
  const extra = extraTypeOf({ directory, stem, isVideo });
  if (extra === 'sample') return sizeBytes < sampleMaxBytes ? undefined : 'video';
  if (extra !== undefined) return 'extra';
  if (!isVideo) return 'audio';
  return isMenu(directory, stem) ? undefined : 'video';
}

/** The menus of a DVD are no part of the film. */
const isMenu = (directory: string, stem: string): boolean =>
  readPlace(directory).disc === 'video_ts' && /^(?:video_ts|vts_\d\d_0)$/i.test(stem);

/** Whether a directory is left out with all below it. Pure. */
export const ignores = ({ name }: { path: string; name: string }): boolean =>
  isRubbishFolder(name) ||
  /^(?:clipinf|playlist|auxdata|backup|jar|meta|bdjo|audio_ts)$/i.test(name);
