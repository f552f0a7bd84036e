import type { Queryable } from '#storage/postgres/connect.ts';
import type { Principal } from '../principal.ts';
import type { Client } from './client.ts';

/** A refresh token that has just been spent, with what is needed to go on. */
export interface SpentToken {
  readonly sessionId: string;
  readonly userId: string;
  readonly username: string;
  readonly role: Principal['role'];
  readonly isDisabled: boolean;
  readonly absoluteExpiresAt: Date;
}

/** What is known of a refresh token that could not be spent. */
export interface KnownToken extends SpentToken {
  readonly expiresAt: Date;
  readonly sessionExpiresAt: Date;
  readonly isRevoked: boolean;
  readonly usedAt: Date | null;
  readonly ip: string | null;
  readonly userAgent: string | null;
  /** Null once the successor is spent. */
  readonly successorSealed: Buffer | null;
  readonly successorExpiresAt: Date | null;
}

const who = (sql: Queryable) => sql`
  s.id as "sessionId", u.id as "userId", u.username, u.role,
  u.disabled_at is not null as "isDisabled", s.absolute_expires_at as "absoluteExpiresAt"`;

/** Adds a token to a session. */
export async function insertToken(
  tx: Queryable,
  token: { hash: Buffer; sessionId: string; at: Date; expiresAt: Date },
): Promise<void> {
  await tx`
    insert into shared.refresh_tokens (token_hash, session_id, created_at, expires_at)
    values (${token.hash}, ${token.sessionId}, ${token.at}, ${token.expiresAt})`;
}

/**
 * Spends a token and names its successor, in one statement: of many that try at once exactly one
 * gets the row. Undefined when it is unknown, used, expired, or its session has ended.
 */
export async function spendToken(
  tx: Queryable,
  token: { hash: Buffer; at: Date; successorHash: Buffer; successorSealed: Buffer },
): Promise<SpentToken | undefined> {
  const { hash, at, successorHash, successorSealed } = token;
  const [row] = await tx<SpentToken[]>`
    update shared.refresh_tokens r
    set used_at = ${at}, successor_hash = ${successorHash}, successor_sealed = ${successorSealed}
    from shared.sessions s join shared.users u on u.id = s.user_id
    where r.token_hash = ${hash} and r.used_at is null and r.expires_at > ${at}
      and s.id = r.session_id and s.revoked_at is null and s.expires_at > ${at}
      and u.disabled_at is null
    returning ${who(tx)}`;
  return row;
}

/** All that is known of a token, to say why it could not be spent. */
export async function findToken(tx: Queryable, hash: Buffer): Promise<KnownToken | undefined> {
  const [row] = await tx<KnownToken[]>`
    select ${who(tx)}, r.expires_at as "expiresAt", s.expires_at as "sessionExpiresAt",
      s.revoked_at is not null as "isRevoked", r.used_at as "usedAt", host(s.ip) as ip,
      s.user_agent as "userAgent", r.successor_sealed as "successorSealed",
      next.expires_at as "successorExpiresAt"
    from shared.refresh_tokens r
      join shared.sessions s on s.id = r.session_id
      join shared.users u on u.id = s.user_id
      left join shared.refresh_tokens next on next.token_hash = r.successor_hash
    where r.token_hash = ${hash}`;
  return row;
}

/** Notes that a session was used: from where, and until when it now lasts. */
export async function touchSession(
  tx: Queryable,
  session: { id: string; client: Client; at: Date; expiresAt: Date },
): Promise<void> {
  const { id, client, at, expiresAt } = session;
  await tx`
    update shared.sessions
    set last_seen_at = ${at}, expires_at = ${expiresAt}, ip = ${client.ip ?? null},
      user_agent = ${client.userAgent ?? null}
    where id = ${id}`;
}

/**
 * Forgets the sealed form of a token that is now spent itself, so that an old token and a copy of
 * the database never lead to the live one.
 */
export async function dropSeal(
  tx: Queryable,
  spent: { sessionId: string; hash: Buffer },
): Promise<void> {
  await tx`
    update shared.refresh_tokens set successor_sealed = null
    where session_id = ${spent.sessionId} and successor_sealed is not null
      and successor_hash = ${spent.hash}`;
}

/** Deletes at most `limit` tokens that expired before a time. */
export async function deleteExpiredTokens(
  tx: Queryable,
  before: Date,
  limit: number,
): Promise<number> {
  const { count } = await tx`
    delete from shared.refresh_tokens where token_hash in (
      select token_hash from shared.refresh_tokens where expires_at < ${before} limit ${limit}
    )`;
  return count;
}
