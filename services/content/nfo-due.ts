/** Which works say something else than their NFO files; of libraries that ask for such (`writeNfo`). */
import type { Queryable, Sql } from '#storage/postgres/connect.ts';
import { works as films } from './movie/movie.ts';
import type { Kind } from './module.ts';
import { noteLeft, type NfoPlace } from './nfo-left.ts';
import { works as shows } from './series/series.ts';
import type { Works } from './works.ts';

/** A work that changed since its NFO files were written. */
export interface DueWork {
  readonly kind: Kind;
  readonly id: string;
  /** The change that is to be told. */
  readonly version: string;
  /** Its library asks for NFO files, still. */
  readonly isAsked: boolean;
  /** There is no such work any more: what we wrote of it is to go. */
  readonly isGone: boolean;
}

/** What became of a work's files; `nextMs`: until it is tried again, where there is a problem. */
export interface Outcome {
  readonly problem: string | null;
  readonly nextMs: number;
}

const asks = (sql: Queryable) => sql`l.options @> '{"writeNfo": true}'`;

/** Notes works as changed, as far as their libraries ask for NFO files; of episodes, their series. */
export async function noteChanged(
  tx: Queryable,
  kind: string,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  const wanted = ids as string[];
  if (kind === 'movie') await noteOf(tx, films, tx`w.id = any (${wanted}::uuid[])`);
  else if (kind === 'series') await noteOf(tx, shows, tx`w.id = any (${wanted}::uuid[])`);
  else if (kind === 'episode') {
    const ofEpisodes: ReturnType<Queryable> = tx`
      w.id in (select series_id from episodes where id = any (${wanted}::uuid[]))`;
    await noteOf(tx, shows, ofEpisodes);
  }
}

/** What is put off stays so: where nothing may be written, no change lets it be. */
async function noteOf(
  tx: Queryable,
  { kind, table }: Works,
  which: ReturnType<Queryable>,
): Promise<void> {
  await tx`
    insert into nfo_states (kind, item_id, version)
    select ${kind}, w.id, uuidv7()::text
    from ${tx(table)} w join libraries l on l.id = w.library_id and ${asks(tx)}
    where ${which}
    order by w.id
    on conflict (kind, item_id) do update set version = excluded.version, is_due = true,
      next_at = case when nfo_states.problem is null then now() else nfo_states.next_at end`;
}

/** Notes all works of libraries that have begun to ask, and forgets those that do no more. */
export async function noteLibraries(sql: Sql): Promise<void> {
  const begun = await sql<{ id: string; kind: Kind }[]>`
    select l.id, l.kind from libraries l
    where ${asks(sql)} and not exists (select from nfo_libraries n where n.library_id = l.id)`;
  for (const { id, kind } of begun) {
    await sql.begin(async (tx) => {
      await tx`insert into nfo_libraries values (${id}) on conflict do nothing`;
      await noteOf(tx, kind === 'movie' ? films : shows, tx`w.library_id = ${id}`);
      await noteLeft(tx, id);
    });
  }
  await sql`
    delete from nfo_libraries n using libraries l where l.id = n.library_id and not (${asks(sql)})`;
}

/** Works to be written now, the longest waiting first. */
export const dueWorks = (sql: Queryable, limit: number) => sql<DueWork[]>`
  select n.kind, n.item_id as id, n.version, coalesce(${asks(sql)}, false) as "isAsked",
    m.id is null and s.id is null as "isGone"
  from nfo_states n
  left join movies m on n.kind = 'movie' and m.id = n.item_id
  left join series s on n.kind = 'series' and s.id = n.item_id
  left join libraries l on l.id = coalesce(m.library_id, s.library_id)
  where n.is_due and n.next_at <= now()
  order by n.next_at limit ${limit}`;

/** Records what came of it; what changed meanwhile stays due. */
export async function saveState(
  sql: Queryable,
  { kind, id, version }: DueWork,
  { problem, nextMs }: Outcome,
): Promise<void> {
  await sql`
    update nfo_states set problem = ${problem},
      is_due = version <> ${version} or ${problem !== null},
      next_at = now() + ${nextMs} * interval '1 ms'
    where kind = ${kind} and item_id = ${id}`;
}

interface Work {
  readonly kind: Kind;
  readonly id: string;
}

/** Notes a file as ours, and as that work's. */
export async function noteFile(sql: Queryable, { kind, id }: Work, place: NfoPlace): Promise<void> {
  await sql`
    insert into nfo_files as f (root_id, path, kind, item_id)
    values (${place.rootId}, ${place.path}, ${kind}, ${id})
    on conflict (root_id, path) do update set kind = excluded.kind, item_id = excluded.item_id
    where (f.kind, f.item_id) <> (excluded.kind, excluded.item_id)`;
}

/** Files of ours that were a work's, on roots that are there now, with where those lie. */
export const filesOf = (
  sql: Queryable,
  { kind, id }: Work,
): Promise<(NfoPlace & { readonly root: string })[]> => sql<
  (NfoPlace & { readonly root: string })[]
>`
  select f.root_id as "rootId", r.path as root, f.path
  from nfo_files f join library_roots r on r.id = f.root_id and r.removed_at is null
    and r.unavailable_since is null
  where f.kind = ${kind} and f.item_id = ${id}
  order by f.root_id, f.path`;

/** Forgets that a file is ours. */
export async function forgetFile(sql: Queryable, { rootId, path }: NfoPlace): Promise<void> {
  await sql`delete from nfo_files where root_id = ${rootId} and path = ${path}`;
}
