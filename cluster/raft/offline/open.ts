import { join } from 'node:path';
import type { Boot } from '../core/types.ts';
import { StoreError } from '../store/errors.ts';
import { hasDatabase, readIdentity, type Identity } from '../store/folder.ts';
import { joinSnapshot, type Joined } from '../store/join.ts';
import { openRaftStore, type RaftStore } from '../store/store.ts';

export interface Data extends Joined {
  readonly store: RaftStore;
  readonly identity: Identity | undefined;
  /** As the log has it; `boot` may stand on another snapshot. */
  readonly found: Boot;
}

/**
 * Opens the data of a node that is not running, checked as at its start.
 * @throws DamagedError, StoreError
 */
export async function withData<T>(dir: string, work: (data: Data) => Promise<T>): Promise<T> {
  const identity = await readIdentity(dir);
  if (!identity?.hasLog && !identity?.isBeingWiped && !(await hasDatabase(join(dir, 'log')))) {
    throw new StoreError(`there are no Raft data in ${dir}`);
  }
  const store = await openRaftStore({ dir });
  try {
    const found = store.boot();
    return await work({ store, identity, found, ...(await joinSnapshot(dir, found)) });
  } finally {
    await store.close();
  }
}
