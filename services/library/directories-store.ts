import type { Queryable, Tx } from '#storage/postgres/connect.ts';

/** What ignore files left out of a directory: how many entries, by the file's path in the root. */
export type LeftOut = Readonly<Record<string, number>>;

/** A directory as the catalogue has it. */
export interface KnownDirectory {
  readonly id: string;
  readonly path: string;
  /** Null: it must be read. */
  readonly mtimeMs: number | null;
  readonly readScanId: string | null;
  /** It waited to be read when this was looked up. */
  readonly isDue: boolean;
  /** How often it had been taken in then. */
  readonly reads: number;
  /** Ignore files lie in it, which may change while its own time does not. */
  readonly holdsRules: boolean;
  /** When it was read last, another file system than that of its parent was mounted here. */
  readonly isMount: boolean;
}

const known = (sql: Queryable) => sql`
  id, path, mtime_ms as "mtimeMs", read_scan_id as "readScanId", is_due as "isDue", reads,
  ignores is not null as "holdsRules", is_mount as "isMount"`;

/** One page of a root's directories in path order; those that wait to be read are left out. */
export async function directoryPage(
  sql: Queryable,
  page: { rootId: string; after: string | undefined; limit: number },
): Promise<KnownDirectory[]> {
  return sql<KnownDirectory[]>`
    select ${known(sql)}
    from directories
    where root_id = ${page.rootId} and path > ${page.after ?? ''} and gone_since is null
      and not is_due
    order by path
    limit ${page.limit}`;
}

/** The directory that is the root itself, if it was ever seen. */
export async function topDirectory(
  sql: Queryable,
  rootId: string,
): Promise<(KnownDirectory & { isGone: boolean }) | undefined> {
  const [row] = await sql<(KnownDirectory & { isGone: boolean })[]>`
    select ${known(sql)},
      gone_since is not null as "isGone"
    from directories where root_id = ${rootId} and path = ''`;
  return row;
}

/** Directories of a root that were discovered, or are in doubt, and wait to be read. */
export async function dueDirectories(
  sql: Queryable,
  rootId: string,
  limit: number,
): Promise<KnownDirectory[]> {
  return sql<KnownDirectory[]>`
    select ${known(sql)}
    from directories where root_id = ${rootId} and is_due
    order by path
    limit ${limit}`;
}

/** Directories of a root that wait to be read, in the order they were found, after the one given. */
export async function dueAfter(
  sql: Queryable,
  page: { rootId: string; after: string | undefined; limit: number },
): Promise<KnownDirectory[]> {
  return sql<KnownDirectory[]>`
    select ${known(sql)}
    from directories
    where root_id = ${page.rootId} and is_due
      and (${page.after ?? null}::uuid is null or id > ${page.after ?? null}::uuid)
    order by id
    limit ${page.limit}`;
}

/** Those of the directories given that still wait to be read. */
export async function dueAmong(sql: Queryable, ids: readonly string[]): Promise<KnownDirectory[]> {
  return sql<KnownDirectory[]>`
    select ${known(sql)}
    from directories where id = any (${ids}::uuid[]) and is_due
    order by path`;
}

/**
 * Those of the directories given that nobody has taken in since they were looked up, and that still
 * wait to be read if they did then.
 */
export async function unreadAmong(
  sql: Queryable,
  directories: readonly Pick<KnownDirectory, 'id' | 'reads' | 'isDue'>[],
): Promise<string[]> {
  const before = directories.map(({ id, reads, isDue }) => ({ id, reads, is_due: isDue }));
  const rows = await sql<{ id: string }[]>`
    select d.id from directories d
    join jsonb_to_recordset(${sql.json(before)}) as k (id uuid, reads integer, is_due boolean)
      on k.id = d.id and k.reads = d.reads and d.gone_since is null
        and (d.is_due or not k.is_due)`;
  return rows.map(({ id }) => id);
}

/** Directories that wait to be read at some places of a root, or (`isDeep`) below them too. */
export async function dueAt(
  sql: Queryable,
  places: {
    rootId: string;
    places: readonly { path: string; isDeep: boolean }[];
    not: readonly string[];
    limit: number;
  },
): Promise<KnownDirectory[]> {
  const paths = places.places.map(({ path }) => path);
  const deep = places.places.filter(({ isDeep }) => isDeep).map(({ path }) => path);
  return sql<KnownDirectory[]>`
    select ${known(sql)}
    from directories d
    where d.root_id = ${places.rootId} and d.is_due and d.id <> all (${places.not}::uuid[])
      and (d.path = any (${paths}::text[])
        or exists (select from unnest(${deep}::text[]) as w (path)
          where w.path <> '' and starts_with(d.path, w.path || '/')))
    order by d.path
    limit ${places.limit}`;
}

/** How many directories of a root wait to be read, and which of them was found last. */
export async function countDue(
  sql: Queryable,
  rootId: string,
): Promise<{ count: number; latest: string | null }> {
  const [row] = await sql<[{ count: number; latest: string | null }]>`
    select count(*),
      (select id from directories where root_id = ${rootId} and is_due order by id desc limit 1)
        as latest
    from directories where root_id = ${rootId} and is_due`;
  return row;
}

/** Lets directories wait to be read. */
export async function markDue(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx`
    update directories set is_due = true
    where id = any (${ids}::uuid[]) and gone_since is null`;
}

/** Lets all directories below some wait to be read. */
export async function markDueBelow(
  tx: Tx,
  rootId: string,
  paths: readonly string[],
): Promise<void> {
  const below = paths.map((path) => (path === '' ? '' : `${path}/`));
  await tx`
    update directories d set is_due = true
    from unnest(${below}::text[]) as above (path)
    where d.root_id = ${rootId} and d.gone_since is null and not d.is_due and d.path <> ''
      and starts_with(d.path, above.path)`;
}

/** Those of some paths of a root at which a share was mounted when they were read last. */
export async function mountsAt(
  sql: Queryable,
  rootId: string,
  paths: readonly string[],
): Promise<string[]> {
  if (paths.length === 0) return [];
  const rows = await sql<{ path: string }[]>`
    select path from directories
    where root_id = ${rootId} and path = any (${paths}::text[]) and is_mount and gone_since is null
    order by path`;
  return rows.map(({ path }) => path);
}

/** Sub-directories, not gone, of the directories given. */
export async function subdirectories(
  sql: Queryable,
  parentIds: readonly string[],
): Promise<{ id: string; parentId: string; path: string }[]> {
  return sql<{ id: string; parentId: string; path: string }[]>`
    select id, parent_id as "parentId", path from directories
    where parent_id = any (${parentIds}::uuid[]) and gone_since is null
    order by path`;
}

/** How many directories of a library are not gone. */
export async function countDirectories(sql: Queryable, libraryId: string): Promise<number> {
  const [row] = await sql<[{ count: number }]>`
    select count(*) from directories d join library_roots r on r.id = d.root_id
    where r.library_id = ${libraryId} and r.removed_at is null and d.gone_since is null`;
  return row.count;
}

/** Makes sure that the root itself is among the directories, and waits to be read if it is new. */
export async function ensureTop(tx: Tx, rootId: string): Promise<void> {
  await tx`
    insert into directories (root_id, path) values (${rootId}, '')
    on conflict (root_id, path) do update set gone_since = null, is_due = true, mtime_ms = null
    where directories.gone_since is not null`;
}

/** A directory that was read. */
export interface ReadDirectory {
  readonly id: string;
  /** Null: its time is not to be trusted. */
  readonly mtimeMs: number | null;
  readonly refused: readonly { name: string; reason: string }[];
  readonly leftOut: LeftOut;
  /** Its files are not as they were: they are to be identified. */
  readonly isChanged: boolean;
  readonly isMount: boolean;
}

/** Records that directories were read. */
export async function saveRead(
  tx: Tx,
  scanId: string,
  directories: readonly ReadDirectory[],
): Promise<void> {
  const records = directories.map(({ id, mtimeMs, refused, leftOut, ...is }) => ({
    id,
    mtime_ms: mtimeMs,
    refused: refused.length === 0 ? null : refused,
    ignored: Object.keys(leftOut).length === 0 ? null : leftOut,
    is_changed: is.isChanged,
    is_mount: is.isMount,
  }));
  await tx`
    update directories d set
      mtime_ms = r.mtime_ms, is_due = false, reads = d.reads + 1, read_scan_id = ${scanId},
      error = null, refused = r.refused, ignored = r.ignored, is_mount = r.is_mount,
      is_settled = d.is_settled and not r.is_changed,
      revision = d.revision + r.is_changed::integer
    from jsonb_to_recordset(${tx.json(records)}) as r (id uuid, mtime_ms double precision,
      refused jsonb, ignored jsonb, is_changed boolean, is_mount boolean)
    where d.id = r.id`;
}

/** Records why directories could not be read; what is known of them stays. */
export async function saveUnreadable(
  tx: Tx,
  scanId: string,
  directories: readonly { id: string; error: string }[],
): Promise<void> {
  await tx`
    update directories d set
      mtime_ms = null, is_due = false, read_scan_id = ${scanId}, error = r.error
    from jsonb_to_recordset(${tx.json([...directories])}) as r (id uuid, error text)
    where d.id = r.id`;
}

/**
 * Directories that were not there when they were to be read, although nobody saw their parents
 * without them: lets the parents be read, in this scan unless they were already.
 */
export async function doubt(tx: Tx, scanId: string, ids: readonly string[]): Promise<void> {
  await tx`
    with absent as (
      update directories set mtime_ms = null, is_due = false, read_scan_id = ${scanId}
      where id = any (${ids}::uuid[])
      returning parent_id
    )
    update directories set
      mtime_ms = null, is_due = is_due or read_scan_id is distinct from ${scanId}
    where id in (select parent_id from absent) and not id = any (${ids}::uuid[])`;
}

/** Records sub-directories that were discovered; they wait to be read. */
export async function discover(
  tx: Tx,
  directories: readonly { rootId: string; parentId: string; path: string }[],
): Promise<void> {
  const records = directories.map(({ rootId, parentId, path }) => ({
    root_id: rootId,
    parent_id: parentId,
    path,
  }));
  await tx`
    insert into directories (root_id, parent_id, path)
    select r.root_id, r.parent_id, r.path
    from jsonb_to_recordset(${tx.json(records)}) as r (root_id uuid, parent_id uuid, path text)
    on conflict (root_id, path) do update set
      parent_id = excluded.parent_id, gone_since = null, is_due = true, mtime_ms = null
    where directories.gone_since is not null`;
}

/** Marks directories gone, with all below them. */
export async function markGone(tx: Tx, rootId: string, paths: readonly string[]): Promise<void> {
  await tx`
    update directories d set
      gone_since = now(), mtime_ms = null, is_due = false, error = null, refused = null,
      ignores = null, ignored = null
    from unnest(${paths}::text[]) as gone (path)
    where d.root_id = ${rootId} and d.gone_since is null
      and (d.path = gone.path collate "C"
        or (d.path > gone.path || '/' collate "C" and d.path < gone.path || '0' collate "C"))`;
}

/** Marks all directories of a root gone. */
export async function markRootGone(tx: Tx, rootId: string): Promise<void> {
  await tx`
    update directories set
      gone_since = now(), mtime_ms = null, is_due = false, error = null, refused = null,
      ignores = null, ignored = null
    where root_id = ${rootId} and gone_since is null`;
}

/** Lets the files of directories be identified (again). */
export async function unsettle(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx`
    update directories set is_settled = false, revision = revision + 1
    where id = any (${ids}::uuid[])`;
}

/** Lets the files below directories be identified (again). */
export async function unsettleBelow(
  tx: Tx,
  rootId: string,
  paths: readonly string[],
): Promise<void> {
  await tx`
    update directories d set is_settled = false, revision = revision + 1
    from unnest(${paths}::text[]) as above (path)
    where d.root_id = ${rootId} and d.gone_since is null and d.path > above.path || '/' collate "C"
      and d.path < above.path || '0' collate "C"`;
}
