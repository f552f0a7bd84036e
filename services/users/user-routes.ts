import type { HandlersOf } from '#api/handler.ts';
import { pageOf } from '../cursor.ts';
import { problem } from '../errors.ts';
import { callerOf, type Principal } from '../principal.ts';
import type { Store } from '../changes.ts';
import type { Accounts, Actor } from './accounts.ts';
import { plainIp } from './client.ts';
import { meJson, readCursor, signedInOf, userJson, writeCursor } from './present.ts';
import { countUsers, findUser, listUsers } from './user-store.ts';

/** What the routes of `users.yaml` need. */
export interface UserRouteDeps {
  readonly store: Store;
  readonly accounts: Accounts;
}

type UserOperation =
  | 'getMe'
  | 'updateMe'
  | 'listUsers'
  | 'createUser'
  | 'getUser'
  | 'updateUser'
  | 'deleteUser'
  | 'resetPassword';

/** The handlers of `users.yaml`. */
export function createUserRoutes(deps: UserRouteDeps): HandlersOf<UserOperation> {
  const { accounts } = deps;
  const { sql } = deps.store;
  const find = async (userId: string) => {
    const user = await findUser(sql, userId);
    if (user === undefined) throw problem('not-found', 'There is no such user.');
    return user;
  };
  return {
    async getMe({ principal }) {
      const caller = callerOf(principal);
      return { body: meJson(await find(caller.userId), caller) };
    },
    async updateMe({ body, principal, request }) {
      const caller = signedInOf(principal);
      const { displayName, language } = body;
      const change = {
        ...(displayName === undefined ? {} : { displayName }),
        ...(language === undefined ? {} : { language }),
      };
      const user = await accounts.update(caller.userId, change, actorOf(caller, request.ip));
      return { body: meJson(user, caller) };
    },
    listUsers: list(sql),
    async createUser({ body, principal, request }) {
      const { username, password, displayName, role, libraryIds } = body;
      const fresh = { username, password, displayName, role, libraryIds };
      const user = await accounts.create(fresh, actorOf(callerOf(principal), request.ip));
      return { status: 201, body: userJson(user) };
    },
    getUser: async ({ params }) => ({ body: userJson(await find(params.userId)) }),
    async updateUser({ params, body, principal, request }) {
      const { displayName, role, libraryIds, disabled } = body;
      const change = {
        ...(displayName === undefined ? {} : { displayName }),
        ...(role === undefined ? {} : { role }),
        ...(libraryIds === undefined ? {} : { libraryIds }),
        ...(disabled === undefined ? {} : { disabled }),
      };
      const actor = actorOf(callerOf(principal), request.ip);
      return { body: userJson(await accounts.update(params.userId, change, actor)) };
    },
    async deleteUser({ params, principal, request }) {
      await accounts.remove(params.userId, actorOf(callerOf(principal), request.ip));
      return { status: 204, body: undefined };
    },
    async resetPassword({ params, body, principal, request }) {
      const actor = actorOf(callerOf(principal), request.ip);
      await accounts.setPassword(params.userId, body.password, actor);
      return { status: 204, body: undefined };
    },
  };
}

const actorOf = ({ userId, username }: Principal, ip: string): Actor => ({
  userId,
  username,
  ip: plainIp(ip),
});

const list =
  (sql: Store['sql']): HandlersOf<'listUsers'>['listUsers'] =>
  async ({ query }) => {
    const limit = query.limit ?? 50;
    const { offset } = query;
    const after = offset === undefined ? readCursor(query.cursor) : undefined;
    const rows = await listUsers(sql, { after, offset, limit: limit + 1 });
    const { page, last } = pageOf(rows, limit);
    const items = page.map(userJson);
    const nextCursor = last ? writeCursor(last.username) : null;
    if (offset === undefined) return { body: { items, nextCursor } };
    return { body: { items, nextCursor, total: await countUsers(sql) } };
  };
