import { createWrite } from '#node/write.ts';
import type { Write } from '#services/changes.ts';
import type { InvalidationClock } from '#storage/cache/clock.ts';
import { createOutbox } from '#storage/cluster/outbox.ts';
import type { Sql } from '#storage/postgres/connect.ts';

/** Writes as any node may, and announces on this clock. */
export const writeOn = (sql: Sql, clock: Pick<InvalidationClock, 'invalidate'>): Write =>
  createWrite({
    sql,
    outbox: createOutbox(sql),
    terms: () => undefined,
    announce: async (tags) => (await clock.invalidate(tags)) > 0,
  });
