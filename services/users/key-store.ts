import type { Queryable } from '#storage/postgres/connect.ts';
import type { Principal } from '../principal.ts';

/** One API key as a list shows it. */
export interface KeyRow {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly scopes: string[];
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
}

/** What decides whether an API key holds, and what it may do. */
export interface KeyState {
  readonly keyId: string;
  readonly userId: string;
  readonly username: string;
  readonly role: Principal['role'];
  readonly language: string | null;
  /** Those the user may see; null: all. */
  readonly libraryIds: readonly string[] | null;
  readonly isDisabled: boolean;
  readonly scopes: string[];
  readonly expiresAtMs: number | null;
}

const columns = (sql: Queryable) => sql`
  id, name, prefix, scopes, created_at as "createdAt", expires_at as "expiresAt",
  last_used_at as "lastUsedAt"`;

const state = (sql: Queryable) => sql`
  select k.id as "keyId", u.id as "userId", u.username, u.role, u.language,
    u.library_ids as "libraryIds",
    u.disabled_at is not null as "isDisabled", k.scopes,
    floor(extract(epoch from k.expires_at) * 1000)::float8 as "expiresAtMs"
  from shared.api_keys k join shared.users u on u.id = k.user_id`;

/** The key whose secret has this hash. */
export async function findKeyByHash(sql: Queryable, hash: Buffer): Promise<KeyState | undefined> {
  const [row] = await sql<KeyState[]>`${state(sql)} where k.key_hash = ${hash}`;
  return row;
}

/** The key of this id. */
export async function findKeyById(sql: Queryable, id: string): Promise<KeyState | undefined> {
  const [row] = await sql<KeyState[]>`${state(sql)} where k.id = ${id}`;
  return row;
}

/** A user's keys, newest first. */
export async function listKeys(sql: Queryable, userId: string): Promise<KeyRow[]> {
  return sql<KeyRow[]>`
    select ${columns(sql)} from shared.api_keys where user_id = ${userId} order by id desc`;
}

/** How many keys a user has. */
export async function countKeys(sql: Queryable, userId: string): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*) as count from shared.api_keys where user_id = ${userId}`;
  return row?.count ?? 0;
}

/** Adds a key. */
export async function insertKey(
  tx: Queryable,
  key: {
    userId: string;
    name: string;
    prefix: string;
    hash: Buffer;
    scopes: readonly string[];
    at: Date;
    expiresAt: Date | null;
  },
): Promise<KeyRow> {
  const { userId, name, prefix, hash, scopes, at, expiresAt } = key;
  const [row] = await tx<KeyRow[]>`
    insert into shared.api_keys (user_id, name, prefix, key_hash, scopes, created_at, expires_at)
    values (${userId}, ${name}, ${prefix}, ${hash}, ${[...scopes]}, ${at}, ${expiresAt})
    returning ${columns(tx)}`;
  if (row === undefined) throw new Error('an insert returned no row');
  return row;
}

/** Deletes a key of a user; resolves to its name, or undefined when it was not there. */
export async function deleteKey(
  tx: Queryable,
  key: { id: string; userId: string },
): Promise<string | undefined> {
  const [row] = await tx<{ name: string }[]>`
    delete from shared.api_keys where id = ${key.id} and user_id = ${key.userId} returning name`;
  return row?.name;
}

/** Notes that a key was used, unless that was noted within the minute before. */
export async function touchKey(sql: Queryable, id: string, at: Date): Promise<void> {
  await sql`
    update shared.api_keys set last_used_at = ${at}
    where id = ${id}
      and (last_used_at is null or last_used_at <= ${at}::timestamptz - interval '1 minute')`;
}

/** Deletes at most `limit` keys that expired before a time. */
export async function deleteExpiredKeys(
  tx: Queryable,
  before: Date,
  limit: number,
): Promise<number> {
  const { count } = await tx`
    delete from shared.api_keys where id in (
      select id from shared.api_keys where expires_at < ${before} limit ${limit}
    )`;
  return count;
}
