import type { Sql, Tx } from '../postgres/connect.ts';

/** A request that may come again: whose, under which key, and what it asks. */
export interface KeyedRequest {
  readonly principalId: string;
  readonly key: string;
  readonly operation: string;
  readonly requestHash: Uint8Array;
}

export interface KeptAnswer {
  readonly status: number;
  /** Undefined: an answer without a body. */
  readonly body: unknown;
}

/** Of one that was carried out; its answer is undefined when it was lost, or is still to come. */
export interface CarriedOut {
  readonly operation: string;
  readonly requestHash: Uint8Array;
  readonly answer: KeptAnswer | undefined;
}

/** Another request under this key was carried out at the same time: this one changed nothing. */
export class KeyTakenError extends Error {
  constructor() {
    super('a request with this idempotency key is being carried out');
    this.name = 'KeyTakenError';
  }
}

export interface IdempotencyKeys {
  find(request: KeyedRequest): Promise<CarriedOut | undefined>;
  /** Makes the key part of a change. @throws KeyTakenError */
  claim(tx: Tx, request: KeyedRequest): Promise<void>;
  /** Keeps the answer for who asks again; nothing for one that changed nothing. */
  keep(request: KeyedRequest, answer: KeptAnswer): Promise<void>;
  /** Forgets what is older; resolves to how many that were. */
  forget(olderThanMs: number): Promise<number>;
}

interface Row {
  readonly operation: string;
  readonly requestHash: Buffer;
  readonly status: number | null;
  readonly answer: { readonly body?: unknown } | null;
}

export function createIdempotencyKeys(sql: Sql): IdempotencyKeys {
  return {
    async find({ principalId, key }) {
      const [row] = await sql<Row[]>`
        select operation, request_hash as "requestHash", status, answer
        from shared.idempotency_keys
        where principal_id = ${principalId} and key = ${key}`;
      if (!row) return undefined;
      const { operation, requestHash, status, answer } = row;
      const kept = status === null ? undefined : { status, body: answer?.body };
      return { operation, requestHash, answer: kept };
    },
    async claim(tx, { principalId, key, operation, requestHash }) {
      const claimed = await tx`
        insert into shared.idempotency_keys (principal_id, key, operation, request_hash)
        values (${principalId}, ${key}, ${operation}, ${Buffer.from(requestHash)})
        on conflict do nothing`;
      if (claimed.count === 0) throw new KeyTakenError();
    },
    async keep({ principalId, key }, { status, body }) {
      const answer = sql.json({ body } as never);
      await sql`
        update shared.idempotency_keys set status = ${status}, answer = ${answer}
        where principal_id = ${principalId} and key = ${key}`;
    },
    async forget(olderThanMs) {
      const gone = await sql`
        delete from shared.idempotency_keys
        where created_at < now() - ${olderThanMs} * interval '1 millisecond'`;
      return gone.count;
    },
  };
}
