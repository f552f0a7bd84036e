import { workFolder } from '../../naming/path.ts';
import type { IdentifyBatch } from '../module.ts';
import { compare, placed, type LyingFile, type PlacedFile } from '../placed.ts';

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
  readonly files: readonly PlacedFile[];
  /** What else lies below the folder. */
  readonly context: readonly PlacedFile[];
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

/** The batch's files by the folder of their series, with what else lies there. Pure. */
export function buildUnits(batch: IdentifyBatch, context: readonly LyingFile[]): Unit[] {
  const listed = new Set(batch.directories.map(({ rootId, path }) => `${rootId} ${path}`));
  const units = new Map<
    string,
    { folder: string | undefined; files: PlacedFile[]; context: PlacedFile[] }
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
