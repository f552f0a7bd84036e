import data from './data/extensions.json' with { type: 'json' };

const set = (words: string): ReadonlySet<string> => new Set(words.split(' '));

export const videoExtensions = set(data.video);
export const audioExtensions = set(data.audio);
export const subtitleExtensions = set(data.subtitle);
export const imageExtensions = set(data.image);
/** Extensions of files that stand for a disc on a shelf. */
const others = set(data.other);

const media: readonly ReadonlySet<string>[] = [
  videoExtensions,
  audioExtensions,
  subtitleExtensions,
  imageExtensions,
  others,
];

/** Whether what follows a name's last dot is an extension, and no part of the name. */
export const isMediaExtension = (extension: string): boolean =>
  media.some((extensions) => extensions.has(extension));

/** A file's name in two: the extension in lower case without its dot, and what stands before it. */
export function splitName(name: string): { stem: string; extension: string } {
  const dot = name.lastIndexOf('.');
  if (dot <= 0) return { stem: name, extension: '' };
  return { stem: name.slice(0, dot), extension: name.slice(dot + 1).toLowerCase() };
}
