import type { Level } from 'level';
import type { Boot, Entry, SnapshotMeta } from '../core/types.ts';
import {
  decodeEntry,
  decodeHardState,
  decodeNumber,
  decodeSnapshotMeta,
  indexOfKey,
  keys,
} from './codec.ts';
import { DamagedError, describeError } from './errors.ts';

export type Database = Level<Uint8Array, Uint8Array>;

export interface Found extends Boot {
  /** Committed according to an unsynced note; never above what is durable. */
  readonly commitHint: number;
  /** Leftovers of a cut that a power failure undid in part: behind the snapshot, not needed. */
  readonly leftovers: readonly number[];
}

const layoutVersion = 1;
const chunk = 1000;

/**
 * Reads everything and checks that it is what was promised.
 * @throws DamagedError
 */
export async function readAndCheck(dir: string, database: Database): Promise<Found> {
  const damaged = (reason: string, cause?: unknown) => new DamagedError(dir, reason, cause);
  async function read<T>(what: string, key: Uint8Array, decode: (raw: Uint8Array) => T) {
    const raw = await database.get(key);
    try {
      return raw && decode(raw);
    } catch (error) {
      throw damaged(`${what} ${describeError(error)}`, error);
    }
  }
  const version = await read('the version', keys.version, (raw) => decodeNumber(keys.version, raw));
  if (version === undefined) throw damaged('the version is missing');
  if (version !== layoutVersion) {
    throw damaged(`its layout is version ${version}, this program knows ${layoutVersion}`);
  }
  const hardState = await read('the vote', keys.hardState, decodeHardState);
  if (!hardState) throw damaged('the vote is missing');
  const snapshot = await read('the snapshot record', keys.snapshot, decodeSnapshotMeta);
  const hint = await read('the commit hint', keys.commitHint, (raw) =>
    decodeNumber(keys.commitHint, raw),
  );
  const log = await readLog(database, snapshot, damaged);
  checkEnds(log.entries, { snapshot, term: hardState.term }, damaged);
  const last = log.entries.at(-1)?.index ?? snapshot?.index ?? 0;
  return { hardState, snapshot, ...log, commitHint: Math.min(hint ?? 0, last) };
}

type Damaged = (reason: string, cause?: unknown) => DamagedError;

async function readLog(
  database: Database,
  snapshot: SnapshotMeta | undefined,
  damaged: Damaged,
): Promise<{ entries: Entry[]; leftovers: number[] }> {
  const end = snapshot?.index ?? 0;
  let entries: Entry[] = [];
  const leftovers: number[] = [];
  const iterator = database.iterator({
    gte: keys.logStart,
    lt: keys.logEnd,
    fillCache: false,
    highWaterMarkBytes: 1 << 20,
  });
  try {
    for (;;) {
      const found = await iterator.nextv(chunk);
      if (found.length === 0) return { entries, leftovers };
      for (const [key, raw] of found) {
        const { entry, previousTerm } = decodeAt(key, raw, damaged);
        const expected = (entries.at(-1)?.index ?? entry.index - 1) + 1;
        if (entry.index !== expected) {
          if (expected > end) throw damaged(missing(expected, entry.index - 1));
          // Cutting is not synced: after a power failure a slice may be back, or half of it.
          for (const { index } of entries) leftovers.push(index);
          entries = [];
        }
        checkStep(entry, previousTerm, { before: entries.at(-1), snapshot, damaged });
        entries.push(entry);
      }
    }
  } finally {
    await iterator.close();
  }
}

function decodeAt(key: Uint8Array, raw: Uint8Array, damaged: Damaged) {
  if (key.length !== 9) throw damaged(`a log key has ${key.length} bytes, 9 expected`);
  try {
    return decodeEntry(key, raw);
  } catch (error) {
    throw damaged(`entry ${indexOfKey(key)} ${describeError(error)}`, error);
  }
}

interface Neighbours {
  readonly before: Entry | undefined;
  readonly snapshot: SnapshotMeta | undefined;
  readonly damaged: Damaged;
}

function checkStep(entry: Entry, previousTerm: number, around: Neighbours): void {
  const { before, snapshot, damaged } = around;
  const { index, term } = entry;
  if (before && term < before.term) {
    throw damaged(`entry ${index} has term ${term}, below term ${before.term} of the one before`);
  }
  const known = before ? before.term : joined(index - 1, snapshot);
  if (known !== undefined && known !== previousTerm) {
    throw damaged(`entry ${index} was written after one of term ${previousTerm}, not ${known}`);
  }
  if (snapshot?.index === index && snapshot.term !== term) {
    throw damaged(`entry ${index} has term ${term}, the snapshot there ${snapshot.term}`);
  }
}

function joined(index: number, snapshot: SnapshotMeta | undefined): number | undefined {
  if (index === 0) return 0;
  return snapshot?.index === index ? snapshot.term : undefined;
}

function checkEnds(
  entries: readonly Entry[],
  { snapshot, term }: { snapshot: SnapshotMeta | undefined; term: number },
  damaged: Damaged,
): void {
  const end = snapshot?.index ?? 0;
  const first = entries[0];
  const last = entries.at(-1);
  if (first && first.index > end + 1) throw damaged(missing(end + 1, first.index - 1));
  if (last && last.index < end) {
    throw damaged(`the log ends at ${last.index}, before the snapshot at ${end}`);
  }
  const lastTerm = last?.term ?? snapshot?.term ?? 0;
  if (lastTerm > term) {
    throw damaged(`the vote is of term ${term}, the log of term ${lastTerm}: a vote was lost`);
  }
}

const missing = (from: number, to: number) =>
  from === to ? `entry ${from} is missing` : `entries ${from} to ${to} are missing`;
