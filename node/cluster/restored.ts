import { perEpoch } from '#cluster/state/limits.ts';
import type { InvalidationClock } from '#storage/cache/clock.ts';
import type { Ownership } from '#storage/cluster/owner.ts';

/**
 * Whether the database is of another epoch than the log: a restore has begun one, or an older
 * database took its place. What was cached of the one before says nothing of this one then. So it
 * is with one that was released: whoever leads claims it anew, or the next stranger could.
 */
export async function isRestored(
  owners: Pick<Ownership, 'read'>,
  logEpoch: number,
): Promise<boolean> {
  const owner = await owners.read();
  return owner?.epoch !== logEpoch;
}

/** The clock of a node that knows the database's epoch before the log tells: it trusts no other. */
export const sinceEpoch = (clock: InvalidationClock, epoch: number): InvalidationClock => ({
  ...clock,
  floor: () => Math.max(clock.floor(), epoch * perEpoch),
});
