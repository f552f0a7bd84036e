import { contradictions } from './order.ts';
import type { Recording, RegisterRead, RegisterWrite } from './record.ts';

/** What a round's clients saw that they may not see; all empty and zero when all is well. */
export interface Judgement {
  /** Acknowledged, and not there, on any node or in the database. */
  readonly lost: readonly string[];
  /** Happened twice under one key. */
  readonly doubled: readonly string[];
  /** Reads that named an index and got something older. */
  readonly stale: readonly string[];
  /** A client's own progress, not there on another node that it told its index. */
  readonly unseen: readonly string[];
  /** What no order of a register's writes and reads explains. */
  readonly unordered: readonly string[];
  readonly wrongBytes: number;
  /** How old, at most, what a client read that named no index, in milliseconds. */
  readonly oldestReadMs: number;
  readonly registersChecked: number;
}

/** How often each name was made, by the database's own log. */
export type Made = ReadonlyMap<string, number>;

/** Judges what was recorded; `last` are reads of every register at every node after all was over. */
export function judge(
  recording: Recording,
  { made, last }: { made: Made; last: readonly RegisterRead[] },
): Judgement {
  const byRegister = Map.groupBy(recording.writes, ({ register }) => register);
  const writesOf = (register: string) => byRegister.get(register) ?? [];
  const reads = recording.reads.filter(({ index }) => index !== undefined);
  const stale = reads.flatMap((read) => staleOf(read, writesOf(read.register)));
  const gone = last.flatMap((read) =>
    staleOf({ ...read, index: Infinity }, writesOf(read.register)),
  );
  const appends = recording.appends;
  const missing = appends.filter(
    ({ name, isAcknowledged, seen }) => isAcknowledged && (!made.has(name) || seen === 0),
  );
  const unordered = [...byRegister].flatMap(([register, writes]) =>
    checkOrder(
      writes,
      reads.filter((read) => read.register === register),
    ),
  );
  return {
    lost: [...gone, ...missing.map(({ name, seen }) => `${name}: seen ${seen}`)],
    doubled: appends
      .filter(({ name, seen = 0 }) => (made.get(name) ?? 0) > 1 || seen > 1)
      .map(({ name }) => name),
    stale,
    unseen: recording.progress
      .filter(({ expected, found }) => found < expected)
      .map(({ expected, found, node }) => `n${node + 1}: ${found} instead of ${expected}`),
    unordered,
    wrongBytes: recording.wrongBytes,
    oldestReadMs: Math.max(
      0,
      ...recording.reads.map((read) => ageOf(read, writesOf(read.register))),
    ),
    registersChecked: byRegister.size,
  };
}

/** The first acknowledged write that certainly came after the one that was read, if there is one. */
function overwriterOf(
  { value }: RegisterRead,
  writes: readonly RegisterWrite[],
  isCounted: (write: RegisterWrite) => boolean,
): RegisterWrite | undefined {
  const seen = writes.find((write) => write.value === value);
  // What is no write of the round's is what was there before it.
  const seenEnd = seen ? seen.endAt : -Infinity;
  return writes
    .filter((write) => write.endAt < Infinity && write.callAt > seenEnd && isCounted(write))
    .sort((a, b) => a.endAt - b.endAt)[0];
}

/** Older than the index it named: an acknowledged write below that index is not in it. */
function staleOf(read: RegisterRead, writes: readonly RegisterWrite[]): string[] {
  const { index = -1, node, value } = read;
  const newer = overwriterOf(read, writes, (write) => {
    if (index === Infinity) return true;
    // An index counts from when it is told: nobody could have named it for this write before.
    return write.index !== undefined && write.index <= index && write.endAt < read.callAt;
  });
  if (!newer) return [];
  const late = Math.round(read.callAt - newer.endAt);
  return [`n${node + 1} at ${Math.round(read.callAt)}: ${value}, ${late} ms after ${newer.value}`];
}

/** For how long what was read had been overwritten, in milliseconds. */
function ageOf(read: RegisterRead, writes: readonly RegisterWrite[]): number {
  const newer = overwriterOf(read, writes, ({ endAt }) => endAt < read.callAt);
  return newer ? read.callAt - newer.endAt : 0;
}

/** Until then a change that nobody acknowledged is announced to all nodes by whoever leads. */
const announcedMs = 6_000;

/**
 * Reads that name the highest index anybody was told are to be linearizable with the writes. An
 * index is told with the acknowledgement, so who reads a value before that has overtaken it: such
 * a read counts as over when the write is.
 */
export function checkOrder(
  writes: readonly RegisterWrite[],
  reads: readonly RegisterRead[],
): string[] {
  const ends = new Map(writes.map(({ value, endAt }) => [value, endAt]));
  // What was there before the round is what somebody read and nobody wrote.
  const initial = reads.find(({ value }) => value !== null && !ends.has(value))?.value ?? null;
  const settled = reads.map(({ value, callAt, endAt }) => {
    const written = ends.get(value ?? '') ?? -Infinity;
    const until = written === Infinity ? endAt + announcedMs : Math.max(endAt, written);
    return { value, callAt, endAt: until };
  });
  return contradictions(writes, settled, initial);
}
