import type { Sql } from '#storage/postgres/connect.ts';
import { problem } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Authenticate, Credentials, Principal } from '../principal.ts';
import type { AccessTokens } from './access-token.ts';
import { touchKey, type KeyState } from './key-store.ts';
import { isApiKey } from './opaque.ts';
import { permissionsOf, scopedPermissions } from './permissions.ts';
import type { Readings } from './readings.ts';
import { findSessionState, type SessionState } from './session-store.ts';

/** The credential a signed address was made with: it holds as long as that one does. */
export interface SignedFor {
  readonly via: 'session' | 'apikey';
  readonly credentialId: string;
  /** When the address ends (epoch ms). */
  readonly expiresAt?: number;
}

/**
 * Reads the token of a signed address: which credential asked for it. Undefined, or a thrown
 * ProblemError, when the token is not one of ours, is too old, or was made for another address.
 */
export type VerifySignature = (
  signature: NonNullable<Credentials['signature']>,
) => Promise<SignedFor | undefined>;

/** What authentication needs. */
export interface AuthenticateDeps {
  readonly sql: Sql;
  readonly tokens: AccessTokens;
  readonly readings: Readings;
  readonly verifySignature: VerifySignature | undefined;
  readonly now: () => number;
  readonly log: Log;
}

/**
 * Makes the check of credentials. A token or a key is never believed alone: the session's or the
 * key's present state is read (through the cache), so that what was revoked is refused at once.
 */
export function createAuthenticate(given: AuthenticateDeps): Authenticate {
  const deps = { ...given, log: given.log.child({ module: 'authenticate' }) };
  return async ({ bearer, apiKey, signature }) => {
    const key = apiKey ?? (bearer !== undefined && isApiKey(bearer) ? bearer : undefined);
    if (key !== undefined) return byKey(deps, key);
    if (bearer !== undefined) return byToken(deps, bearer);
    if (signature !== undefined) return bySignature(deps, signature);
    return undefined;
  };
}

/**
 * What a principal is by now, for answers that last: its account, role and scopes may have changed
 * since it proved itself. Throws as authentication does when its credential no longer holds.
 */
export type Recheck = (principal: Principal) => Promise<Principal>;

/** Makes the second look at a credential; it reads what authentication reads, through the cache. */
export function createRecheck(deps: Pick<AuthenticateDeps, 'sql' | 'readings' | 'now'>): Recheck {
  return async ({ via, credentialId, expiresAt }) => {
    const key = via === 'session' ? undefined : await deps.readings.keyById(credentialId);
    if (key !== undefined) {
      checkKey(deps, key);
      return { ...keyPrincipal(key), via };
    }
    if (via === 'apikey') throw noKey();
    const session = await livingSession(deps, credentialId);
    return { ...sessionPrincipal(session, expiresAt ?? session.expiresAtMs), via };
  };
}

async function byToken(deps: AuthenticateDeps, token: string): Promise<Principal> {
  const claims = await deps.tokens.verify(token);
  const session = await livingSession(deps, claims.sessionId);
  if (session.userId !== claims.userId) throw ended();
  return sessionPrincipal(session, claims.expiresAtMs);
}

async function byKey(deps: AuthenticateDeps, presented: string): Promise<Principal> {
  if (!isApiKey(presented)) throw noKey();
  const key = await deps.readings.keyOf(presented);
  if (key === undefined) throw noKey();
  checkKey(deps, key);
  await noteUse(deps, key.keyId);
  return keyPrincipal(key);
}

async function bySignature(
  deps: AuthenticateDeps,
  signature: NonNullable<Credentials['signature']>,
): Promise<Principal> {
  const signed = await deps.verifySignature?.(signature);
  if (signed === undefined) throw problem('token-invalid', 'The address is not signed for this.');
  const { expiresAt } = signed;
  if (signed.via === 'session') {
    const session = await livingSession(deps, signed.credentialId);
    return { ...sessionPrincipal(session, expiresAt ?? session.expiresAtMs), via: 'signed' };
  }
  const key = await deps.readings.keyById(signed.credentialId);
  if (key === undefined) throw noKey();
  checkKey(deps, key);
  return { ...keyPrincipal(key), via: 'signed', ...(expiresAt && { expiresAt }) };
}

async function livingSession(
  deps: Pick<AuthenticateDeps, 'sql' | 'readings' | 'now'>,
  sessionId: string,
): Promise<SessionState> {
  const cached = await deps.readings.session(sessionId);
  const isOver = cached !== undefined && cached.expiresAtMs <= deps.now();
  // A refresh moves the end without telling the caches; before refusing, ask the truth.
  const session = isOver ? await findSessionState(deps.sql, sessionId) : cached;
  if (session === undefined) throw ended();
  if (session.isDisabled) throw disabled();
  if (session.isRevoked) throw ended();
  if (session.expiresAtMs <= deps.now()) throw problem('token-expired', 'Sign in again.');
  return session;
}

function checkKey(deps: Pick<AuthenticateDeps, 'now'>, key: KeyState): void {
  if (key.isDisabled) throw disabled();
  if (key.expiresAtMs !== null && key.expiresAtMs <= deps.now()) {
    throw problem('token-expired', 'The API key has expired.');
  }
}

const sessionPrincipal = (session: SessionState, expiresAt: number): Principal => ({
  userId: session.userId,
  username: session.username,
  role: session.role,
  ...(session.language === null ? {} : { language: session.language }),
  ...librariesOf(session),
  via: 'session',
  credentialId: session.sessionId,
  permissions: permissionsOf(session.role),
  expiresAt,
});

const keyPrincipal = (key: KeyState): Principal => ({
  userId: key.userId,
  username: key.username,
  role: key.role,
  ...(key.language === null ? {} : { language: key.language }),
  ...librariesOf(key),
  via: 'apikey',
  credentialId: key.keyId,
  permissions: scopedPermissions(key.role, key.scopes),
  ...(key.expiresAtMs === null ? {} : { expiresAt: key.expiresAtMs }),
});

/** Administrators see all, whatever was set of them before they were. */
const librariesOf = ({
  role,
  libraryIds,
}: Pick<SessionState, 'role' | 'libraryIds'>): Pick<Principal, 'libraries'> =>
  role === 'admin' || libraryIds === null ? {} : { libraries: new Set(libraryIds) };

async function noteUse(deps: AuthenticateDeps, keyId: string): Promise<void> {
  if (!deps.readings.isUseDue(keyId)) return;
  try {
    await touchKey(deps.sql, keyId, new Date(deps.now()));
  } catch (error) {
    // Book-keeping must not refuse a request that the cache could answer.
    deps.log.warn('the use of an API key was not noted', { keyId, error: String(error) });
  }
}

const ended = () => problem('token-invalid', 'The session has ended; sign in again.');
const disabled = () => problem('account-disabled', 'An administrator has disabled this account.');
const noKey = () => problem('token-invalid', 'There is no such API key.');
