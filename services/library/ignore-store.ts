import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import { markDueBelow } from './directories-store.ts';

/** A file in which people say what is to be left out, as a scan has read it. */
export interface IgnoreFile {
  readonly name: string;
  readonly text: string;
}

/** The ignore files that lie in some directories of a root, by the directory's path. */
export async function heldIn(
  sql: Queryable,
  rootId: string,
  paths: readonly string[],
): Promise<Map<string, readonly IgnoreFile[]>> {
  const rows = await sql<{ path: string; ignores: IgnoreFile[] }[]>`
    select path, ignores from directories
    where root_id = ${rootId} and ignores is not null and gone_since is null
      and path = any (${paths}::text[])`;
  return new Map(rows.map(({ path, ignores }) => [path, ignores]));
}

/** A directory whose ignore files are not what they were. */
export interface ChangedRules {
  readonly id: string;
  readonly path: string;
  readonly files: readonly IgnoreFile[];
}

/**
 * Records the ignore files of directories, and lets all that lies below these be read again: what
 * is left out there may be another now, although no directory has changed.
 */
export async function saveRules(
  tx: Tx,
  rootId: string,
  changed: readonly ChangedRules[],
): Promise<void> {
  const records = changed.map(({ id, files }) => ({
    id,
    ignores: files.length === 0 ? null : files,
  }));
  await tx`
    update directories d set ignores = r.ignores
    from jsonb_to_recordset(${tx.json(records as never)}) as r (id uuid, ignores jsonb)
    where d.id = r.id`;
  const places = changed.map(({ path }) => path);
  await markDueBelow(tx, rootId, places);
}

/** Of one library, how many entries are left out, and by which files: the most first. */
export async function leftOutOf(
  sql: Queryable,
  libraryId: string,
): Promise<{ rootPath: string; path: string; entries: number }[]> {
  return sql<{ rootPath: string; path: string; entries: number }[]>`
    select r.path as "rootPath", e.key as path, sum(e.value::bigint)::bigint as entries
    from library_roots r
    join directories d on d.root_id = r.id and d.gone_since is null and d.ignored is not null
    cross join lateral jsonb_each_text(d.ignored) as e
    where r.library_id = ${libraryId} and r.removed_at is null
    group by r.path, e.key
    order by 3 desc, 1, 2`;
}
