import type { Duty } from '#cluster/member/duties.ts';
import { pause } from '#cluster/member/pause.ts';
import { createIdempotencyKeys } from '#storage/cluster/idempotency.ts';
import type { Sql } from '#storage/postgres/connect.ts';

const hourMs = 3_600_000;
/** A client that has not asked again by then does not. */
const keysLastMs = 24 * hourMs;

/** What the leader does for all, beside what the cluster itself needs. */
export const leaderDuties = (sql: Sql): readonly Duty[] => [
  {
    name: 'forget old idempotency keys',
    async run({ signal }) {
      for (;;) {
        await createIdempotencyKeys(sql).forget(keysLastMs);
        await pause(hourMs, signal);
        if (signal.aborted) return;
      }
    },
  },
];
