import { createEncoder } from '#node/events/live.ts';
import { decodeHappening } from '#node/events/codec.ts';
import { createWrite } from '#node/write.ts';
import type { Write } from '#services/changes.ts';
import type { Happening } from '#services/events.ts';
import type { InvalidationClock } from '#storage/cache/clock.ts';
import { createOutbox, type Effects } from '#storage/cluster/outbox.ts';
import type { Sql } from '#storage/postgres/connect.ts';
import { quiet } from './log.ts';

/** What a write of a test needs besides its database and who is told of it. */
export const plainWrite = {
  terms: () => undefined,
  randomId: () => 'told',
  encodeEvent: createEncoder({ now: Date.now, log: quiet, onDropped: () => undefined }),
};

/** What is told, but for when. */
export type Told = Omit<Happening, 'at'>;

/** What a write tells. */
export const toldOf = (told: Effects['told']): Told[] =>
  (told?.events ?? []).map((text) => {
    const { name, payload, audience } = decodeHappening(text)!;
    return { name, payload, audience };
  });

/** Writes as any node may, announces on this clock, and says what is told. */
export const writeOn = (
  sql: Sql,
  clock: Pick<InvalidationClock, 'invalidate'>,
  onTold: (told: Effects['told']) => void = () => undefined,
): Write =>
  createWrite({
    ...{ sql, outbox: createOutbox(sql), ...plainWrite },
    async announce({ tags, told }) {
      const index = await clock.invalidate(tags);
      onTold(told);
      return index > 0;
    },
  });
