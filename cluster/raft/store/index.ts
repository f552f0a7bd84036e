export { DamagedError, StoreError } from './errors.ts';
export { createGroupCommit, type GroupCommit } from './group-commit.ts';
export { openRaftStore, type RaftStore, type RaftStoreOptions } from './store.ts';
export { joinSnapshot, type Joined } from './join.ts';
export {
  openSnapshots,
  type OpenSnapshot,
  type Skipped,
  type SnapshotFile,
  type Snapshots,
  type SnapshotSink,
} from './snapshots.ts';
