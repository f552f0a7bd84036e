import type {
  Effects,
  Input,
  Outcome,
  Receive,
  Request,
  SnapshotMeta,
} from '#cluster/raft/core/types.ts';
import { checkStep } from './checks.ts';
import { addSave, bootOf, crashDisk, createDisk, durableLast, placeOf } from './disk.ts';
import { commitOf } from './ledger.ts';
import { applyTo, configurationText, emptyMachine } from './machine.ts';
import { copyMirror, createMirror } from './mirror.ts';
import { contentOf, isAskerThere, sendReply, sendRequest } from './network.ts';
import { checkReply, checkSend } from './promises.ts';
import { after, count, localTime, must, onNode, trace } from './world.ts';
import type { SimNode, World } from './types.ts';

export function createNode(id: string, address: string): SimNode {
  return {
    ...{ id, address, disk: createDisk(), raft: undefined, epoch: 0, isGone: false },
    ...{ isPaused: false, inbox: [], clock: { at: 0, local: 0, rate: 1 }, timerAt: Infinity },
    status: {
      ...{ id, role: 'follower', term: 0, leader: undefined, commit: 0, durable: 0 },
      ...{ lastIndex: 0, lastTerm: 0, firstIndex: 1, snapshotIndex: 0, uncommittedBytes: 0 },
      ...{ configuration: { servers: [] }, configurationIndex: 0 },
      ...{ isConfigurationCommitted: true, isTransferring: false, peers: [] },
      contactMs: undefined,
    },
    ...{ mirror: createMirror(), machine: emptyMachine, known: [], isTakingSnapshot: false },
    stillSteps: 0,
  };
}

export function startNode(world: World, node: SimNode): void {
  if (node.raft || node.isGone) return;
  const { boot: random, process } = world.random;
  const rate = world.profile.faults.has('clockRate') ? process.between(0.9, 1.1) : 1;
  node.epoch += 1;
  node.clock = { at: world.now, local: random.between(0, 100_000), rate };
  Object.assign(node, { isPaused: false, timerAt: Infinity, isTakingSnapshot: false });
  node.inbox.length = 0;
  const { disk, id, address } = node;
  disk.isFull = false;
  node.mirror = copyMirror(disk.log);
  node.machine = disk.snapshot?.content ?? emptyMachine;
  node.known = [];
  const boot = bootOf(disk);
  if (boot.snapshot) know(node, boot.snapshot.configurationIndex, boot.snapshot.configuration);
  for (const { index, configuration } of boot.entries) {
    if (configuration) know(node, index, configuration);
  }
  const seed = random.below(0x100000000);
  const now = localTime(world, node);
  const { raft, reluctanceMs } = world.profile;
  const how = id === 'n3' && reluctanceMs > 0 ? { ...raft, reluctanceMs } : raft;
  node.raft = world.createRaft({ ...how, id, address, seed }, boot, now);
  node.status = node.raft.status(now);
  must(
    node.status.term === disk.hardState.term && node.status.commit <= durableLast(disk),
    'vote safety',
    () => `${id} starts with term ${node.status.term}, its disk knows ${disk.hardState.term}`,
  );
  count(world, 'starts');
  world.story?.note(world.now, `${id} starts with ${durableLast(disk)} entries`);
  step(world, node, { type: 'tick' });
}

export function crashNode(world: World, node: SimNode, why: string): void {
  if (!node.raft) return;
  world.story?.note(world.now, `${node.id} ${why}`);
  count(world, 'crashes');
  node.raft = undefined;
  node.epoch += 1;
  node.isPaused = false;
  node.inbox.length = 0;
  crashDisk(world, node);
  world.listeners.onStopped(world, node);
}

export function pauseNode(world: World, node: SimNode): void {
  if (!node.raft || node.isPaused) return;
  node.isPaused = true;
  count(world, 'pauses');
  world.story?.note(world.now, `${node.id} is paused`);
}

export function resumeNode(world: World, node: SimNode): void {
  if (!node.isPaused) return;
  node.isPaused = false;
  world.story?.note(world.now, `${node.id} goes on`);
  for (const work of node.inbox.splice(0)) work();
}

const numbers: Record<Input['type'], number> = {
  ...{ tick: 1, request: 2, answer: 3, failed: 4, saved: 5, snapshotTaken: 6, snapshotReceived: 7 },
  ...{ snapshotAborted: 8, propose: 9, change: 10, read: 11, transfer: 12, stepDown: 13 },
};

export function step(world: World, node: SimNode, input: Input): Outcome | undefined {
  const { raft, status: before } = node;
  if (!raft) return undefined;
  world.steps += 1;
  node.stillSteps += 1;
  const now = localTime(world, node);
  const effects = raft.step(input, now);
  node.status = raft.status(now);
  trace(world, world.now * 1000 + numbers[input.type]);
  trace(world, node.status.term * 4096 + node.status.lastIndex * 8 + effects.send.length);
  if (world.story) world.story.step(world.now, node, { input, effects });
  checkStep(world, node, { effects, before });
  carryOut(world, node, effects);
  arm(world, node);
  return effects.outcome;
}

/** In the order that the driver keeps: save, send, replies, apply. */
function carryOut(world: World, node: SimNode, effects: Effects): void {
  if (effects.save) addSave(world, node, effects.save);
  for (const send of effects.send) {
    checkSend(node, send);
    if (send.request.kind === 'install') count(world, 'installs');
    sendRequest(world, node, send);
  }
  for (const { token, response } of effects.replies) {
    const request = requestOf(world, token);
    if (request) checkReply(node, request, response);
    sendReply(world, token, response);
  }
  if (effects.receive) receiveStream(world, node, effects.receive);
  if (effects.restore) restore(world, node, effects.restore);
  for (const { index, configuration } of effects.configurations) know(node, index, configuration);
  for (const entry of effects.apply) {
    const { index } = entry;
    must(
      index === node.machine.index + 1 && index <= node.status.commit,
      'state machine safety',
      () => `${node.id} applies ${index} after ${node.machine.index}`,
    );
    const { machine, serial, isSwapped } = applyTo(node.machine, entry, world.clients.wishes);
    node.machine = machine;
    const known = world.ledger.applied[index];
    if (!known) world.ledger.applied[index] = { hash: machine.hash, serial };
    must(
      !known || known.hash === machine.hash,
      'state machine safety',
      () => `${node.id} applies something else at ${index}`,
    );
    world.listeners.onApplied(world, node, { entry, isSwapped });
  }
  if (effects.reads.length > 0) world.listeners.onReads(world, node, effects.reads);
  if (effects.transfer === 'done') count(world, 'transfers');
  maybeSnapshot(world, node);
}

const requestOf = (world: World, token: number): Request | undefined =>
  world.network.asked.get(token)?.question.request;

function know(node: SimNode, index: number, configuration: SimNode['known'][0]['configuration']) {
  const { known } = node;
  while ((known[known.length - 1]?.index ?? -1) >= index) known.pop();
  known.push({ index, configuration });
}

function receiveStream(world: World, node: SimNode, { token, snapshot }: Receive): void {
  const content = contentOf(world, token);
  const isFine = content !== undefined && !world.random.network.chance(lossOf(world));
  const arrive = onNode(world, node, () => {
    if (!isFine || !isAskerThere(world, token)) {
      count(world, 'streams cut');
      return void step(world, node, { type: 'snapshotAborted', token });
    }
    node.disk.files.set(placeOf(snapshot), content);
    step(world, node, { type: 'snapshotReceived', token });
  });
  after(world, world.random.disk.between(0.5, 40), arrive);
}

const lossOf = (world: World) => Math.min(0.5, world.network.lossRate * 5);

/** Property 10: what a snapshot holds is what was applied up to there. */
function restore(world: World, node: SimNode, meta: SnapshotMeta): void {
  const { snapshot } = node.disk;
  count(world, 'restores');
  must(
    snapshot !== undefined && placeOf(snapshot.meta) === placeOf(meta),
    'snapshots',
    () => `${node.id} restores the snapshot at ${meta.index}, which is not on its disk`,
  );
  must(
    meta.index >= node.machine.index,
    'snapshots',
    () => `${node.id} goes back from ${node.machine.index} to the snapshot at ${meta.index}`,
  );
  checkSnapshot(world, node, meta);
  node.machine = snapshot!.content;
  node.known = [];
  know(node, meta.configurationIndex, meta.configuration);
  world.listeners.onRestored(world, node);
}

function checkSnapshot(world: World, node: SimNode, meta: SnapshotMeta): void {
  const { ledger } = world;
  const committed = ledger.committed[meta.index];
  must(
    meta.index <= commitOf(ledger) && committed?.term === meta.term,
    'snapshots',
    () => `${node.id}: the snapshot at ${meta.index} of term ${meta.term} is not what is committed`,
  );
  const text = configurationText(meta.configuration);
  const known = ledger.configurations.get(meta.index);
  must(
    known === undefined || known === text,
    'snapshots',
    () => `${node.id}: another snapshot at ${meta.index} has other members`,
  );
  ledger.configurations.set(meta.index, text);
}

function maybeSnapshot(world: World, node: SimNode): void {
  const { snapshotEvery } = world.profile;
  const last = node.disk.snapshot?.meta.index ?? 0;
  if (snapshotEvery > 0 && node.machine.index - last >= snapshotEvery) takeSnapshot(world, node);
}

export function takeSnapshot(world: World, node: SimNode): void {
  const { machine, disk } = node;
  const found = node.known.findLast(({ index }) => index <= machine.index);
  if (!node.raft || node.isTakingSnapshot || !found) return;
  if (machine.index <= (disk.snapshot?.meta.index ?? 0)) return;
  node.isTakingSnapshot = true;
  const { index: configurationIndex, configuration } = found;
  const meta = {
    ...{ index: machine.index, term: machine.term, configuration, configurationIndex },
  };
  checkSnapshot(world, node, meta);
  const done = onNode(world, node, () => {
    node.isTakingSnapshot = false;
    // An installed one may have come past it meanwhile.
    if (meta.index <= (disk.snapshot?.meta.index ?? 0)) return;
    disk.snapshot = { meta, content: machine };
    count(world, 'snapshots');
    step(world, node, { type: 'snapshotTaken', snapshot: meta });
  });
  after(world, world.random.disk.between(0.5, 40), done);
}

/** The timer is only moved when it would be late; an early one looks again. */
function arm(world: World, node: SimNode): void {
  const { raft } = node;
  if (!raft) return;
  const waitMs = Math.max(1, (raft.deadline() - localTime(world, node)) / node.clock.rate);
  const at = world.now + waitMs;
  if (at >= node.timerAt) return;
  node.timerAt = at;
  if (at === Infinity) return;
  const fire = onNode(world, node, () => {
    if (node.timerAt !== at) return;
    node.timerAt = Infinity;
    if (raft.deadline() <= localTime(world, node) + 1e-6) step(world, node, { type: 'tick' });
    else arm(world, node);
  });
  world.heap.push(at, fire);
}

export function setClockRate(world: World, node: SimNode, rate: number): void {
  node.clock = { at: world.now, local: localTime(world, node), rate };
  node.timerAt = Infinity;
  arm(world, node);
}
