/** Hint files (`.plexmatch`) as every kind uses them while it identifies. */
import { hintFile, parseHints, type Hints } from '../naming/hints.ts';
import type { ProviderIds } from '../naming/ids.ts';
import { decodeText } from '../nfo/values.ts';
import type { PlacedFile } from './placed.ts';

/** A hint file that says something. */
export interface Hinted {
  readonly file: PlacedFile;
  readonly hints: Hints;
}

/** Whether a file is one in which people say what its folder holds. */
export const isHintFile = ({ name }: { readonly name: string }): boolean =>
  name.toLowerCase() === hintFile;

/** The hint file that lies in a directory itself; undefined: none does, or it could not be read. */
export function hintsIn(
  directory: string,
  files: readonly PlacedFile[],
  bytesOf: (file: PlacedFile) => Uint8Array | undefined,
): Hinted | undefined {
  const file = files.find((one) => one.directory === directory && isHintFile(one));
  const bytes = file && bytesOf(file);
  if (file === undefined || bytes === undefined) return undefined;
  return { file, hints: parseHints(decodeText(bytes)) };
}

/** Whether hints say what the work is, and not only what its files are. */
export const saysWork = ({ title, year, ids }: Hints): boolean =>
  title !== undefined || year !== undefined || Object.keys(ids).length > 0;

interface Told {
  readonly title: string | undefined;
  readonly year: number | undefined;
  readonly ids: ProviderIds;
}

/** What is told of a work, after a person's hints, which count before it. */
export const withHints = <T extends Told>(told: T, { title, year, ids }: Hints): T => ({
  ...told,
  title: title ?? told.title,
  year: year ?? told.year,
  ids: { ...told.ids, ...ids },
});
