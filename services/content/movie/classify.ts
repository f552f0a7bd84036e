import type { FileRole } from '../module.ts';
import { extraTypeOf, isRubbish, readPlace } from './places.ts';

const list = (text: string): ReadonlySet<string> => new Set(text.split(' '));

const videos = list(
  '3g2 3gp asf avi divx dv dvr-ms f4v flv iso m2ts m2v m4v mk3d mkv mov mp4 mpe mpeg mpg mts ogm ' +
    'ogv rec rm rmvb ts tp vob webm wmv wtv',
);
const audios = list('aac ac3 dts eac3 flac m4a mka mp3 oga ogg opus wav wma');
const subtitles = list('ass idx mks sami smi srt ssa sub sup ttml usf vtt');
const images = list('avif gif jpeg jpg png webp');

/** A clip that calls itself a sample is one only while it is small. */
const sampleMaxBytes = 300 * 1024 * 1024;

const junk = new Set(['small.jpg', 'albumart.jpg', 'albumartsmall.jpg', 'folder.db', 'thumbs.db']);

/** A file's name in two: the extension in lower case without its dot, and what stands before it. */
export function splitName(name: string): { stem: string; extension: string } {
  const dot = name.lastIndexOf('.');
  if (dot <= 0) return { stem: name, extension: '' };
  return { stem: name.slice(0, dot), extension: name.slice(dot + 1).toLowerCase() };
}

/** What a file is to a film library by place and name; undefined: not recorded. Pure. */
export function classify(file: {
  directory: string;
  name: string;
  sizeBytes: number;
}): FileRole | undefined {
  const { directory, name, sizeBytes } = file;
  if (name.startsWith('.') || junk.has(name.toLowerCase())) return undefined;
  const { stem, extension } = splitName(name);
  if (extension === 'nfo') return 'nfo';
  if (images.has(extension)) return 'image';
  if (subtitles.has(extension)) return 'subtitle';
  const isVideo = videos.has(extension);
  if (!isVideo && !audios.has(extension)) return undefined;
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
  isRubbish(name) || /^(?:clipinf|playlist|auxdata|backup|jar|meta|bdjo|audio_ts)$/i.test(name);
