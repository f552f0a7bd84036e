import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import type { Kind } from '../content/module.ts';
import type { Library, Root } from './model.ts';
import { claims, unmeasured } from './problems-store.ts';

const columns = (sql: Queryable) => sql`
  l.id, l.kind, l.name, l.language, l.options, l.scan_interval_minutes as "scanIntervalMinutes",
  l.created_at as "createdAt", l.updated_at as "updatedAt"`;

const rootColumns = (sql: Queryable) => sql`
  r.id, r.library_id as "libraryId", r.path, r.device, r.unavailable_since as "unavailableSince",
  r.unavailable_reason as "unavailableReason", r.removed_at as "removedAt"`;

/** All libraries by name. */
export async function allLibraries(sql: Queryable): Promise<Library[]> {
  return sql<Library[]>`select ${columns(sql)} from libraries l order by lower(l.name), l.id`;
}

/** A library by its id. */
export async function findLibrary(sql: Queryable, id: string): Promise<Library | undefined> {
  const [row] = await sql<Library[]>`select ${columns(sql)} from libraries l where l.id = ${id}`;
  return row;
}

/** Takes a lock on a library's row for the rest of the transaction. */
export async function lockLibrary(tx: Tx, id: string): Promise<Library | undefined> {
  const [row] = await tx<Library[]>`
    select ${columns(tx)} from libraries l where l.id = ${id} for update`;
  return row;
}

/** What a person chooses of a library. */
export interface LibraryFields {
  readonly name: string;
  readonly language: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly scanIntervalMinutes: number;
}

/** Adds a library; throws PostgreSQL's 23505 (`libraries_name_key`) when the name is taken. */
export async function insertLibrary(
  tx: Tx,
  { kind, ...fields }: LibraryFields & { kind: Kind },
): Promise<Library> {
  const [row] = await tx<[Library]>`
    insert into libraries as l (kind, name, language, options, scan_interval_minutes)
    values (${kind}, ${fields.name}, ${fields.language}, ${tx.json(fields.options as never)},
      ${fields.scanIntervalMinutes})
    returning ${columns(tx)}`;
  return row;
}

/** Replaces what a person chose; throws PostgreSQL's 23505 when the name is taken. */
export async function updateLibraryRow(
  tx: Tx,
  id: string,
  fields: LibraryFields,
): Promise<Library | undefined> {
  const [row] = await tx<Library[]>`
    update libraries l set
      name = ${fields.name}, language = ${fields.language},
      options = ${tx.json(fields.options as never)},
      scan_interval_minutes = ${fields.scanIntervalMinutes}, updated_at = now()
    where l.id = ${id}
    returning ${columns(tx)}`;
  return row;
}

/** Deletes a library with its roots, directories, files and scans; true if there was one. */
export async function deleteLibraryRow(tx: Tx, id: string): Promise<boolean> {
  const result = await tx`delete from libraries where id = ${id}`;
  return result.count > 0;
}

/** The roots of a library, by path; those taken out by a person too when asked for. */
export async function rootsOf(
  sql: Queryable,
  libraryIds: readonly string[],
  { withRemoved = false }: { withRemoved?: boolean } = {},
): Promise<Root[]> {
  return sql<Root[]>`
    select ${rootColumns(sql)} from library_roots r
    where r.library_id = any (${libraryIds}::uuid[])
      and (${withRemoved} or r.removed_at is null)
    order by r.path, r.id`;
}

/** All roots in use, whatever their library. */
export async function allRoots(sql: Queryable): Promise<Root[]> {
  return sql<Root[]>`
    select ${rootColumns(sql)} from library_roots r where r.removed_at is null order by r.path`;
}

/** Adds folders to a library; throws PostgreSQL's 23505 when one is in use. */
export async function insertRoots(
  tx: Tx,
  libraryId: string,
  paths: readonly string[],
): Promise<void> {
  await tx`
    insert into library_roots (library_id, path)
    select ${libraryId}::uuid, path from unnest(${paths}::text[]) as p (path)`;
}

/** Brings back roots that were taken out but not yet cleared; resolves to their paths. */
export async function restoreRoots(
  tx: Tx,
  libraryId: string,
  paths: readonly string[],
): Promise<string[]> {
  const rows = await tx<{ path: string }[]>`
    update library_roots set removed_at = null
    where id in (
      select distinct on (path) id from library_roots
      where library_id = ${libraryId} and removed_at is not null and path = any (${paths}::text[])
      order by path, removed_at desc)
    returning path`;
  return rows.map(({ path }) => path);
}

/** Takes roots out of use. */
export async function removeRoots(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx`
    update library_roots set removed_at = now()
    where id = any (${ids}::uuid[]) and removed_at is null`;
}

/** Deletes a root, with what is left below it. */
export async function deleteRoot(tx: Tx, id: string): Promise<void> {
  await tx`delete from library_roots where id = ${id} and removed_at is not null`;
}

/** Records that a root is there. */
export async function rootFound(tx: Tx, id: string, device: string): Promise<void> {
  await tx`
    update library_roots set
      device = ${device}, unavailable_since = null, unavailable_reason = null
    where id = ${id}`;
}

/** Records that a root cannot be used now. */
export async function rootLost(tx: Tx, id: string, reason: string): Promise<void> {
  await tx`
    update library_roots set
      unavailable_since = coalesce(unavailable_since, now()), unavailable_reason = ${reason}
    where id = ${id}`;
}

/** Whether a root has files on record, missing ones too, and whether any of `names` is at its top. */
export async function topOf(
  sql: Queryable,
  rootId: string,
  names: readonly string[],
): Promise<{ hasFiles: boolean; hasKnownName: boolean }> {
  const [row] = await sql<[{ hasFiles: boolean; hasKnownName: boolean }]>`
    select
      exists (select from files f join directories d on d.id = f.directory_id
        where d.root_id = ${rootId}) as "hasFiles",
      exists (select from directories d
        where d.root_id = ${rootId} and d.path <> '' and d.path = any (${names}::text[]))
      or exists (select from directories d join files f on f.directory_id = d.id
        where d.root_id = ${rootId} and d.path = '' and f.name = any (${names}::text[]))
        as "hasKnownName"`;
  return row;
}

/** What a library holds. */
export interface LibraryNumbers {
  readonly files: number;
  readonly missingFiles: number;
  readonly sizeBytes: number;
  readonly problems: number;
}

/** Counts what a library holds. */
export async function numbersOf(sql: Queryable, libraryId: string): Promise<LibraryNumbers> {
  const [row] = await sql<[LibraryNumbers]>`
    with roots as (
      select id, path, unavailable_since from library_roots
      where library_id = ${libraryId} and removed_at is null
    ), counted as (
      select count(*) filter (where f.missing_since is null) as files,
        count(*) filter (where f.missing_since is not null) as missing,
        coalesce(sum(f.size_bytes) filter (where f.missing_since is null), 0)::int8 as size,
        count(*) filter (where f.probe_state = 'failed' and f.missing_since is null) as failed
      from files f join directories d on d.id = f.directory_id
      where d.root_id in (select id from roots)
    )
    select files, missing as "missingFiles", size as "sizeBytes", failed
      + (select count(*) from roots where unavailable_since is not null)
      + (select count(*) from directories d where d.root_id in (select id from roots)
          and d.error is not null)
      + (select coalesce(sum(jsonb_array_length(d.refused)), 0)::int8 from directories d
          where d.root_id in (select id from roots) and d.refused is not null)
      + (select count(*) from roots r join ${claims(sql)} as c
          on starts_with(c.path, rtrim(r.path, '/') || '/'))
      + (select count(*) from (${unmeasured(sql, libraryId)}) as u) as problems
    from counted`;
  return row;
}
