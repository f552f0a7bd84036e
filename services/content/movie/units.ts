import type { DirectoryView, IdentifyBatch, StoredFile } from '../module.ts';
import { splitName } from '../../naming/extensions.ts';
import { readPlace, type Place } from '../../naming/places.ts';

/** A file with what its name and place say. */
export interface UnitFile extends StoredFile {
  readonly rootId: string;
  readonly directory: string;
  readonly stem: string;
  readonly place: Place;
}

/** What is decided together: a film's folder (or a flat one) with its extras, subtitles, discs. */
export interface Unit {
  readonly rootId: string;
  /** The folder, relative to the root; '' is the root. */
  readonly owner: string;
  readonly files: readonly UnitFile[];
  /** The owner's own listing is not in the batch: only what belongs to known films is placed. */
  readonly isPartial: boolean;
}

/** A directory whose files the batch does not have but a decision needs. */
export interface WantedDirectory {
  readonly rootId: string;
  readonly path: string;
}

/** A file of such a directory, as the database knows it. */
export interface ContextFile extends StoredFile {
  readonly rootId: string;
  readonly directory: string;
}

const join = (parent: string, name: string): string => (parent === '' ? name : `${parent}/${name}`);

/** The directories beside the batch that its decisions need: owners above, special folders below. */
export function wantedDirectories(batch: IdentifyBatch): WantedDirectory[] {
  const known = new Set(batch.directories.map(({ rootId, path }) => `${rootId} ${path}`));
  const wanted = new Map<string, WantedDirectory>();
  const want = (rootId: string, path: string) => {
    const key = `${rootId} ${path}`;
    if (!known.has(key)) wanted.set(key, { rootId, path });
  };
  for (const view of batch.directories) {
    const { owner } = readPlace(view.path);
    if (owner !== view.path) want(view.rootId, owner);
    for (const path of specialChildren(view)) want(view.rootId, path);
  }
  return [...wanted.values()];
}

function specialChildren(view: DirectoryView): string[] {
  const { owner } = readPlace(view.path);
  return view.directories.flatMap((name) => {
    const path = join(view.path, name);
    const place = readPlace(path);
    if (place.owner === path || place.owner !== owner) return [];
    return place.disc === 'bdmv' ? [path, join(path, 'STREAM')] : [path];
  });
}

/** The batch's files and those around them, by the folder they are decided in, in path order. */
export function buildUnits(batch: IdentifyBatch, context: readonly ContextFile[]): Unit[] {
  const units = new Map<string, { rootId: string; owner: string; files: UnitFile[] }>();
  const listed = new Set(batch.directories.map(({ rootId, path }) => `${rootId} ${path}`));
  const add = (file: StoredFile, rootId: string, directory: string) => {
    const place = readPlace(directory);
    const key = `${rootId} ${place.owner}`;
    const unit = units.get(key) ?? { rootId, owner: place.owner, files: [] };
    units.set(key, unit);
    const { stem } = splitName(file.name);
    unit.files.push({ ...file, rootId, directory, stem, place });
  };
  for (const view of batch.directories) {
    for (const file of view.files) add(file, view.rootId, view.path);
  }
  for (const file of context) add(file, file.rootId, file.directory);
  return [...units.values()]
    .map((unit) => ({
      ...unit,
      files: unit.files.sort((a, b) => compare(a.path, b.path)),
      isPartial: isPartial(unit, listed),
    }))
    .sort((a, b) => compare(a.rootId, b.rootId) || compare(a.owner, b.owner));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** True when the owner's own files are there but came from the database, not from the batch. */
const isPartial = (
  unit: { rootId: string; owner: string; files: readonly UnitFile[] },
  listed: ReadonlySet<string>,
): boolean =>
  !listed.has(`${unit.rootId} ${unit.owner}`) &&
  unit.files.some(({ directory }) => directory === unit.owner);
