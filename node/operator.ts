import { randomBytes, timingSafeEqual } from 'node:crypto';
import { problem } from '#services/errors.ts';
import type { Authenticate, Principal } from '#services/principal.ts';
import { permissionsOf, type Recheck } from '#services/users/index.ts';
import type { Sql } from '#storage/postgres/connect.ts';

/** The person at this machine's command line, who proves it by reading the data folder. */
export interface Operator {
  /** Good for this start of the node. */
  readonly token: string;
  /** Authenticates the operator, or asks `next`. */
  readonly authenticate: (next: Authenticate) => Authenticate;
  /** Looks again at the operator, or lets `next` look. */
  readonly recheck: (next: Recheck) => Recheck;
}

/**
 * Lets who can read the data folder act as the first administrator: that person could open the
 * database anyway. What the operator does is recorded under that administrator's name.
 */
export function createOperator({ sql }: { sql: Sql }): Operator {
  const token = `op_${randomBytes(32).toString('base64url')}`;
  const wanted = Buffer.from(token);
  const isOperator = (bearer: string | undefined) => {
    if (bearer === undefined) return false;
    const given = Buffer.from(bearer);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  };
  return {
    token,
    authenticate: (next) => async (credentials) =>
      isOperator(credentials.bearer) ? firstAdministrator(sql) : next(credentials),
    recheck: (next) => async (principal) =>
      principal.via === 'operator' ? firstAdministrator(sql) : next(principal),
  };
}

async function firstAdministrator(sql: Sql): Promise<Principal> {
  const [admin] = await sql<{ id: string; username: string }[]>`
    select id, username from shared.users
    where role = 'admin' and disabled_at is null
    order by created_at, id limit 1`;
  if (admin === undefined) {
    throw problem('setup-required', 'Make the administrator first: revenge setup --username NAME');
  }
  return {
    userId: admin.id,
    username: admin.username,
    role: 'admin',
    via: 'operator',
    credentialId: admin.id,
    permissions: permissionsOf('admin'),
  };
}
