import type { Tx } from '#storage/postgres/connect.ts';
import { record } from '../activity/record.ts';
import type { Store } from '../changes.ts';
import { problem, type ProblemCode } from '../errors.ts';
import type { Tell } from '../events.ts';
import type { Log } from '../log.ts';
import type { Settings } from '../settings/index.ts';
import type { AccessTokens } from './access-token.ts';
import type { Client } from './client.ts';
import { hashToken, newToken, sealSuccessor, type Random } from './opaque.ts';
import { judgeToken } from './refresh-rules.ts';
import * as refreshStore from './refresh-store.ts';
import * as sessionStore from './session-store.ts';
import type { UserRow } from './user-store.ts';

/** What sessions need. */
export interface SessionDeps {
  readonly store: Store;
  readonly tokens: AccessTokens;
  readonly settings: Pick<Settings, 'get'>;
  readonly random: Random;
  readonly now: () => number;
  readonly log: Log;
}

/** The tokens a client gets; the refresh token is shown here and nowhere else. */
export interface Issued {
  readonly userId: string;
  readonly sessionId: string;
  readonly accessToken: string;
  readonly accessTokenExpiresAt: Date;
  readonly refreshToken: string;
  readonly refreshTokenExpiresAt: Date;
}

/** Who ends whose sessions, and why. */
export interface Ending {
  readonly userId: string;
  readonly exceptId?: string | undefined;
  readonly reason: string;
}

/** Begins, continues and ends sessions. */
export interface Sessions {
  open(user: UserRow, from: { deviceName: string | undefined; client: Client }): Promise<Issued>;
  /** Throws `token-invalid`, `token-expired`, `token-reused` or `account-disabled`. */
  refresh(refreshToken: string, client: Client): Promise<Issued>;
  /** Ends one in the caller's transaction; false when there is nothing to end. */
  end(change: Change, ending: Ending & { sessionId: string }): Promise<boolean>;
  /** Ends all but one in the caller's transaction; resolves to their ids. */
  endAll(change: Change, ending: Ending): Promise<string[]>;
}

/** A transaction that a caller has begun; see `Write`. */
export interface Change {
  readonly tx: Tx;
  readonly stale: (...tags: string[]) => void;
  readonly tell: Tell;
}

/** The cache tag of one session. */
export const sessionTag = (sessionId: string): string => `session:${sessionId}`;

const dayMs = 86_400_000;

/** Makes the sessions. */
export function createSessions(given: SessionDeps): Sessions {
  const deps = { ...given, log: given.log.child({ module: 'sessions' }) };
  return {
    open: (user, from) => open(deps, user, from),
    refresh: (refreshToken, client) => refresh(deps, refreshToken, client),
    async end(change, { userId, sessionId, reason }) {
      const at = new Date(deps.now());
      const ending = { id: sessionId, userId, reason, at };
      const ended = await sessionStore.revokeSession(change.tx, ending);
      if (ended) haveEnded(change, userId, [sessionId]);
      return ended;
    },
    async endAll(change, ending) {
      const at = new Date(deps.now());
      const ids = await sessionStore.revokeSessions(change.tx, { ...ending, at });
      haveEnded(change, ending.userId, ids);
      return ids;
    },
  };
}

/** Nobody believes them any more, and their clients are told. */
function haveEnded({ stale, tell }: Change, userId: string, sessionIds: readonly string[]): void {
  for (const sessionId of sessionIds) {
    stale(sessionTag(sessionId));
    tell('session.revoked', { userId, sessionId }, { userId });
  }
}

async function lifetimes(deps: SessionDeps) {
  const { settings } = deps;
  const [idleDays, maxDays, perUser] = await Promise.all([
    settings.get('auth.session_idle_days'),
    settings.get('auth.session_max_days'),
    settings.get('auth.sessions_per_user'),
  ]);
  return { idleMs: idleDays * dayMs, maxMs: maxDays * dayMs, perUser };
}

const earlier = (a: Date, b: Date) => (a < b ? a : b);

async function open(
  deps: SessionDeps,
  user: UserRow,
  from: { deviceName: string | undefined; client: Client },
): Promise<Issued> {
  const { idleMs, maxMs, perUser } = await lifetimes(deps);
  const at = new Date(deps.now());
  const absoluteExpiresAt = new Date(at.getTime() + maxMs);
  const expiresAt = earlier(new Date(at.getTime() + idleMs), absoluteExpiresAt);
  const refreshToken = newToken(deps.random);
  const sessionId = await deps.store.write(async (tx, stale, tell) => {
    const times = { at, expiresAt, absoluteExpiresAt };
    const id = await sessionStore.insertSession(tx, { userId: user.id, ...from, ...times });
    const token = { hash: hashToken(refreshToken), sessionId: id, at, expiresAt };
    await refreshStore.insertToken(tx, token);
    const ended = await sessionStore.revokeSurplus(tx, { userId: user.id, keep: perUser, at });
    haveEnded({ tx, stale, tell }, user.id, ended);
    const { deviceName, client } = from;
    await record(tx, {
      action: 'auth.login',
      userId: user.id,
      username: user.username,
      ip: client.ip,
      details: { sessionId: id, deviceName: deviceName ?? null },
      at,
    });
    return id;
  });
  deps.log.info('session opened', { userId: user.id, sessionId });
  const owner = { userId: user.id, role: user.role, sessionId };
  return issue(deps, owner, { refreshToken, refreshTokenExpiresAt: expiresAt });
}

async function issue(
  deps: SessionDeps,
  owner: { userId: string; role: UserRow['role']; sessionId: string },
  refreshing: { refreshToken: string; refreshTokenExpiresAt: Date },
): Promise<Issued> {
  const { userId, sessionId } = owner;
  const access = await deps.tokens.sign(owner);
  const { token: accessToken, expiresAt: accessTokenExpiresAt } = access;
  return { userId, sessionId, accessToken, accessTokenExpiresAt, ...refreshing };
}

type Refreshed =
  | { kind: 'issued'; owner: refreshStore.SpentToken; token: string; expiresAt: Date }
  | { kind: 'refused'; code: ProblemCode; ended: refreshStore.KnownToken | undefined };

/** The transaction must commit even when the answer is no: it may have ended the session. */
async function refresh(deps: SessionDeps, presented: string, client: Client): Promise<Issued> {
  const { idleMs } = await lifetimes(deps);
  const at = new Date(deps.now());
  const successor = newToken(deps.random);
  const outcome = await deps.store.write((tx, stale, tell) =>
    spend({ tx, stale, tell }, { presented, successor, client, at, idleMs }),
  );
  if (outcome.kind === 'issued') {
    const { owner, token: refreshToken, expiresAt: refreshTokenExpiresAt } = outcome;
    return issue(deps, owner, { refreshToken, refreshTokenExpiresAt });
  }
  const { code, ended } = outcome;
  if (ended !== undefined) {
    const { userId, sessionId } = ended;
    deps.log.warn('refresh token used twice, session ended', { userId, sessionId });
  }
  throw problem(code, refusals[code] ?? 'Sign in again.');
}

const refusals: Partial<Record<ProblemCode, string>> = {
  'token-invalid': 'The refresh token belongs to no living session; sign in again.',
  'token-expired': 'The session was not used for too long; sign in again.',
  'token-reused': 'Someone may have copied the token; sign in again.',
  'account-disabled': 'An administrator has disabled this account.',
};

interface Spending {
  readonly presented: string;
  readonly successor: string;
  readonly client: Client;
  readonly at: Date;
  readonly idleMs: number;
}

async function spend(change: Change, spending: Spending): Promise<Refreshed> {
  const { tx } = change;
  const { presented, successor, client, at } = spending;
  const hash = hashToken(presented);
  const successorHash = hashToken(successor);
  const successorSealed = sealSuccessor(presented, Buffer.from(successor, 'base64url'));
  const owner = await refreshStore.spendToken(tx, { hash, at, successorHash, successorSealed });
  if (owner === undefined) return explain(change, { ...spending, hash });
  const { sessionId, absoluteExpiresAt } = owner;
  const expiresAt = earlier(new Date(at.getTime() + spending.idleMs), absoluteExpiresAt);
  await refreshStore.insertToken(tx, { hash: successorHash, sessionId, at, expiresAt });
  await refreshStore.dropSeal(tx, { sessionId, hash });
  await refreshStore.touchSession(tx, { id: sessionId, client, at, expiresAt });
  return { kind: 'issued', owner, token: successor, expiresAt };
}

async function explain(
  change: Change,
  { presented, hash, client, at }: Spending & { hash: Buffer },
): Promise<Refreshed> {
  const { tx } = change;
  const known = await refreshStore.findToken(tx, hash);
  const verdict = judgeToken(known, client, at.getTime());
  if (verdict.kind === 'refuse') return { kind: 'refused', code: verdict.code, ended: undefined };
  const { token } = verdict;
  if (verdict.kind === 'again') {
    const successor = sealSuccessor(presented, verdict.sealed).toString('base64url');
    return { kind: 'issued', owner: token, token: successor, expiresAt: verdict.expiresAt };
  }
  const { sessionId, userId, username } = token;
  const reason = 'token reused';
  await sessionStore.revokeSession(tx, { id: sessionId, userId, reason, at });
  haveEnded(change, userId, [sessionId]);
  await record(tx, {
    action: 'auth.token-reused',
    userId,
    username,
    success: false,
    ip: client.ip,
    details: { sessionId },
    at,
  });
  return { kind: 'refused', code: 'token-reused', ended: token };
}
