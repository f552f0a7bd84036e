import type { RegisterRead, RegisterWrite } from './record.ts';

/**
 * Whether some order of a register's writes and reads explains them (Gibbons and Korach, Testing
 * Shared Memories, 1997): as no value is written twice, each write and the reads of it take one
 * stretch of time, and stretches may not cross. Unlike a search it never gives up, however many
 * clients write at once.
 */

/** A write and the reads of it. */
interface Cluster {
  readonly value: string;
  /** When the first of them was over, and when the last of them began. */
  readonly firstEnd: number;
  readonly lastStart: number;
}

type Write = Pick<RegisterWrite, 'value' | 'callAt' | 'endAt'>;
type Read = Pick<RegisterRead, 'value' | 'callAt' | 'endAt'>;

/** Why no order explains them; empty: one does. `initial` was there before all of them. */
export function contradictions(
  writes: readonly Write[],
  reads: readonly Read[],
  initial: string | null,
): string[] {
  const first = { value: initial, callAt: -Infinity, endAt: -Infinity };
  const byValue = Map.groupBy(reads, ({ value }) => value);
  const found: string[] = [];
  const clusters: Cluster[] = [];
  for (const write of [first, ...writes]) {
    const own = byValue.get(write.value) ?? [];
    byValue.delete(write.value);
    // Nobody knows whether it happened, and it need not have.
    if (write.endAt === Infinity && own.length === 0) continue;
    const value = String(write.value);
    if (own.some(({ endAt }) => endAt < write.callAt)) found.push(`${value} before it was written`);
    clusters.push({
      value,
      firstEnd: Math.min(write.endAt, ...own.map(({ endAt }) => endAt)),
      lastStart: Math.max(write.callAt, ...own.map(({ callAt }) => callAt)),
    });
  }
  for (const value of byValue.keys()) found.push(`${value}, which nobody wrote`);
  return [...found, ...crossings(clusters)];
}

function crossings(clusters: readonly Cluster[]): string[] {
  // Between its first end and its last start the register held this value, and no other.
  const held = clusters
    .filter(({ firstEnd, lastStart }) => firstEnd < lastStart)
    .sort((a, b) => a.firstEnd - b.firstEnd);
  const found: string[] = [];
  held.forEach((each, nth) => {
    const before = held[nth - 1];
    if (before && before.lastStart > each.firstEnd) {
      found.push(`${before.value} again, after ${each.value}`);
    }
  });
  for (const { value, firstEnd, lastStart } of clusters) {
    if (firstEnd < lastStart) continue;
    const around = held.find((each) => each.firstEnd < lastStart && firstEnd < each.lastStart);
    if (around) found.push(`${value} came and went while it was ${around.value}`);
  }
  return found;
}
