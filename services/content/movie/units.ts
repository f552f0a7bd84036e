import { readPlace } from '../../naming/places.ts';
import type { DirectoryView, IdentifyBatch } from '../module.ts';
import { compare, placed, type LyingFile, type PlacedFile } from '../placed.ts';

/** What is decided together: a film's folder (or a flat one) with its extras, subtitles, discs. */
export interface Unit {
  readonly rootId: string;
  /** The folder, relative to the root; '' is the root. */
  readonly owner: string;
  readonly files: readonly PlacedFile[];
  /** The owner's own listing is not in the batch: only what belongs to known films is placed. */
  readonly isPartial: boolean;
}

/** A directory whose files the batch does not have but a decision needs. */
export interface WantedDirectory {
  readonly rootId: string;
  readonly path: string;
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
export function buildUnits(batch: IdentifyBatch, context: readonly LyingFile[]): Unit[] {
  const units = new Map<string, { rootId: string; owner: string; files: PlacedFile[] }>();
  const listed = new Set(batch.directories.map(({ rootId, path }) => `${rootId} ${path}`));
  const add = (lying: LyingFile) => {
    const file = placed(lying);
    const { rootId, place } = file;
    const key = `${rootId} ${place.owner}`;
    const unit = units.get(key) ?? { rootId, owner: place.owner, files: [] };
    units.set(key, unit);
    unit.files.push(file);
  };
  for (const { rootId, path: directory, files } of batch.directories) {
    for (const file of files) add({ ...file, rootId, directory });
  }
  for (const file of context) add(file);
  return [...units.values()]
    .map((unit) => ({
      ...unit,
      files: unit.files.sort((a, b) => compare(a.path, b.path)),
      isPartial: isPartial(unit, listed),
    }))
    .sort((a, b) => compare(a.rootId, b.rootId) || compare(a.owner, b.owner));
}

/** True when the owner's own files are there but came from the database, not from the batch. */
const isPartial = (
  unit: { rootId: string; owner: string; files: readonly PlacedFile[] },
  listed: ReadonlySet<string>,
): boolean =>
  !listed.has(`${unit.rootId} ${unit.owner}`) &&
  unit.files.some(({ directory }) => directory === unit.owner);
