import { createHash } from 'node:crypto';
import type { JsonAnswer } from '#api/handler.ts';
import { problem } from '#services/errors.ts';
import type { IdempotencyKeys, KeyedRequest } from '#storage/cluster/idempotency.ts';
import { withFirst } from './fence.ts';
import type { OncePort } from './http/once.ts';

/** Carries out at most once what comes under one key; see `migrations/000012`. */
export function createOnce(keys: IdempotencyKeys): OncePort {
  return {
    async carryOut({ request: asked, ...named }, work) {
      const requestHash = createHash('sha256').update(asked).digest();
      const request: KeyedRequest = { ...named, requestHash };
      const before = await keys.find(request);
      if (before) return answerOf(before, request);
      const answer = await withFirst((tx) => keys.claim(tx, request), work);
      await keys.keep(request, { status: answer.status, body: answer.body });
      return answer;
    },
  };
}

function answerOf(
  { operation, requestHash, answer }: NonNullable<Awaited<ReturnType<IdempotencyKeys['find']>>>,
  request: KeyedRequest,
): JsonAnswer<unknown> {
  const isSame =
    operation === request.operation && Buffer.from(request.requestHash).equals(requestHash);
  if (!isSame) {
    throw problem('unprocessable', 'This Idempotency-Key was used for another request');
  }
  if (answer) return { status: answer.status, body: answer.body };
  throw problem(
    'conflict',
    'This was carried out, or still is; its answer is not there (any more)',
  );
}
