import type { Change } from '#cluster/raft/core/types.ts';
import { crashNode, createNode, pauseNode, resumeNode, setClockRate, startNode } from './node.ts';
import { step, takeSnapshot } from './node.ts';
import { resetAll } from './network.ts';
import type { Fault } from './profile.ts';
import { after, count, trace } from './world.ts';
import type { SimNode, World } from './types.ts';

type Deed = (world: World, node: SimNode) => void;

const deeds: readonly { readonly fault: Fault; readonly weight: number; readonly run: Deed }[] = [
  { fault: 'crash', weight: 4, run: crash },
  { fault: 'pause', weight: 3, run: pause },
  { fault: 'clockRate', weight: 1, run: clockRate },
  { fault: 'loss', weight: 2, run: (world, node) => resetAll(world, node) },
  { fault: 'partition', weight: 3, run: partition },
  { fault: 'oneWay', weight: 2, run: oneWay },
  { fault: 'slowDisk', weight: 2, run: slowDisk },
  { fault: 'fullDisk', weight: 1, run: fullDisk },
  { fault: 'members', weight: 5, run: members },
  { fault: 'transfer', weight: 3, run: transfer },
  { fault: 'snapshots', weight: 3, run: (world, node) => takeSnapshot(world, node) },
  { fault: 'wipe', weight: 1, run: wipe },
  { fault: 'stepDown', weight: 1, run: stepDown },
];

/** One deed after the other, of those that this seed has switched on, until the healing. */
export function startNemesis(world: World): void {
  const { faults, nemesisMs } = world.profile;
  const own = deeds.filter(({ fault }) => faults.has(fault));
  const total = own.reduce((sum, { weight }) => sum + weight, 0);
  const { nemesis: random } = world.random;
  const act = () => {
    if (world.isHealed || own.length === 0) return;
    let at = random.between(0, total);
    const deed = own.find(({ weight }) => (at -= weight) < 0);
    const node = random.pick(world.nodes.filter((each) => !each.isGone));
    if (deed && node) {
      trace(world, deed.weight + world.now);
      deed.run(world, node);
    }
    after(world, random.between(0.1, 2 * nemesisMs), act);
  };
  after(world, random.between(100, 1500), act);
}

/** The end of all faults: every link, disk and process as it should be. */
export function heal(world: World): void {
  world.isHealed = true;
  world.network.cuts.clear();
  world.network.lossRate = 0;
  world.story?.note(world.now, 'all faults end');
  for (const node of world.nodes) {
    node.disk.isSlow = false;
    node.disk.isFull = false;
    resumeNode(world, node);
    startNode(world, node);
  }
}

const restartLater = (world: World, node: SimNode, maxMs: number) =>
  after(world, world.random.nemesis.between(1, maxMs), () => startNode(world, node));

function crash(world: World, node: SimNode): void {
  const random = world.random.nemesis;
  const all = random.chance(0.08);
  for (const each of all ? world.nodes : [node]) {
    if (!each.raft) continue;
    crashNode(world, each, 'crashes');
    restartLater(world, each, random.chance(0.5) ? 50 : 1000);
  }
}

function pause(world: World, node: SimNode): void {
  const { nemesis: random } = world.random;
  const target = random.chance(0.5) ? (aLeader(world) ?? node) : node;
  pauseNode(world, target);
  after(world, random.between(1, random.chance(0.5) ? 100 : 1000), () => resumeNode(world, target));
}

function clockRate(world: World, node: SimNode): void {
  if (node.raft) setClockRate(world, node, world.random.nemesis.between(0.9, 1.1));
}

const aLeader = (world: World) =>
  world.random.nemesis.pick(
    world.nodes.filter((node) => node.raft && !node.isPaused && node.status.role === 'leader'),
  );

function partition(world: World, node: SimNode): void {
  const { nemesis: random } = world.random;
  const alone = random.chance(0.4) ? (aLeader(world) ?? node) : undefined;
  const side = new Set(world.nodes.filter((each) => (alone ? each === alone : random.chance(0.5))));
  const cuts: string[] = [];
  for (const one of side) {
    for (const other of world.nodes) {
      if (side.has(other)) continue;
      cuts.push(`${one.address}>${other.address}`, `${other.address}>${one.address}`);
    }
  }
  cut(world, cuts);
}

function oneWay(world: World, node: SimNode): void {
  const { nemesis: random } = world.random;
  const others = world.nodes.filter((other) => other !== node && random.chance(0.5));
  const isOut = random.chance(0.5);
  cut(
    world,
    others.map((other) =>
      isOut ? `${node.address}>${other.address}` : `${other.address}>${node.address}`,
    ),
  );
}

function cut(world: World, cuts: readonly string[]): void {
  if (world.random.nemesis.chance(0.3)) world.network.cuts.clear();
  for (const each of cuts) world.network.cuts.add(each);
  count(world, 'cuts');
  world.story?.note(world.now, `cut: ${cuts.join(' ')}`);
  after(world, world.random.nemesis.between(20, 1200), () => {
    for (const each of cuts) world.network.cuts.delete(each);
    world.story?.note(world.now, `joined again: ${cuts.join(' ')}`);
  });
}

function slowDisk(world: World, { disk }: SimNode): void {
  disk.isSlow = true;
  after(world, world.random.nemesis.between(50, 800), () => (disk.isSlow = false));
}

function fullDisk(world: World, node: SimNode): void {
  node.disk.isFull = true;
  world.story?.note(world.now, `the disk of ${node.id} is full`);
}

export function onFullDisk(world: World, node: SimNode): void {
  crashNode(world, node, 'ends: its disk is full');
  restartLater(world, node, 800);
}

function transfer(world: World): void {
  const leader = aLeader(world);
  if (!leader) return;
  const { nemesis: random } = world.random;
  const target = random.chance(0.6) ? random.pick(leader.status.configuration.servers) : undefined;
  world.story?.note(world.now, `${leader.id} is asked to hand over to ${target?.id ?? 'anybody'}`);
  step(world, leader, { type: 'transfer', ...(target ? { to: target.id } : {}) });
}

function stepDown(world: World): void {
  const leader = aLeader(world);
  if (leader) step(world, leader, { type: 'stepDown' });
}

const votersGone = (world: World, node: SimNode) =>
  node.status.configuration.servers.filter(({ id, suffrage }) => {
    const found = world.nodes.find((other) => other.id === id);
    return suffrage === 'voter' && (found?.isGone ?? true);
  });

const maxNodes = 9;

/** One change at whoever leads. A voter that is gone for good goes first. */
function members(world: World): void {
  const leader = aLeader(world);
  if (!leader) return;
  const { nemesis: random } = world.random;
  const { servers } = leader.status.configuration;
  const gone = servers.find(({ id }) => world.nodes.find((each) => each.id === id)?.isGone);
  if (gone) return change(world, leader, { kind: 'removeServer', id: gone.id });
  const voters = servers.filter(({ suffrage }) => suffrage === 'voter');
  const roll = random.next();
  const target = random.pick(servers);
  if (roll < 0.55 || voters.length < 3) {
    const joining = aStranger(world, leader) ?? target;
    if (!joining) return;
    const { id, address } = joining;
    const kind = random.chance(0.7) ? 'addVoter' : 'addNonvoter';
    return change(world, leader, { kind, id, address });
  }
  if (!target) return;
  const kind = random.chance(0.6) ? 'removeServer' : 'demoteVoter';
  change(world, leader, { kind, id: target.id });
}

function aStranger(world: World, leader: SimNode): SimNode | undefined {
  const { servers } = leader.status.configuration;
  const isFree = (node: SimNode) =>
    !node.isGone && !servers.some(({ id, address }) => id === node.id || address === node.address);
  const free = world.nodes.filter(isFree);
  const { nemesis: random } = world.random;
  if (free.length > 0 || world.nodes.filter((node) => !node.isGone).length >= maxNodes) {
    return random.pick(free);
  }
  return addNode(world, `n${world.nodes.length + 1}`, `a${world.nodes.length + 1}`);
}

function addNode(world: World, id: string, address: string): SimNode {
  const node = createNode(id, address);
  world.nodes.push(node);
  startNode(world, node);
  return node;
}

function change(world: World, leader: SimNode, what: Change): void {
  const { nemesis: random } = world.random;
  const force = random.chance(0.3) && votersGone(world, leader).length === 0;
  const prevIndex = random.chance(0.2) ? leader.status.configurationIndex : 0;
  world.story?.note(world.now, `${leader.id} is asked: ${what.kind} ${what.id}`);
  const outcome = step(world, leader, { type: 'change', change: { ...what, force, prevIndex } });
  if (outcome?.isAccepted) count(world, 'changes');
}

/**
 * A disk is lost, and with it the id; the machine comes back as another server. Only where all
 * that anybody may go by survives it: every configuration in any log keeps a majority.
 */
function wipe(world: World, node: SimNode): void {
  const affected = world.nodes.filter((other) =>
    other.status.configuration.servers.some(({ id }) => id === node.id),
  );
  const isSafe = affected.every((other) => {
    const voters = other.status.configuration.servers.filter((each) => each.suffrage === 'voter');
    return voters.length >= 3 && votersGone(world, other).length === 0;
  });
  const alive = world.nodes.filter((each) => !each.isGone).length;
  if (!isSafe || alive < 4 || node.disk.pending.length > 0) return;
  crashNode(world, node, 'loses its disk');
  node.isGone = true;
  count(world, 'wipes');
  const number = world.nodes.length + 1;
  const address = world.random.nemesis.chance(0.5) ? node.address : `a${number}`;
  addNode(world, `n${number}`, address);
}
