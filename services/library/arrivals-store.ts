import type { Queryable, Tx } from '#storage/postgres/connect.ts';

/** A path of which somebody says that something came there, or went. */
export interface Arrival {
  readonly id: string;
  readonly rootId: string;
  /** Relative to the root. */
  readonly path: string;
  readonly isGone: boolean;
  /** How often it was looked for and not found. */
  readonly tries: number;
}

/** Whoever adds or takes arrivals of a library waits for the others, so that none is overlooked. */
async function lockArrivals(tx: Tx, libraryId: string): Promise<void> {
  await tx`select pg_advisory_xact_lock(hashtextextended(${`library-arrivals:${libraryId}`}, 0))`;
}

/**
 * Notes arrivals of a library; one that waits already waits once. Resolves to what names those that
 * wait now, until they are taken: a job of that name takes all of them.
 */
export async function addArrivals(
  tx: Tx,
  libraryId: string,
  arrivals: readonly Pick<Arrival, 'rootId' | 'path' | 'isGone'>[],
): Promise<string> {
  await lockArrivals(tx, libraryId);
  const rows = arrivals.map(({ rootId, path, isGone }) => ({
    root_id: rootId,
    path,
    gone: isGone,
  }));
  await tx`
    insert into library_arrivals (library_id, root_id, path, is_gone)
    select distinct on (r.root_id, r.path) ${libraryId}::uuid, r.root_id, r.path, r.gone
    from jsonb_to_recordset(${tx.json(rows)}) as r (root_id uuid, path text, gone boolean)
    order by r.root_id, r.path, r.gone
    on conflict (root_id, path) where taken_at is null do update set
      is_gone = excluded.is_gone and library_arrivals.is_gone`;
  return firstWaiting(tx, libraryId);
}

async function firstWaiting(tx: Tx, libraryId: string): Promise<string> {
  const [row] = await tx<{ id: string }[]>`
    select id from library_arrivals where library_id = ${libraryId} and taken_at is null
    order by id limit 1`;
  if (row === undefined) throw new Error('no arrival waits after one was added');
  return row.id;
}

/** All arrivals of a library, those too that a job took which did not live to look at them. */
export async function takeArrivals(tx: Tx, libraryId: string): Promise<Arrival[]> {
  await lockArrivals(tx, libraryId);
  return tx<Arrival[]>`
    update library_arrivals set taken_at = now() where library_id = ${libraryId}
    returning id, root_id as "rootId", path, is_gone as "isGone", tries`;
}

/** Forgets arrivals that were looked at. */
export async function dropArrivals(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx`delete from library_arrivals where id = any (${ids}::uuid[])`;
}

/** Lets arrivals be looked for again; resolves to what names those that wait, as `addArrivals`. */
export async function keepArrivals(
  tx: Tx,
  libraryId: string,
  ids: readonly string[],
): Promise<string> {
  await lockArrivals(tx, libraryId);
  await tx`
    delete from library_arrivals a using library_arrivals w
    where a.id = any (${ids}::uuid[]) and w.root_id = a.root_id and w.path = a.path
      and w.taken_at is null and w.id <> a.id`;
  await tx`
    update library_arrivals set taken_at = null, tries = tries + 1
    where id = any (${ids}::uuid[])`;
  return firstWaiting(tx, libraryId);
}

/** The deepest directory on record, and not gone, of those given. */
export async function deepestKnown(
  sql: Queryable,
  rootId: string,
  paths: readonly string[],
): Promise<{ id: string; path: string } | undefined> {
  const [row] = await sql<{ id: string; path: string }[]>`
    select id, path from directories
    where root_id = ${rootId} and path = any (${paths}::text[]) and gone_since is null
    order by length(path) desc limit 1`;
  return row;
}
