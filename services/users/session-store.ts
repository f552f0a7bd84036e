import type { Queryable } from '#storage/postgres/connect.ts';
import type { Principal } from '../principal.ts';
import type { Client } from './client.ts';

/** One session as a list shows it. */
export interface SessionRow {
  readonly id: string;
  readonly userId: string;
  readonly deviceName: string | null;
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly createdAt: Date;
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
}

/** What decides whether a session's access token holds. */
export interface SessionState {
  readonly sessionId: string;
  readonly userId: string;
  readonly username: string;
  readonly role: Principal['role'];
  readonly language: string | null;
  /** Those the user may see; null: all. */
  readonly libraryIds: readonly string[] | null;
  readonly isDisabled: boolean;
  readonly isRevoked: boolean;
  readonly expiresAtMs: number;
}

/** The state of one session; undefined when there is none of that id. */
export async function findSessionState(
  sql: Queryable,
  sessionId: string,
): Promise<SessionState | undefined> {
  const [row] = await sql<SessionState[]>`
    select s.id as "sessionId", u.id as "userId", u.username, u.role, u.language,
      u.library_ids as "libraryIds",
      u.disabled_at is not null as "isDisabled", s.revoked_at is not null as "isRevoked",
      floor(extract(epoch from s.expires_at) * 1000)::float8 as "expiresAtMs"
    from shared.sessions s join shared.users u on u.id = s.user_id
    where s.id = ${sessionId}`;
  return row;
}

/** Begins a session; resolves to its id. */
export async function insertSession(
  tx: Queryable,
  session: {
    userId: string;
    deviceName: string | undefined;
    client: Client;
    at: Date;
    expiresAt: Date;
    absoluteExpiresAt: Date;
  },
): Promise<string> {
  const { userId, deviceName, client, at, expiresAt, absoluteExpiresAt } = session;
  const [row] = await tx<{ id: string }[]>`
    insert into shared.sessions (user_id, device_name, ip, user_agent, created_at, last_seen_at,
      expires_at, absolute_expires_at)
    values (${userId}, ${deviceName ?? null}, ${client.ip ?? null}, ${client.userAgent ?? null},
      ${at}, ${at}, ${expiresAt}, ${absoluteExpiresAt})
    returning id`;
  if (row === undefined) throw new Error('an insert returned no row');
  return row.id;
}

/** Sessions of a user that are alive, newest first. */
export async function listSessions(
  sql: Queryable,
  userId: string,
  at: Date,
): Promise<SessionRow[]> {
  return sql<SessionRow[]>`
    select id, user_id as "userId", device_name as "deviceName", host(ip) as ip,
      user_agent as "userAgent", created_at as "createdAt", last_seen_at as "lastSeenAt",
      expires_at as "expiresAt"
    from shared.sessions
    where user_id = ${userId} and revoked_at is null and expires_at > ${at}
    order by created_at desc, id desc
    limit 1000`;
}

/** Ends one session of a user; false when it was not alive or not the user's. */
export async function revokeSession(
  tx: Queryable,
  session: { id: string; userId: string; reason: string; at: Date },
): Promise<boolean> {
  const { count } = await tx`
    update shared.sessions set revoked_at = ${session.at}, revoked_reason = ${session.reason}
    where id = ${session.id} and user_id = ${session.userId} and revoked_at is null`;
  return count > 0;
}

/** Ends all sessions of a user, but for one if given; resolves to the ids of those ended. */
export async function revokeSessions(
  tx: Queryable,
  which: { userId: string; exceptId?: string | undefined; reason: string; at: Date },
): Promise<string[]> {
  const rows = await tx<{ id: string }[]>`
    update shared.sessions set revoked_at = ${which.at}, revoked_reason = ${which.reason}
    where user_id = ${which.userId} and revoked_at is null and expires_at > ${which.at}
      ${which.exceptId === undefined ? tx`` : tx`and id <> ${which.exceptId}`}
    returning id`;
  return rows.map((row) => row.id);
}

/** Ends the least recently used sessions of a user beyond `keep`; resolves to their ids. */
export async function revokeSurplus(
  tx: Queryable,
  which: { userId: string; keep: number; at: Date },
): Promise<string[]> {
  const rows = await tx<{ id: string }[]>`
    update shared.sessions set revoked_at = ${which.at}, revoked_reason = 'too many'
    where id in (
      select id from shared.sessions
      where user_id = ${which.userId} and revoked_at is null and expires_at > ${which.at}
      order by last_seen_at desc, id desc offset ${which.keep}
    )
    returning id`;
  return rows.map((row) => row.id);
}

/** Whether a user has had a session from this address (IPv6: its network of 64 bits) lately. */
export async function hasSessionFrom(sql: Queryable, userId: string, ip: string): Promise<boolean> {
  const [row] = await sql<{ found: boolean }[]>`
    select exists (
      select from shared.sessions
      where user_id = ${userId} and family(ip) = family(${ip}::inet)
        and ip <<= network(
          set_masklen(${ip}::inet, case family(${ip}::inet) when 6 then 64 else 32 end)
        )
    ) as found`;
  return row?.found ?? false;
}

/** Deletes at most `limit` sessions that ended before a time, with their tokens. */
export async function deleteEndedSessions(
  tx: Queryable,
  before: Date,
  limit: number,
): Promise<number> {
  const { count } = await tx`
    delete from shared.sessions where id in (
      select id from shared.sessions
      where expires_at < ${before} or revoked_at < ${before} limit ${limit}
    )`;
  return count;
}
