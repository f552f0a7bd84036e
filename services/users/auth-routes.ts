import type { HandlersOf } from '#api/handler.ts';
import { record } from '../activity/record.ts';
import type { Store } from '../changes.ts';
import { problem } from '../errors.ts';
import type { Settings } from '../settings/index.ts';
import { clientOf } from './client.ts';
import type { Login } from './login.ts';
import { signedInOf, tokensJson, userJson } from './present.ts';
import type { Sessions } from './sessions.ts';
import type { Setup } from './setup.ts';
import { findUser } from './user-store.ts';

/** What the routes of `auth.yaml` need. */
export interface AuthRouteDeps {
  readonly store: Store;
  readonly setup: Setup;
  readonly login: Login;
  readonly sessions: Sessions;
  readonly settings: Pick<Settings, 'get'>;
  readonly now: () => number;
}

type AuthOperation =
  'getSetup' | 'completeSetup' | 'login' | 'refresh' | 'logout' | 'logoutAll' | 'changePassword';

/** The handlers of `auth.yaml`. */
export function createAuthRoutes(deps: AuthRouteDeps): HandlersOf<AuthOperation> {
  const { setup, login, sessions } = deps;
  return {
    async getSetup() {
      const serverName = await deps.settings.get('server.name');
      return { body: { required: await setup.isRequired(), serverName } };
    },
    async completeSetup({ body, request }) {
      const { token, username, password } = body;
      const { ip } = clientOf(request);
      const user = await setup.complete({ token, username, password, ip });
      return { status: 201, body: userJson(user) };
    },
    async login({ body, request }) {
      const { username, password, deviceName } = body;
      const attempt = { username, password, deviceName };
      const issued = await login.signIn(attempt, clientOf(request));
      return { headers: noStore, body: tokensJson(issued, issued.user) };
    },
    async refresh({ body, request }) {
      const issued = await sessions.refresh(body.refreshToken, clientOf(request));
      const user = await findUser(deps.store.sql, issued.userId);
      if (user === undefined) throw problem('token-invalid', 'The account is gone.');
      return { headers: noStore, body: tokensJson(issued, user) };
    },
    logout: endOne(deps),
    logoutAll: endAll(deps),
    async changePassword({ body, principal, request }) {
      await login.changePassword(signedInOf(principal), body, clientOf(request));
      return { status: 204, body: undefined };
    },
  };
}

/** Answers with secrets stay out of every cache on the way (RFC 6749 §5.1). */
const noStore = { 'cache-control': 'no-store' };

const endOne =
  (deps: AuthRouteDeps): HandlersOf<'logout'>['logout'] =>
  async ({ principal, request }) => {
    const { userId, username, credentialId: sessionId } = signedInOf(principal);
    const { ip } = clientOf(request);
    const at = new Date(deps.now());
    const what = { resourceType: 'session', resourceId: sessionId, ip, at };
    await deps.store.write(async (tx, stale, tell) => {
      const ending = { userId, sessionId, reason: 'signed out' };
      const done = await deps.sessions.end({ tx, stale, tell }, ending);
      if (done) await record(tx, { action: 'auth.logout', userId, username, ...what });
    });
    return { status: 204, body: undefined };
  };

const endAll =
  (deps: AuthRouteDeps): HandlersOf<'logoutAll'>['logoutAll'] =>
  async ({ principal, request }) => {
    const { userId, username } = signedInOf(principal);
    const { ip } = clientOf(request);
    const at = new Date(deps.now());
    const ended = await deps.store.write(async (tx, stale, tell) => {
      const ending = { userId, reason: 'signed out' };
      const ids = await deps.sessions.endAll({ tx, stale, tell }, ending);
      const details = { revoked: ids.length };
      await record(tx, { action: 'auth.logout-all', userId, username, ip, details, at });
      return ids;
    });
    return { body: { revoked: ended.length } };
  };
