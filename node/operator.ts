import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { problem } from '#services/errors.ts';
import type { Authenticate, Principal } from '#services/principal.ts';
import { permissionsOf, type Recheck } from '#services/users/index.ts';
import type { Sql } from '#storage/postgres/connect.ts';

/** The person at this machine's command line, who proves it by reading the data folder. */
export interface Operator {
  /** Good for this start of the node. */
  readonly token: string;
  /** A proof for the leader, which does not know that token: good for seconds, on any node. */
  readonly pass: () => string;
  /** Authenticates the operator, or asks `next`. */
  readonly authenticate: (next: Authenticate) => Authenticate;
  /** Looks again at the operator, or lets `next` look. */
  readonly recheck: (next: Recheck) => Recheck;
}

const passMs = 30_000;

export interface OperatorDeps {
  readonly sql: Sql;
  /** The same on all nodes. */
  readonly secret: Uint8Array;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Lets who can read the data folder act as the first administrator: that person could open the
 * database anyway. What the operator does is recorded under that administrator's name.
 */
export function createOperator({ sql, secret, now }: OperatorDeps): Operator {
  const token = `op_${randomBytes(32).toString('base64url')}`;
  const wanted = Buffer.from(token);
  const passUntil = (until: string) =>
    `op1_${until}_${createHmac('sha256', secret).update(until).digest('base64url')}`;
  const isPass = (bearer: string) => {
    const [, until = ''] = /^op1_(\d{13})_/.exec(bearer) ?? [];
    return until !== '' && Number(until) > now() && isSame(bearer, Buffer.from(passUntil(until)));
  };
  const isOperator = (bearer: string | undefined) =>
    bearer !== undefined && (isSame(bearer, wanted) || isPass(bearer));
  return {
    token,
    pass: () => passUntil(String(now() + passMs)),
    authenticate: (next) => async (credentials) =>
      isOperator(credentials.bearer) ? firstAdministrator(sql) : next(credentials),
    recheck: (next) => async (principal) =>
      principal.via === 'operator' ? firstAdministrator(sql) : next(principal),
  };
}

function isSame(given: string, wanted: Buffer): boolean {
  const bytes = Buffer.from(given);
  return bytes.length === wanted.length && timingSafeEqual(bytes, wanted);
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
