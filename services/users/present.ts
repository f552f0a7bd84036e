import type { components } from '#api/types.ts';
import { problem } from '../errors.ts';
import { callerOf, type Principal } from '../principal.ts';
import type { KeyRow } from './key-store.ts';
import type { SessionRow } from './session-store.ts';
import type { Issued } from './sessions.ts';
import type { UserRow } from './user-store.ts';

type Schemas = components['schemas'];

/** An account as the API shows it. */
export const userJson = (user: UserRow): Schemas['User'] => ({
  id: user.id,
  username: user.username,
  displayName: user.displayName,
  role: user.role,
  language: user.language,
  libraryIds: user.libraryIds && [...user.libraryIds],
  disabled: user.disabledAt !== null,
  createdAt: user.createdAt.toISOString(),
  updatedAt: user.updatedAt.toISOString(),
});

/** The caller as the API shows it. */
export const meJson = (user: UserRow, principal: Principal): Schemas['Me'] => ({
  ...userJson(user),
  permissions: [...principal.permissions].sort(),
});

/** A session as the API shows it; `currentId` is the one that asks. */
export const sessionJson = (
  session: SessionRow,
  currentId: string | undefined,
): Schemas['Session'] => ({
  id: session.id,
  deviceName: session.deviceName,
  ip: session.ip,
  userAgent: session.userAgent,
  createdAt: session.createdAt.toISOString(),
  lastSeenAt: session.lastSeenAt.toISOString(),
  expiresAt: session.expiresAt.toISOString(),
  current: session.id === currentId,
});

/** An API key as the API shows it, without its secret. */
export const keyJson = (key: KeyRow): Schemas['ApiKey'] => ({
  id: key.id,
  name: key.name,
  prefix: key.prefix,
  scopes: key.scopes,
  createdAt: key.createdAt.toISOString(),
  expiresAt: key.expiresAt?.toISOString() ?? null,
  lastUsedAt: key.lastUsedAt?.toISOString() ?? null,
});

/** A session's new tokens as the API shows them. */
export const tokensJson = (issued: Issued, user: UserRow): Schemas['Tokens'] => ({
  accessToken: issued.accessToken,
  accessTokenExpiresAt: issued.accessTokenExpiresAt.toISOString(),
  refreshToken: issued.refreshToken,
  refreshTokenExpiresAt: issued.refreshTokenExpiresAt.toISOString(),
  sessionId: issued.sessionId,
  user: userJson(user),
});

/**
 * The caller, who must have signed in. An API key is limited to its scopes, so it may not touch
 * what would give it more: passwords, sessions, other keys.
 */
export function signedInOf(principal: Principal | undefined): Principal {
  const caller = callerOf(principal);
  if (caller.via === 'session') return caller;
  throw problem('forbidden', 'This takes a session: sign in with a password.');
}

const maxCursorLength = 64;

/** A cursor in the list of users: the name it stopped at. */
export const writeCursor = (username: string): string =>
  Buffer.from(JSON.stringify([username])).toString('base64url');

/** Reads a cursor of the list of users; throws `invalid-cursor`. */
export function readCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    const name: unknown = Array.isArray(value) && value.length === 1 ? value[0] : undefined;
    const isName = typeof name === 'string' && !name.includes('\0');
    if (isName && [...name].length <= maxCursorLength) return name;
  } catch {
    // Not JSON: not one of ours, which is what is said below.
  }
  throw problem('invalid-cursor', 'Start again without a cursor.');
}
