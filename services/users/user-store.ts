import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import type { Principal } from '../principal.ts';

/** One account, without its password. */
export interface UserRow {
  readonly id: string;
  readonly username: string;
  readonly displayName: string | null;
  readonly role: Principal['role'];
  readonly language: string | null;
  /** Null: all libraries. */
  readonly libraryIds: readonly string[] | null;
  readonly disabledAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What a change of an account may set; undefined leaves a field as it is. */
export interface UserPatch {
  readonly displayName?: string | null | undefined;
  readonly role?: Principal['role'] | undefined;
  readonly language?: string | null | undefined;
  readonly libraryIds?: readonly string[] | null | undefined;
  /** A time disables, null enables. */
  readonly disabledAt?: Date | null | undefined;
}

const columns = (sql: Queryable) => sql`
  id, username, display_name as "displayName", role, language,
  library_ids as "libraryIds", disabled_at as "disabledAt",
  created_at as "createdAt", updated_at as "updatedAt"`;

/** One account by id. */
export async function findUser(sql: Queryable, id: string): Promise<UserRow | undefined> {
  const [row] = await sql<UserRow[]>`select ${columns(sql)} from shared.users where id = ${id}`;
  return row;
}

/** One account by id, locked until the transaction ends. */
export async function lockUser(tx: Queryable, id: string): Promise<UserRow | undefined> {
  const [row] = await tx<UserRow[]>`
    select ${columns(tx)} from shared.users where id = ${id} for no key update`;
  return row;
}

/** One account by name, in any case, with its password's hash. */
export async function findLogin(
  sql: Queryable,
  username: string,
): Promise<{ user: UserRow; passwordHash: string | null } | undefined> {
  const [row] = await sql<(UserRow & { passwordHash: string | null })[]>`
    select ${columns(sql)}, password_hash as "passwordHash"
    from shared.users where lower(username) = lower(${username})`;
  if (row === undefined) return undefined;
  const { passwordHash, ...user } = row;
  return { user, passwordHash };
}

/** The password's hash of one account; null when it has none. */
export async function findPasswordHash(sql: Queryable, id: string): Promise<string | null> {
  const [row] = await sql<{ passwordHash: string | null }[]>`
    select password_hash as "passwordHash" from shared.users where id = ${id}`;
  return row?.passwordHash ?? null;
}

/** Accounts by name, after a name or from an offset. */
export async function listUsers(
  sql: Queryable,
  window: { after?: string | undefined; offset?: number | undefined; limit: number },
): Promise<UserRow[]> {
  return sql<UserRow[]>`
    select ${columns(sql)} from shared.users
    ${window.after === undefined ? sql`` : sql`where lower(username) > lower(${window.after})`}
    order by lower(username)
    limit ${window.limit} offset ${window.offset ?? 0}`;
}

/** How many accounts there are. */
export async function countUsers(sql: Queryable): Promise<number> {
  const [row] = await sql<{ count: number }[]>`select count(*) as count from shared.users`;
  return row?.count ?? 0;
}

/** A new account; throws PostgreSQL's duplicate error on `users_username_key`. */
export async function insertUser(
  tx: Queryable,
  user: {
    username: string;
    displayName: string | null;
    role: Principal['role'];
    libraryIds: readonly string[] | null;
    passwordHash: string | null;
    at: Date;
  },
): Promise<UserRow> {
  const { username, displayName, role, passwordHash, at } = user;
  const [row] = await tx<UserRow[]>`
    insert into shared.users
      (username, display_name, role, library_ids, password_hash, password_changed_at, created_at,
        updated_at)
    values (${username}, ${displayName}, ${role}, ${user.libraryIds as string[] | null}::uuid[],
      ${passwordHash}, ${at}, ${at}, ${at})
    returning ${columns(tx)}`;
  if (row === undefined) throw new Error('an insert returned no row');
  return row;
}

/** Changes an account; undefined when it is gone. */
export async function updateUser(
  tx: Queryable,
  id: string,
  patch: UserPatch & { at: Date },
): Promise<UserRow | undefined> {
  const { displayName, role, language, libraryIds, disabledAt, at } = patch;
  const [row] = await tx<UserRow[]>`
    update shared.users set
      updated_at = ${at}
      ${displayName === undefined ? tx`` : tx`, display_name = ${displayName}`}
      ${role === undefined ? tx`` : tx`, role = ${role}`}
      ${language === undefined ? tx`` : tx`, language = ${language}`}
      ${libraryIds === undefined ? tx`` : tx`, library_ids = ${libraryIds as string[] | null}::uuid[]`}
      ${disabledAt === undefined ? tx`` : tx`, disabled_at = ${disabledAt}`}
    where id = ${id}
    returning ${columns(tx)}`;
  return row;
}

/** Gives an account another password; undefined when it is gone. */
export async function updatePassword(
  tx: Queryable,
  id: string,
  change: { passwordHash: string; at: Date },
): Promise<UserRow | undefined> {
  const { passwordHash, at } = change;
  const [row] = await tx<UserRow[]>`
    update shared.users
    set password_hash = ${passwordHash}, password_changed_at = ${at}, updated_at = ${at}
    where id = ${id}
    returning ${columns(tx)}`;
  return row;
}

/** Replaces a hash by one of the same password at the present cost, unless it changed meanwhile. */
export async function replaceHash(
  tx: Queryable,
  id: string,
  hashes: { from: string; to: string },
): Promise<void> {
  await tx`
    update shared.users set password_hash = ${hashes.to}
    where id = ${id} and password_hash = ${hashes.from}`;
}

/** Deletes an account with its sessions and keys; false when it was gone. */
export async function deleteUser(tx: Queryable, id: string): Promise<boolean> {
  const { count } = await tx`delete from shared.users where id = ${id}`;
  return count > 0;
}

/**
 * Those of the ids that are no libraries. Until the transaction ends the others are not deleted, so
 * that nobody is given one that has just gone.
 */
export async function unknownLibraries(tx: Tx, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await tx<{ id: string }[]>`
    select id from libraries where id = any (${ids as string[]}::uuid[]) order by id for key share`;
  const known = new Set(rows.map(({ id }) => id));
  return ids.filter((id) => !known.has(id.toLowerCase()));
}

/** Takes a library from those that users may see; resolves to whose it was. */
export async function forgetLibrary(tx: Tx, libraryId: string): Promise<string[]> {
  const rows = await tx<{ id: string }[]>`
    update shared.users set library_ids = array_remove(library_ids, ${libraryId}::uuid)
    where id in (
      select id from shared.users where library_ids @> array[${libraryId}::uuid]
      order by id for no key update
    )
    returning id`;
  return rows.map(({ id }) => id);
}

/** Whether anyone administers the server. */
export async function hasAdmin(sql: Queryable): Promise<boolean> {
  const [row] = await sql<{ found: boolean }[]>`
    select exists (select from shared.users where role = 'admin') as found`;
  return row?.found ?? false;
}

/**
 * Locks every enabled administrator, in one order, and tells who they are: two transactions that
 * each take one away run one after the other, and the second sees what the first left.
 */
export async function lockAdmins(tx: Queryable): Promise<string[]> {
  const rows = await tx<{ id: string }[]>`
    select id from shared.users where role = 'admin' and disabled_at is null
    order by id for no key update`;
  return rows.map((row) => row.id);
}
