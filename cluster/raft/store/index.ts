export { DamagedError, StoreError } from './errors.ts';
export { createGroupCommit, type GroupCommit } from './group-commit.ts';
export { openRaftStore, type RaftStore, type RaftStoreOptions } from './store.ts';
