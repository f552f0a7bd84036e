import { record } from '../activity/record.ts';
import type { Store } from '../changes.ts';
import { problem } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Principal } from '../principal.ts';
import type { PasswordHasher } from './argon2.ts';
import type { Client } from './client.ts';
import { checkPassword, normalisePassword, normaliseUsername } from './rules.ts';
import { hasSessionFrom } from './session-store.ts';
import type { Issued, Sessions } from './sessions.ts';
import type { Slowdown } from './slowdown.ts';
import * as userStore from './user-store.ts';
import type { UserRow } from './user-store.ts';

/** What signing in needs. */
export interface LoginDeps {
  readonly store: Store;
  readonly hasher: PasswordHasher;
  readonly slowdown: Slowdown;
  readonly sessions: Sessions;
  readonly now: () => number;
  readonly log: Log;
}

/** What a person types. */
export interface LoginRequest {
  readonly username: string;
  readonly password: string;
  readonly deviceName?: string | undefined;
}

/** Proves people by their passwords. */
export interface Login {
  /** Throws `invalid-credentials`, `account-disabled` or `too-many-requests`. */
  signIn(request: LoginRequest, client: Client): Promise<Issued & { user: UserRow }>;
  /** Needs the present password; ends the caller's other sessions. */
  changePassword(
    principal: Principal,
    change: { currentPassword: string; newPassword: string },
    client: Client,
  ): Promise<void>;
}

/** Makes the sign-in. */
export function createLogin(given: LoginDeps): Login {
  const deps = { ...given, log: given.log.child({ module: 'login' }) };
  return {
    signIn: (request, client) => signIn(deps, request, client),
    changePassword: (principal, change, client) =>
      changePassword(deps, { principal, ...change, client }),
  };
}

type Found = Awaited<ReturnType<typeof userStore.findLogin>>;

async function signIn(deps: LoginDeps, request: LoginRequest, client: Client) {
  const username = normaliseUsername(request.username);
  const found = await userStore.findLogin(deps.store.sql, username);
  const isKnownPlace = await isKnown(deps, found, client);
  const subject = `user:${found?.user.id ?? username.toLowerCase()}`;
  const guess = { subject, isKnownPlace, password: request.password, client };
  const isRight = await prove(deps, guess, found?.passwordHash ?? undefined);
  if (found === undefined || !isRight) throw await refuse(deps, found, client);
  const { user } = found;
  if (user.disabledAt !== null) throw await refuseDisabled(deps, found, client);
  await renewHash(deps, found, request.password);
  const { deviceName } = request;
  return { ...(await deps.sessions.open(user, { deviceName, client })), user };
}

/** Asked for in place of an account that does not exist, so that the question takes as long. */
const nobody = '00000000-0000-0000-0000-000000000000';

const isKnown = async (deps: LoginDeps, found: Found, { ip }: Client) =>
  ip !== undefined && hasSessionFrom(deps.store.sql, found?.user.id ?? nobody, ip);

interface Guess {
  readonly subject: string;
  readonly isKnownPlace: boolean;
  readonly password: string;
  readonly client: Client;
}

/** Whether the password is right; slowed down, and as slow for an account that does not exist. */
async function prove(deps: LoginDeps, guess: Guess, hash: string | undefined): Promise<boolean> {
  const { subject, isKnownPlace, client } = guess;
  const admission = await deps.slowdown.admit({ subject, isKnownPlace, ip: client.ip });
  try {
    const isRight = await deps.hasher.verify(normalisePassword(guess.password), hash);
    if (isRight) await admission.succeeded();
    return isRight;
  } catch (error) {
    await admission.takeBack();
    throw error;
  }
}

/**
 * The name is recorded only when the account exists: people type passwords into the wrong field.
 */
async function refuse(deps: LoginDeps, found: Found, client: Client) {
  await recordFailure(deps, { found, client, reason: found ? 'password' : 'unknown user' });
  deps.log.info('sign-in refused', { userId: found?.user.id, ip: client.ip });
  return problem('invalid-credentials', 'Check the user name and the password.');
}

async function refuseDisabled(deps: LoginDeps, found: Found, client: Client) {
  await recordFailure(deps, { found, client, reason: 'disabled' });
  return problem('account-disabled', 'An administrator has disabled this account.');
}

async function recordFailure(
  deps: LoginDeps,
  failure: { found: Found; client: Client; reason: string },
): Promise<void> {
  const { found, client, reason } = failure;
  await deps.store.write((tx) =>
    record(tx, {
      action: 'auth.login-failed',
      userId: found?.user.id,
      username: found?.user.username,
      success: false,
      ip: client.ip,
      details: { reason },
      at: new Date(deps.now()),
    }),
  );
}

/** A hash made at an older cost is made anew while the password is at hand. */
async function renewHash(deps: LoginDeps, found: NonNullable<Found>, password: string) {
  const from = found.passwordHash;
  if (from === null || !deps.hasher.isOutdated(from)) return;
  const to = await deps.hasher.hash(normalisePassword(password));
  await deps.store.write((tx) => userStore.replaceHash(tx, found.user.id, { from, to }));
}

interface PasswordChange {
  readonly principal: Principal;
  readonly currentPassword: string;
  readonly newPassword: string;
  readonly client: Client;
}

async function changePassword(deps: LoginDeps, change: PasswordChange): Promise<void> {
  const { principal, client } = change;
  const { userId, username } = principal;
  const who = { userId, username, ip: client.ip };
  const hash = await userStore.findPasswordHash(deps.store.sql, userId);
  const subject = `password:${userId}`;
  const guess = { subject, isKnownPlace: true, password: change.currentPassword, client };
  if (!(await prove(deps, guess, hash ?? undefined))) {
    const failed = { action: 'auth.password-change-failed', success: false } as const;
    await deps.store.write((tx) => record(tx, { ...failed, ...who, at: new Date(deps.now()) }));
    throw problem('invalid-credentials', 'The present password is another one.');
  }
  const normal = checkPassword(change.newPassword, username);
  const passwordHash = await deps.hasher.hash(normal);
  const at = new Date(deps.now());
  await deps.store.write(async (tx, stale, tell) => {
    await userStore.updatePassword(tx, userId, { passwordHash, at });
    const ending = { userId, exceptId: principal.credentialId, reason: 'password changed' };
    const ids = await deps.sessions.endAll({ tx, stale, tell }, ending);
    const details = { revoked: ids.length };
    await record(tx, { action: 'auth.password-changed', ...who, details, at });
  });
}
