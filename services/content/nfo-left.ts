/** NFO files of ours beside works that are gone. */
import type { Queryable } from '#storage/postgres/connect.ts';
import type { Kind } from './module.ts';

/** Where an NFO file lies. */
export interface NfoPlace {
  readonly rootId: string;
  /** Relative to the root. */
  readonly path: string;
}

/** A work that was. */
export interface GoneWork {
  readonly kind: Kind;
  readonly id: string;
}

/** A file that was a work's, with what decides whether it may be removed. */
export interface LeftFile extends NfoPlace {
  readonly root: string;
  /** Its library asks for NFO files, still, and has that root. */
  readonly isAsked: boolean;
  /** Its root is not there now. */
  readonly isAway: boolean;
}

/** Has what we wrote of works that are being deleted removed; what others have by now is theirs. */
export async function noteGone(tx: Queryable, kind: string, ids: readonly string[]): Promise<void> {
  const gone = ids as string[];
  await tx`delete from nfo_states where kind = ${kind} and item_id = any (${gone}::uuid[])`;
  await tx`
    insert into nfo_states (kind, item_id, version)
    select distinct f.kind, f.item_id, 'gone' from nfo_files f
    where f.kind = ${kind} and f.item_id = any (${gone}::uuid[])`;
}

/** The same of a library that begins to ask, as after a restored backup. */
export async function noteLeft(tx: Queryable, libraryId: string): Promise<void> {
  await tx`
    insert into nfo_states (kind, item_id, version)
    select distinct f.kind, f.item_id, 'gone'
    from nfo_files f join library_roots r on r.id = f.root_id and r.library_id = ${libraryId}
    where not exists (select from movies m where f.kind = 'movie' and m.id = f.item_id)
      and not exists (select from series s where f.kind = 'series' and s.id = f.item_id)
    on conflict do nothing`;
}

/** All files of ours that were a work's. */
export const leftOf = (sql: Queryable, { kind, id }: GoneWork): Promise<LeftFile[]> => sql<
  LeftFile[]
>`
  select f.root_id as "rootId", r.path as root, f.path,
    r.removed_at is null and l.options @> '{"writeNfo": true}' as "isAsked",
    r.unavailable_since is not null as "isAway"
  from nfo_files f join library_roots r on r.id = f.root_id join libraries l on l.id = r.library_id
  where f.kind = ${kind} and f.item_id = ${id}
  order by f.root_id, f.path`;

/** Nothing more is to be done about a work that is gone. */
export async function forgetGone(
  sql: Queryable,
  { kind, id, version }: GoneWork & { readonly version: string },
): Promise<void> {
  await sql`
    delete from nfo_states where kind = ${kind} and item_id = ${id} and version = ${version}`;
}
