import type { Queryable } from '#storage/postgres/connect.ts';

/** Replaces the open offer, and with it the token of the start before. */
export async function putOffer(
  tx: Queryable,
  offer: { tokenHash: Buffer; expiresAt: Date },
): Promise<void> {
  await tx`
    insert into shared.setup (token_hash, expires_at)
    values (${offer.tokenHash}, ${offer.expiresAt})
    on conflict (only_one) do update
    set token_hash = excluded.token_hash, expires_at = excluded.expires_at, completed_at = null`;
}

/** The hash of the offered token, while it is good. */
export async function findOffer(sql: Queryable, at: Date): Promise<Buffer | undefined> {
  const [row] = await sql<{ tokenHash: Buffer }[]>`
    select token_hash as "tokenHash" from shared.setup
    where token_hash is not null and expires_at > ${at}`;
  return row?.tokenHash;
}

/**
 * Closes the set-up. The one row is the lock: of many that try, one after the other gets it, and
 * false tells those that come after the first. Without a hash the offer is not asked for.
 */
export async function closeSetup(
  tx: Queryable,
  closing: { tokenHash: Buffer | undefined; at: Date },
): Promise<boolean> {
  const { tokenHash, at } = closing;
  if (tokenHash !== undefined) {
    const { count } = await tx`
      update shared.setup set completed_at = ${at}, token_hash = null, expires_at = null
      where completed_at is null and token_hash = ${tokenHash} and expires_at > ${at}`;
    return count > 0;
  }
  const { count } = await tx`
    insert into shared.setup (completed_at) values (${at})
    on conflict (only_one) do update
    set completed_at = excluded.completed_at, token_hash = null, expires_at = null`;
  return count > 0;
}
