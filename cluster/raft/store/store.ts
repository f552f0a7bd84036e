import { Level } from 'level';
import { join } from 'node:path';
import type { Boot, Configuration, Save, SnapshotMeta } from '../core/types.ts';
import { readAndCheck, type Database, type Found } from './check.ts';
import { encodeHardState, encodeNumber, keys } from './codec.ts';
import { encodeConfiguration } from '../wire/configuration.ts';
import { DamagedError, StoreError, describeError, hasCode } from './errors.ts';
import { checkIdentity, hasDatabase, makeFolder, readIdentity, writeIdentity } from './folder.ts';
import { createGroupCommit } from './group-commit.ts';
import { findRot } from './rot.ts';
import { planSave, removeRange, shapeOf, type Operation, type Shape } from './shape.ts';

export interface RaftStoreOptions {
  /** The data directory: `log/` is the LevelDB, `snapshots/` the snapshots, `identity.json`. */
  readonly dir: string;
  /** Whose data these must be; written down at the first opening that says it. */
  readonly id?: string;
  readonly log?: (line: string) => void;
}

export interface RaftStore {
  /** What was on disk at opening (or after `bootstrap`). */
  boot(): Boot;
  /** What was committed at least, from a note that was never synced. */
  readonly commitHint: number;
  /** Counts how often this directory was wiped; an id of an earlier generation must not return. */
  readonly generation: number;
  /**
   * Makes these durable, in order and all together, with whatever else waits. What needs no sync
   * resolves unsynced and is written once more with the next synced batch.
   */
  save(saves: readonly Save[]): Promise<void>;
  /**
   * This node's own snapshot is durable as a file. To be awaited before the core hears of it, as
   * the cut that follows takes what the snapshot holds. An older one than the last is passed over.
   */
  noteSnapshot(snapshot: SnapshotMeta): Promise<void>;
  /** A note that rides with the next batch. */
  hintCommit(index: number): void;
  /** Term 1, and `configuration` as entry 1. @throws StoreError unless all is empty */
  bootstrap(configuration: Configuration): Promise<Boot>;
  /** Set once a write has failed; nothing is taken any more. */
  failure(): StoreError | undefined;
  /** Waits for what is under way. */
  close(): Promise<void>;
}

const sliceSize = 1000;
const maxRiders = 10_000;
const options = {
  keyEncoding: 'buffer',
  valueEncoding: 'buffer',
  compression: false,
  writeBufferSize: 64 << 20,
  cacheSize: 1 << 20,
} as const;

/**
 * Opens the log, the vote and the snapshot record, and checks them.
 * @throws DamagedError when less is there than was promised
 * @throws StoreError when another process has it, or the disk does not answer
 */
export async function openRaftStore({ dir, id, log }: RaftStoreOptions): Promise<RaftStore> {
  const { database, generation } = await openDatabase(dir, id);
  try {
    const found = await readAndCheck(dir, database);
    return createStore({ dir, database, found, generation, log: log ?? (() => {}) });
  } catch (error) {
    await database.close().catch(() => {});
    throw asStoreError(dir, 'reading', error);
  }
}

async function openDatabase(dir: string, id: string | undefined): Promise<Opened> {
  const place = join(dir, 'log');
  try {
    await makeFolder(dir);
    const identity = await readIdentity(dir);
    checkIdentity(dir, identity, id);
    const isNew = !identity?.hasLog;
    // LevelDB would begin anew without a word, and an old vote would be forgotten with it.
    if (!isNew && !(await hasDatabase(place))) throw new DamagedError(dir, `${place} is missing`);
    const rot = isNew ? undefined : await findRot(place);
    if (rot) throw new DamagedError(dir, rot);
    const database: Database = new Level(place, { ...options, createIfMissing: isNew });
    await database.open();
    try {
      if (isNew) await begin(database);
      const now = { generation: 1, retired: [], ...identity, hasLog: true, ...(id && { id }) };
      if (isNew || now.id !== identity.id) await writeIdentity(dir, now);
      return { database, generation: now.generation };
    } catch (error) {
      await database.close();
      throw error;
    }
  } catch (error) {
    throw asStoreError(dir, 'opening', error);
  }
}

interface Opened {
  readonly database: Database;
  readonly generation: number;
}

/** A crash before the identity was written left nothing, or all of this; nothing was promised. */
async function begin(database: Database): Promise<void> {
  const isEmpty = (await database.keys({ limit: 1 }).all()).length === 0;
  if (!isEmpty) return;
  const hardState = encodeHardState({ term: 0, vote: undefined });
  await database.batch(
    [
      { type: 'put', key: keys.version, value: encodeNumber(keys.version, 1) },
      { type: 'put', key: keys.hardState, value: hardState },
    ],
    { sync: true },
  );
}

function asStoreError(dir: string, doing: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  if (hasCode(error, 'LEVEL_LOCKED')) {
    return new StoreError(`the Raft data in ${dir} is in use by another process`, { cause: error });
  }
  if (hasCode(error, 'LEVEL_CORRUPTION')) {
    return new DamagedError(dir, `LevelDB says: ${describeError(error)}`, error);
  }
  const message = `${doing} the Raft data in ${dir} failed: ${describeError(error)}`;
  return new StoreError(message, { cause: error });
}

interface Parts {
  readonly dir: string;
  readonly database: Database;
  readonly found: Found;
  readonly generation: number;
  readonly log: (line: string) => void;
}

function createStore({ dir, database, found, generation, log }: Parts): RaftStore {
  const { commitHint, leftovers, ...boot } = found;
  let current: Boot = boot;
  let isClosed = false;
  const shape = shapeOf(boot);
  const failed = (doing: string, error: unknown) => {
    failure ??= asStoreError(dir, doing, error);
    return failure;
  };
  let failure: StoreError | undefined;
  const writer = createWriter(database, shape);
  const commits = createGroupCommit<Save>((saves) =>
    writer.write(saves).then(cut, (error: unknown) => {
      throw failed('writing', error);
    }),
  );
  const cutter = createCutter(database, shape);

  function cut(): void {
    cutter.run().catch((error: unknown) => commits.fail(failed('cutting', error)));
  }

  function save(saves: readonly Save[]): Promise<void> {
    if (isClosed) return Promise.reject(new StoreError(`the Raft store in ${dir} is closed`));
    return saves.length === 0 ? Promise.resolve() : commits.add(...saves);
  }

  if (leftovers.length > 0) {
    log(`${leftovers.length} entries behind the snapshot were left by a cut; removing them`);
    cutter.remove(leftovers).catch((error: unknown) => commits.fail(failed('cutting', error)));
  }

  return {
    boot: () => current,
    commitHint,
    generation,
    save,
    async noteSnapshot(snapshot) {
      if (snapshot.index < (shape.snapshot?.index ?? 0)) return;
      await save([{ number: 0, snapshot, entries: [], mustSync: true }]);
    },
    hintCommit: (index) => writer.hint(index),
    async bootstrap(configuration) {
      if (generation > 1) {
        throw new StoreError(`${dir} was wiped to rejoin; it waits to be added, not bootstrapped`);
      }
      if (shape.hardState.term > 0 || shape.last > 0) {
        throw new StoreError(`${dir} already holds a log; only an empty one can be bootstrapped`);
      }
      const save1 = firstSave(configuration);
      await save([save1]);
      current = { hardState: save1.hardState, snapshot: undefined, entries: save1.entries };
      return current;
    },
    failure: () => failure,
    async close() {
      isClosed = true;
      await commits.idle();
      await cutter.idle();
      await database.close();
    },
  };
}

function firstSave(configuration: Configuration) {
  const entry = { index: 1, term: 1, type: 'configuration', configuration } as const;
  return {
    number: 0,
    hardState: { term: 1, vote: undefined },
    entries: [{ ...entry, data: encodeConfiguration(configuration) }],
    mustSync: true,
  };
}

/**
 * LevelDB does not sync the log file that it leaves for a new one, so a power failure could lose
 * an unsynced batch that a synced one came after. What was unsynced therefore rides again.
 */
function createWriter(database: Database, shape: Shape) {
  let riders: Operation[] = [];
  let hinted: number | undefined;
  return {
    hint(index: number) {
      hinted = index;
    },
    async write(saves: readonly Save[]): Promise<void> {
      const operations: Operation[] = [];
      for (const save of saves) planSave(shape, save, operations);
      const sync = saves.some(({ mustSync }) => mustSync) || riders.length > maxRiders;
      if (!sync) riders.push(...operations);
      else if (riders.length > 0) operations.unshift(...riders);
      if (hinted !== undefined) {
        const value = encodeNumber(keys.commitHint, hinted);
        operations.push({ type: 'put', key: keys.commitHint, value });
        hinted = undefined;
      }
      if (sync) {
        // In each synced batch, so that one that rots in LevelDB's file takes no vote with it.
        const value = encodeHardState(shape.hardState);
        operations.push({ type: 'put', key: keys.hardState, value });
      }
      await database.batch(operations, { sync });
      if (sync) riders = [];
    },
  };
}

/** Removes what may go, beside the saves, unsynced, a slice at a time. */
function createCutter(database: Database, shape: Shape) {
  let running: Promise<void> | undefined;

  async function cut(): Promise<void> {
    while (shape.lowest <= shape.compactTo) {
      const to = Math.min(shape.compactTo, shape.lowest + sliceSize - 1);
      const operations: Operation[] = [];
      removeRange(shape.lowest, to, operations);
      await database.batch(operations);
      shape.lowest = Math.max(shape.lowest, to + 1);
    }
  }

  function start(work: () => Promise<void>): Promise<void> {
    running ??= work().finally(() => (running = undefined));
    return running;
  }

  return {
    run: () => (shape.lowest <= shape.compactTo ? start(cut) : Promise.resolve()),
    remove: (indices: readonly number[]) =>
      start(async () => {
        for (let at = 0; at < indices.length; at += sliceSize) {
          const operations: Operation[] = [];
          for (const index of indices.slice(at, at + sliceSize))
            removeRange(index, index, operations);
          await database.batch(operations);
        }
      }),
    idle: async () => running?.catch(() => {}),
  };
}
