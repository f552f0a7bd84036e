import type { Configuration, SnapshotMeta } from '../core/types.ts';
import { joinSnapshot } from '../store/join.ts';
import type { Snapshots } from '../store/snapshots.ts';
import { openSnapshots } from '../store/snapshots.ts';
import type { RaftStore } from '../store/store.ts';
import { openRaftStore } from '../store/store.ts';
import type { SnapshotSource } from '../transport/types.ts';
import type { Bytes, Log, Store } from './ports.ts';

export interface DiskOptions {
  readonly dir: string;
  /** An id whose votes were lost in a wipe is refused, and so is another's directory. */
  readonly id: string;
  readonly bootstrap: Configuration | undefined;
  readonly log: Log;
}

/** How long the process that had the directory before may take to be gone. */
const lockedMs = 5000;

/** The log and the snapshots of a data directory, as the driver wants them. */
export async function openDisk({ dir, id, bootstrap, log }: DiskOptions): Promise<Store> {
  const store = await openUnlocked({ dir, id, log });
  try {
    const snapshots = await openSnapshots({ dir });
    if (bootstrap && isEmpty(store)) await store.bootstrap(bootstrap);
    const { boot, skipped } = await joinSnapshot(dir, store.boot());
    // What the log has, no leader will send as a snapshot.
    await snapshots.partials.drop(boot.entries.at(-1)?.index ?? boot.snapshot?.index ?? 0);
    for (const { path, reason } of skipped) log.warn('passed over a snapshot', { path, reason });
    return {
      boot,
      save: (saves) => store.save(saves),
      hintCommit: (index) => store.hintCommit(index),
      async noteSnapshot(snapshot) {
        await store.noteSnapshot(snapshot);
        await snapshots.partials.drop(snapshot.index);
      },
      keptOf: (snapshot, content) => snapshots.partials.keptOf(snapshot, content),
      async createSnapshot(snapshot, rest) {
        const sink = await snapshots.create(snapshot, rest);
        return {
          write: (bytes) => sink.write(bytes),
          commit: (size) => sink.commit(size).then(() => undefined),
          abort: () => sink.abort(),
        };
      },
      openSnapshot: (snapshot) => openSnapshot(snapshots, snapshot),
      close: () => store.close(),
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

function isEmpty(store: RaftStore): boolean {
  const { hardState, snapshot, entries } = store.boot();
  return hardState.term === 0 && !snapshot && entries.length === 0;
}

async function openUnlocked({
  dir,
  id,
  log,
}: Pick<DiskOptions, 'dir' | 'id' | 'log'>): Promise<RaftStore> {
  const until = performance.now() + lockedMs;
  for (;;) {
    try {
      return await openRaftStore({ dir, id, log: (line) => log.info(line) });
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as { code?: string; cause?: unknown };
      const isLocked =
        code === 'LEVEL_LOCKED' || /in use by another/.test((error as Error).message);
      if (!isLocked || performance.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function openSnapshot(
  snapshots: Snapshots,
  { index, term }: SnapshotMeta,
): Promise<SnapshotSource> {
  const { files } = await snapshots.list();
  const file = files.find(({ meta }) => meta.index === index && meta.term === term);
  if (!file) throw new Error(`the snapshot at ${index} is not there`);
  const open = await snapshots.open(file);
  const { size, crc } = file;
  return { size, crc, read: (from) => open.stream(from) as Bytes, close: () => open.close() };
}
