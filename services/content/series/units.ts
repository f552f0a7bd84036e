import type { IdentifyBatch, StoredFile } from '../module.ts';
import { splitName } from '../../naming/extensions.ts';
import { workFolder } from '../../naming/path.ts';
import { readPlace, type Place } from '../../naming/places.ts';

/** A file with what its name and place say. */
export interface SeriesFile extends StoredFile {
  readonly rootId: string;
  readonly directory: string;
  readonly stem: string;
  readonly place: Place;
}

/** A file beside the batch, as the database knows it. */
export interface ContextFile extends StoredFile {
  readonly rootId: string;
  readonly directory: string;
}

/** A folder that files of a batch lie below. */
export interface WorkFolder {
  readonly rootId: string;
  /** Relative to the root. */
  readonly folder: string;
}

/** What is decided together: all that lies below the folder of a series, or in none. */
export interface Unit {
  /** Undefined: the files lie in no folder that names a work. */
  readonly folder: string | undefined;
  /** Of the batch, in the order of their paths. */
  readonly files: readonly SeriesFile[];
  /** What else lies below the folder. */
  readonly context: readonly SeriesFile[];
}

/** The folders of series that a batch is about. */
export function foldersOf(batch: IdentifyBatch): WorkFolder[] {
  const folders = new Map<string, WorkFolder>();
  for (const { rootId, path } of batch.directories) {
    const folder = workFolder(path);
    if (folder !== undefined) folders.set(`${rootId} ${folder}`, { rootId, folder });
  }
  return [...folders.values()];
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The batch's files by the folder of their series, with what else lies there. Pure. */
export function buildUnits(batch: IdentifyBatch, context: readonly ContextFile[]): Unit[] {
  const listed = new Set(batch.directories.map(({ rootId, path }) => `${rootId} ${path}`));
  const units = new Map<
    string,
    { folder: string | undefined; files: SeriesFile[]; context: SeriesFile[] }
  >();
  const unitOf = (rootId: string, directory: string) => {
    const folder = workFolder(directory);
    const key = `${rootId} ${folder ?? ''}`;
    const unit = units.get(key) ?? { folder, files: [], context: [] };
    units.set(key, unit);
    return unit;
  };
  for (const { rootId, path, files } of batch.directories) {
    const unit = unitOf(rootId, path);
    unit.files.push(...files.map((file) => placed({ ...file, rootId, directory: path })));
  }
  for (const file of context) {
    if (listed.has(`${file.rootId} ${file.directory}`)) continue;
    unitOf(file.rootId, file.directory).context.push(placed(file));
  }
  return [...units.values()]
    .filter(({ files }) => files.length > 0)
    .map((unit) => ({ ...unit, files: unit.files.toSorted((a, b) => compare(a.path, b.path)) }));
}

const placed = (file: ContextFile): SeriesFile => ({
  ...file,
  stem: splitName(file.name).stem,
  place: readPlace(file.directory),
});
