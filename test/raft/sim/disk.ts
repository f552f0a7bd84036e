import type { Boot, HardState, Save } from '#cluster/raft/core/types.ts';
import { createMirror, mirrorLast, mirrorTerm, saveToMirror } from './mirror.ts';
import { after, must } from './world.ts';
import type { Disk, SimNode, World } from './types.ts';

export const placeOf = ({ index, term }: { readonly index: number; readonly term: number }) =>
  `${index}.${term}`;

export function createDisk(): Disk {
  return {
    hardState: { term: 0, vote: undefined },
    snapshot: undefined,
    log: createMirror(),
    pending: [],
    isSyncing: false,
    isSlow: false,
    isFull: false,
    files: new Map(),
    votes: new Map(),
  };
}

export function bootOf({ hardState, snapshot, log }: Disk): Boot {
  return { hardState, snapshot: snapshot?.meta, entries: [...log.entries] };
}

export const durableLast = (disk: Disk): number =>
  Math.max(mirrorLast(disk.log), disk.snapshot?.meta.index ?? 0);

/** Whether the disk holds the entry, or a snapshot that stands for it. */
export function holds(disk: Disk, index: number, term: number): boolean {
  if (index <= (disk.snapshot?.meta.index ?? 0)) return true;
  return mirrorTerm(disk.log, index) === term;
}

/** One save becomes durable, as a whole. */
function settle(node: SimNode, save: Save): void {
  const { disk } = node;
  if (save.hardState) settleVote(node, save.hardState);
  if (save.snapshot) {
    const content = disk.files.get(placeOf(save.snapshot));
    must(content !== undefined, 'snapshots', () => `${node.id} saves a snapshot it never received`);
    must(
      save.snapshot.index >= (disk.snapshot?.meta.index ?? 0),
      'snapshots',
      () => `${node.id} goes back to the snapshot at ${save.snapshot?.index}`,
    );
    disk.snapshot = { meta: save.snapshot, content: content! };
    disk.files.clear();
  }
  const cut = save.truncateFrom ?? Infinity;
  must(cut > (disk.snapshot?.meta.index ?? 0), 'snapshots', () => `${node.id} cuts its snapshot`);
  must(
    (save.compactTo ?? 0) <= (disk.snapshot?.meta.index ?? 0),
    'snapshots',
    () => `${node.id} compacts to ${save.compactTo}, beyond its snapshot`,
  );
  const wrong = saveToMirror(disk.log, save);
  must(wrong === undefined, 'log matching', () => `the log of ${node.id} on disk: ${wrong}`);
}

/** Property 7: one vote per term, and no way back, whatever crashes. */
function settleVote({ id, disk }: SimNode, { term, vote }: HardState): void {
  const old = disk.hardState;
  must(term >= old.term, 'vote safety', () => `${id} goes back from term ${old.term} to ${term}`);
  const before = disk.votes.get(term);
  must(
    before === undefined || before === vote?.address,
    'vote safety',
    () => `${id} voted for ${before} in term ${term}, now for ${vote?.address ?? 'nobody'}`,
  );
  if (vote) disk.votes.set(term, vote.address);
  disk.hardState = { term, vote };
}

export function addSave(world: World, node: SimNode, save: Save): void {
  node.disk.pending.push(save);
  if (!node.disk.isSyncing) sync(world, node);
}

/** One sync at a time; it takes all that waits. */
function sync(world: World, node: SimNode): void {
  const { disk, epoch } = node;
  const batch = disk.pending.slice();
  const last = batch[batch.length - 1];
  if (!last) return;
  disk.isSyncing = true;
  const { disk: random } = world.random;
  const slow = disk.isSlow ? 20 : 1;
  after(world, random.between(0.05, world.profile.maxSyncMs) * slow, () => {
    if (node.epoch !== epoch) return;
    if (disk.isFull) return world.diskEvents.onFull(node);
    for (const save of batch) settle(node, save);
    disk.pending = disk.pending.slice(batch.length);
    disk.isSyncing = false;
    sync(world, node);
    world.diskEvents.onSaved(node, last.number);
  });
}

/** Of what was never synced, a prefix may have reached the disk. */
export function crashDisk(world: World, node: SimNode): void {
  const { disk } = node;
  const survivors = world.random.disk.below(disk.pending.length + 1);
  for (const save of disk.pending.slice(0, survivors)) settle(node, save);
  disk.pending = [];
  disk.isSyncing = false;
}
