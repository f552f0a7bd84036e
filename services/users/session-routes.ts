import type { HandlersOf } from '#api/handler.ts';
import { record } from '../activity/record.ts';
import type { Store } from '../changes.ts';
import { problem } from '../errors.ts';
import { callerOf, type Principal } from '../principal.ts';
import { plainIp } from './client.ts';
import { sessionJson, signedInOf } from './present.ts';
import { listSessions } from './session-store.ts';
import type { Sessions } from './sessions.ts';
import { findUser } from './user-store.ts';

/** What the routes of `sessions.yaml` need. */
export interface SessionRouteDeps {
  readonly store: Store;
  readonly sessions: Sessions;
  readonly now: () => number;
}

type SessionOperation =
  | 'listSessions'
  | 'revokeSession'
  | 'listUserSessions'
  | 'revokeUserSessions'
  | 'revokeUserSession';

/** The handlers of `sessions.yaml`. */
export function createSessionRoutes(deps: SessionRouteDeps): HandlersOf<SessionOperation> {
  return {
    async listSessions({ principal }) {
      const { userId, credentialId } = signedInOf(principal);
      return { body: await page(deps, userId, credentialId) };
    },
    async revokeSession({ params, principal, request }) {
      const caller = signedInOf(principal);
      const { userId } = caller;
      await revoke(deps, { userId, sessionId: params.sessionId, caller, ip: request.ip });
      return { status: 204, body: undefined };
    },
    async listUserSessions({ params, principal }) {
      await mustExist(deps, params.userId);
      return { body: await page(deps, params.userId, callerOf(principal).credentialId) };
    },
    async revokeUserSessions({ params, principal, request }) {
      const caller = callerOf(principal);
      await mustExist(deps, params.userId);
      const { userId } = params;
      return { body: { revoked: await revokeAll(deps, { userId, caller, ip: request.ip }) } };
    },
    async revokeUserSession({ params, principal, request }) {
      const caller = callerOf(principal);
      await revoke(deps, { ...params, caller, ip: request.ip });
      return { status: 204, body: undefined };
    },
  };
}

async function page(deps: SessionRouteDeps, userId: string, currentId: string) {
  const rows = await listSessions(deps.store.sql, userId, new Date(deps.now()));
  return { items: rows.map((row) => sessionJson(row, currentId)), nextCursor: null };
}

async function mustExist(deps: SessionRouteDeps, userId: string): Promise<void> {
  if ((await findUser(deps.store.sql, userId)) === undefined) {
    throw problem('not-found', 'There is no such user.');
  }
}

interface Revoking {
  readonly userId: string;
  readonly caller: Principal;
  readonly ip: string;
}

const reasonOf = ({ userId, caller }: Revoking) =>
  caller.userId === userId ? 'revoked by the user' : 'revoked by an administrator';

async function revoke(
  deps: SessionRouteDeps,
  revoking: Revoking & { sessionId: string },
): Promise<void> {
  const { userId, sessionId } = revoking;
  await deps.store.write(async (tx, stale, tell) => {
    const ending = { userId, sessionId, reason: reasonOf(revoking) };
    if (!(await deps.sessions.end({ tx, stale, tell }, ending))) {
      throw problem('not-found', 'There is no such session, or it has ended.');
    }
    const what = { resourceType: 'session', resourceId: sessionId, details: { userId } };
    await record(tx, { action: 'session.revoked', ...doer(deps, revoking), ...what });
  });
}

async function revokeAll(deps: SessionRouteDeps, revoking: Revoking): Promise<number> {
  const { userId } = revoking;
  const ended = await deps.store.write(async (tx, stale, tell) => {
    const ending = { userId, reason: reasonOf(revoking) };
    const ids = await deps.sessions.endAll({ tx, stale, tell }, ending);
    const what = { resourceType: 'user', resourceId: userId, details: { revoked: ids.length } };
    await record(tx, { action: 'auth.logout-all', ...doer(deps, revoking), ...what });
    return ids;
  });
  return ended.length;
}

const doer = (deps: SessionRouteDeps, { caller, ip }: Revoking) => ({
  userId: caller.userId,
  username: caller.username,
  ip: plainIp(ip),
  at: new Date(deps.now()),
});
