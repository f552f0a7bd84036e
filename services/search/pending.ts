import type { Queryable } from '#storage/postgres/connect.ts';

/** One change an engine has yet to hear of. */
export interface Pending {
  readonly seq: number;
  readonly kind: string;
  readonly itemId: string;
}

/** How much an engine is behind. */
export interface Backlog {
  readonly pending: number;
  readonly since: Date | null;
}

/** Notes changed items for every engine. */
export async function notePending(
  sql: Queryable,
  engines: readonly string[],
  changed: { kind: string; ids: readonly string[] },
): Promise<void> {
  await sql`
    insert into shared.search_pending (engine, kind, item_id)
    select engine, ${changed.kind}, item_id
    from unnest(${engines as string[]}::text[]) as engine,
      unnest(${changed.ids as string[]}::uuid[]) as item_id`;
}

/**
 * Lets one at a time work on an engine's index until the transaction ends, so that what is read
 * first is also stored first. False: somebody else does.
 */
export async function tryEngineLock(tx: Queryable, engine: string): Promise<boolean> {
  const [row] = await tx<{ locked: boolean }[]>`
    select pg_try_advisory_xact_lock(hashtext('search'), hashtext(${engine})) as locked`;
  return row?.locked ?? false;
}

/** Waits for its turn; fails after 30 s (SQLSTATE 55P03). */
export async function engineLock(tx: Queryable, engine: string): Promise<void> {
  await tx`set local lock_timeout = '30s'`;
  await tx`select pg_advisory_xact_lock(hashtext('search'), hashtext(${engine}))`;
}

/** The oldest changes; call it under the engine's lock. */
export function oldestPending(tx: Queryable, engine: string, max: number): Promise<Pending[]> {
  return tx<Pending[]>`
    select seq, kind, item_id as "itemId" from shared.search_pending
    where engine = ${engine} order by seq limit ${max}`;
}

/** Strikes out what an engine has heard of. */
export async function deletePending(tx: Queryable, seqs: readonly number[]): Promise<void> {
  await tx`delete from shared.search_pending where seq = any(${seqs as number[]}::bigint[])`;
}

/** Strikes out everything: only for an engine that is filled anew before it is asked again. */
export async function clearPending(tx: Queryable, engine: string): Promise<void> {
  await tx`delete from shared.search_pending where engine = ${engine}`;
}

/** How much an engine is behind, counted up to `max`. */
export async function backlogOf(sql: Queryable, engine: string, max: number): Promise<Backlog> {
  const [row] = await sql<Backlog[]>`
    select count(*)::integer as pending, min(noted_at) as since
    from (select noted_at from shared.search_pending
          where engine = ${engine} order by seq limit ${max}) as waiting`;
  return row ?? { pending: 0, since: null };
}

/** Forgets what was noted for engines that are no longer configured. */
export async function forgetOthers(sql: Queryable, engines: readonly string[]): Promise<void> {
  await sql`delete from shared.search_pending where engine <> all(${engines as string[]}::text[])`;
  await sql`delete from shared.search_engines where name <> all(${engines as string[]}::text[])`;
}

/** Whether an engine was filled, in this format, and has been told everything since. */
export async function isFilled(sql: Queryable, engine: string, format: number): Promise<boolean> {
  const [row] = await sql<{ filled: boolean }[]>`
    select state = 'ready' and format = ${format} as filled
    from shared.search_engines where name = ${engine}`;
  return row?.filled ?? false;
}

/** Records where an engine stands. */
export async function setState(
  sql: Queryable,
  engine: string,
  stand: { state: 'ready' | 'rebuild'; format: number },
): Promise<void> {
  await sql`
    insert into shared.search_engines (name, state, format)
    values (${engine}, ${stand.state}, ${stand.format})
    on conflict (name) do update set
      state = excluded.state, format = excluded.format, changed_at = now()`;
}
