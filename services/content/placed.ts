/** Files as every kind looks at them while it identifies: with what their place says. */
import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import { splitName } from '../naming/extensions.ts';
import { readPlace, type Place } from '../naming/places.ts';
import type { StoredFile } from './module.ts';

/** A file and the directory it lies in, relative to its root. */
export interface LyingFile extends StoredFile {
  readonly rootId: string;
  readonly directory: string;
}

/** A file with what its name and place say. */
export interface PlacedFile extends LyingFile {
  /** The name without its extension. */
  readonly stem: string;
  readonly place: Place;
}

/** Reads a file's place. Pure. */
export const placed = (file: LyingFile): PlacedFile => ({
  ...file,
  stem: splitName(file.name).stem,
  place: readPlace(file.directory),
});

/** The order of texts byte by byte, whatever the language. */
export const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The files that are there now in the directories `d` of a `from` clause; at most `limit`. */
export async function filesIn(
  tx: Tx,
  directories: ReturnType<Queryable>,
  limit: number,
): Promise<LyingFile[]> {
  const rows = await tx<(Omit<LyingFile, 'itemId'> & { readonly itemId: string | null })[]>`
    select distinct on (f.id) f.id, f.root_id as "rootId", d.path as directory, f.path, f.name,
      f.role, f.size_bytes as "sizeBytes", f.mtime_ms as "mtimeMs", f.item_id as "itemId"
    from ${directories} join files f on f.directory_id = d.id and f.missing_since is null
    order by f.id
    limit ${limit}`;
  return rows.map((row) => ({ ...row, itemId: row.itemId ?? undefined }));
}
