import type { Tx } from '#storage/postgres/connect.ts';
import { isDuplicate } from '#storage/postgres/errors.ts';
import { record } from '../activity/record.ts';
import type { Store } from '../changes.ts';
import { problem } from '../errors.ts';
import type { Principal } from '../principal.ts';
import type { PasswordHasher } from './argon2.ts';
import { checkDisplayName, checkPassword, checkUsername } from './rules.ts';
import type { Change, Sessions } from './sessions.ts';
import * as userStore from './user-store.ts';
import type { UserRow } from './user-store.ts';

/** What accounts need. */
export interface AccountDeps {
  readonly store: Store;
  readonly hasher: PasswordHasher;
  readonly sessions: Sessions;
  readonly now: () => number;
}

/** Who does it: a signed-in person, or undefined for the command line. */
export interface Actor {
  readonly userId: string;
  readonly username: string;
  readonly ip?: string | undefined;
}

/** A new account. */
export interface NewUser {
  readonly username: string;
  readonly password: string;
  readonly displayName?: string | null | undefined;
  readonly role?: Principal['role'] | undefined;
  readonly libraryIds?: readonly string[] | null | undefined;
}

/** A change of an account; what is undefined stays. */
export interface UserChange {
  readonly displayName?: string | null | undefined;
  readonly role?: Principal['role'] | undefined;
  /** Null: none of its own. */
  readonly language?: string | null | undefined;
  /** The libraries that the user may see; null: all. */
  readonly libraryIds?: readonly string[] | null | undefined;
  readonly disabled?: boolean | undefined;
}

/** Creates, changes and deletes accounts. There is always an enabled administrator. */
export interface Accounts {
  /**
   * Throws `conflict` when the name is taken, `unprocessable` for an unfit name or password, and for
   * a library that there is not.
   */
  readonly create: (user: NewUser, actor?: Actor) => Promise<UserRow>;
  /**
   * Throws `not-found`, `conflict` for the last enabled administrator, or `unprocessable` for an unfit
   * name and for a library that there is not.
   */
  readonly update: (userId: string, change: UserChange, actor?: Actor) => Promise<UserRow>;
  readonly remove: (userId: string, actor?: Actor) => Promise<void>;
  /** Sets a password without the old one and ends all the user's sessions. */
  readonly setPassword: (userId: string, password: string, actor?: Actor) => Promise<void>;
}

/** The cache tag of one account, and of all that is read with it. */
export const userTag = (userId: string): string => `user:${userId}`;

/** Makes the accounts. */
export function createAccounts(deps: AccountDeps): Accounts {
  return {
    create: (user, actor) => create(deps, user, actor),
    update: (userId, change, actor) => update(deps, { userId, change, actor }),
    remove: (userId, actor) => remove(deps, userId, actor),
    setPassword: (userId, password, actor) => setPassword(deps, { userId, password, actor }),
  };
}

/** The part of an entry of the log that says who did what to which account. */
const about = (actor: Actor | undefined, userId: string) => ({
  userId: actor?.userId,
  username: actor?.username,
  ip: actor?.ip,
  resourceType: 'user',
  resourceId: userId,
});

async function create(deps: AccountDeps, user: NewUser, actor?: Actor): Promise<UserRow> {
  const username = checkUsername(user.username);
  const displayName = checkDisplayName(user.displayName);
  const passwordHash = await deps.hasher.hash(checkPassword(user.password, username));
  const role = user.role ?? 'user';
  const { libraryIds = null } = user;
  const at = new Date(deps.now());
  const insert = deps.store.write(async (tx, stale) => {
    await checkLibraries(tx, libraryIds);
    const fresh = { username, displayName, role, libraryIds, passwordHash, at };
    const row = await userStore.insertUser(tx, fresh);
    const details = { username, role, ...(libraryIds === null ? {} : { libraryIds }) };
    await record(tx, { action: 'user.created', ...about(actor, row.id), details, at });
    stale('users');
    return row;
  });
  return insert.catch((error: unknown) => {
    if (!isDuplicate(error, 'users_username_key')) throw error;
    throw problem('conflict', `There is a user "${username}" already.`);
  });
}

interface Updating {
  readonly userId: string;
  readonly change: UserChange;
  readonly actor: Actor | undefined;
}

async function update(deps: AccountDeps, updating: Updating): Promise<UserRow> {
  return deps.store.write((tx, stale, tell) => updateIn(deps, { tx, stale, tell }, updating));
}

async function updateIn(deps: AccountDeps, here: Change, updating: Updating): Promise<UserRow> {
  const { tx, stale, tell } = here;
  const { userId, change, actor } = updating;
  const at = new Date(deps.now());
  // Before any user is locked: who deletes a library has that first, and then its users.
  await checkLibraries(tx, change.libraryIds);
  if (change.role === 'user' || change.disabled === true) await keepAdmin(tx, userId);
  const before = await userStore.lockUser(tx, userId);
  const row = await userStore.updateUser(tx, userId, { ...patchOf(change, before, at), at });
  if (before === undefined || row === undefined) throw missing();
  stale(userTag(userId), 'users');
  tell('user.changed', { userId }, { userId });
  const { role, libraryIds, disabled } = change;
  await record(tx, {
    action: 'user.updated',
    ...about(actor, userId),
    details: {
      username: row.username,
      fields: Object.keys(change).sort(),
      ...(role === undefined ? {} : { role }),
      ...(libraryIds === undefined ? {} : { libraryIds }),
      ...(disabled === undefined ? {} : { disabled }),
    },
    at,
  });
  const reason = 'account disabled';
  if (disabled === true) await deps.sessions.endAll(here, { userId, reason });
  return row;
}

function patchOf(change: UserChange, before: UserRow | undefined, at: Date): userStore.UserPatch {
  const { displayName, role, language, libraryIds, disabled } = change;
  return {
    ...{ role, language, libraryIds },
    displayName: displayName === undefined ? undefined : checkDisplayName(displayName),
    // Disabling twice keeps the first time.
    disabledAt: disabled === undefined ? undefined : disabled ? (before?.disabledAt ?? at) : null,
  };
}

async function remove(deps: AccountDeps, userId: string, actor?: Actor): Promise<void> {
  const at = new Date(deps.now());
  await deps.store.write(async (tx, stale, tell) => {
    await keepAdmin(tx, userId);
    const before = await userStore.lockUser(tx, userId);
    if (before === undefined) throw missing();
    const details = { username: before.username };
    await record(tx, { action: 'user.deleted', ...about(actor, userId), details, at });
    await deps.sessions.endAll({ tx, stale, tell }, { userId, reason: 'account deleted' });
    await userStore.deleteUser(tx, userId);
    stale(userTag(userId), 'users');
  });
}

async function setPassword(
  deps: AccountDeps,
  setting: { userId: string; password: string; actor: Actor | undefined },
): Promise<void> {
  const { userId, actor } = setting;
  const user = await userStore.findUser(deps.store.sql, userId);
  if (user === undefined) throw missing();
  const normal = checkPassword(setting.password, user.username);
  const passwordHash = await deps.hasher.hash(normal);
  const at = new Date(deps.now());
  await deps.store.write(async (tx, stale, tell) => {
    const row = await userStore.updatePassword(tx, userId, { passwordHash, at });
    if (row === undefined) throw missing();
    const ending = { userId, reason: 'password reset' };
    const ids = await deps.sessions.endAll({ tx, stale, tell }, ending);
    const details = { username: row.username, revoked: ids.length };
    await record(tx, { action: 'user.password-reset', ...about(actor, userId), details, at });
    stale(userTag(userId));
  });
}

/** Throws `unprocessable` for ids of libraries that are none. */
async function checkLibraries(tx: Tx, ids: readonly string[] | null | undefined): Promise<void> {
  const [unknown] = await userStore.unknownLibraries(tx, ids ?? []);
  if (unknown === undefined) return;
  const errors = [{ path: '/libraryIds', message: `There is no library ${unknown}.` }];
  throw problem('unprocessable', `There is no library ${unknown}.`, { errors });
}

/** Throws `conflict` when the account is the only enabled administrator. */
async function keepAdmin(tx: Tx, userId: string): Promise<void> {
  const admins = await userStore.lockAdmins(tx);
  if (admins.length === 1 && admins[0] === userId) {
    throw problem('conflict', 'This is the last enabled administrator; make another one first.');
  }
}

const missing = () => problem('not-found', 'There is no such user.');
