import { createClients, endCalls, startClients } from './clients.ts';
import { onApplied, onReads, onRestored, onStopped } from './clients.ts';
import { commitOf, createLedger, noteEntry } from './ledger.ts';
import { createHeap } from './heap.ts';
import { checkHistory } from './history.ts';
import { commandOf } from './machine.ts';
import { heal, onFullDisk, startNemesis } from './nemesis.ts';
import { createNetwork } from './network.ts';
import { createNode, startNode, step } from './node.ts';
import { createProfile, timeoutMs } from './profile.ts';
import { createStreams } from './random.ts';
import { createStory } from './story.ts';
import { BrokenError, must, onNode } from './world.ts';
import type { CreateRaft, SimNode, Story, World } from './types.ts';

export interface RunOptions {
  readonly seed: number;
  readonly nodes: number;
  /** Steps of the cores before the faults end. */
  readonly events: number;
  readonly isTold?: boolean;
  readonly createRaft: CreateRaft;
}

export interface RunResult {
  readonly seed: number;
  readonly steps: number;
  readonly hash: number;
  readonly virtualMs: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly faults: readonly string[];
  readonly failure: { readonly property: string; readonly message: string } | undefined;
  readonly story: Story | undefined;
}

export function runSeed(options: RunOptions): RunResult {
  const world = createWorld(options);
  let failure: RunResult['failure'];
  try {
    bootstrap(world, options.nodes);
    startClients(world);
    startNemesis(world);
    runUntil(world, () => world.steps >= options.events);
    recover(world, options.events);
    endCalls(world);
    checkHistory(world);
  } catch (error) {
    const property = error instanceof BrokenError ? error.property : 'no error in the core';
    const message = error instanceof BrokenError ? error.message : String((error as Error).stack);
    failure = { property, message };
  }
  const { seed, steps, hash, now: virtualMs, counts, story } = world;
  const faults = [...world.profile.faults];
  return { seed, steps, hash, virtualMs, counts, faults, failure, story };
}

function createWorld({ seed, isTold, createRaft }: RunOptions): World {
  const random = createStreams(seed);
  const profile = createProfile(random.boot);
  const world: World = {
    ...{ seed, random, profile, createRaft, heap: createHeap(), now: 0, steps: 0, hash: 1 },
    ...{ nodes: [], ledger: createLedger(), clients: createClients(profile.clients) },
    ...{ story: isTold ? createStory() : undefined, counts: {}, isHealed: false },
    listeners: { onApplied, onReads, onRestored, onStopped },
    network: createNetwork(profile.lossRate, {
      onRequest: (node, token, request) => {
        step(world, node, { type: 'request', token, request });
      },
      onAnswer: (node, from, pair) => void step(world, node, { type: 'answer', from, ...pair }),
      onFailed: (node, to, failure) => void step(world, node, { type: 'failed', to, ...failure }),
    }),
    diskEvents: {
      onSaved: (node, save) =>
        onNode(world, node, () => step(world, node, { type: 'saved', save }))(),
      onFull: (node) => onFullDisk(world, node),
    },
  };
  return world;
}

/** As hashicorp does it: term 1, and the first configuration as entry 1, on every disk. */
function bootstrap(world: World, count: number): void {
  const servers = Array.from({ length: count }, (_, at) => ({
    ...{ id: `n${at + 1}`, address: `a${at + 1}`, suffrage: 'voter' as const },
  }));
  const configuration = { servers };
  const entry = {
    ...{ index: 1, term: 1, type: 'configuration' as const, data: new Uint8Array(), configuration },
  };
  noteEntry(world.ledger, entry, 0);
  world.ledger.committed.push({ term: 1, by: 1 });
  world.ledger.leaders.set(1, 'the bootstrap');
  for (const { id, address } of servers) {
    const node = createNode(id, address);
    node.disk.hardState = { term: 1, vote: undefined };
    node.disk.log.entries.push(entry);
    world.nodes.push(node);
  }
  for (const node of world.nodes) startNode(world, node);
}

function runUntil(world: World, isDone: () => boolean): void {
  while (!isDone()) {
    const event = world.heap.pop();
    if (!event) return;
    if (event.at > world.now) {
      world.now = event.at;
      for (const node of world.nodes) node.stillSteps = 0;
    }
    event.run();
    const busy = world.nodes.find((node) => node.stillSteps > 2000);
    must(!busy, 'liveness', () => `${busy?.id} is never done at one moment`);
  }
}

const healMs = 60 * timeoutMs;

/** Property 13: once healed, somebody leads, a write commits, and all are equal. */
function recover(world: World, events: number): void {
  heal(world);
  const until = world.now + healMs;
  let nextWrite = 0;
  let goal = Infinity;
  runUntil(world, () => {
    must(world.steps < events + 200_000, 'liveness', () => 'no end of messages after the healing');
    if (world.now >= until) return true;
    const leader = currentLeader(world);
    if (leader && goal > leader.status.commit && world.now >= nextWrite) {
      nextWrite = world.now + 200;
      const data = commandOf(0, 0);
      const proposals = [{ type: 'command' as const, data }];
      const outcome = step(world, leader, { type: 'propose', proposals });
      if (outcome?.isAccepted && goal === Infinity) goal = outcome.index;
    }
    return leader !== undefined && goal <= commitOf(world.ledger) && areEqual(world, leader);
  });
  const leader = currentLeader(world);
  must(leader !== undefined, 'liveness', () => `nobody leads ${healMs} ms after the healing`);
  must(
    goal <= commitOf(world.ledger),
    'liveness',
    () => `no write commits within ${healMs} ms after the healing, ${leader?.id} leads`,
  );
  must(areEqual(world, leader!), 'liveness', () => notEqual(world, leader!));
}

function currentLeader(world: World): SimNode | undefined {
  let found: SimNode | undefined;
  for (const node of world.nodes) {
    if (!node.raft || node.status.role !== 'leader') continue;
    if (!found || node.status.term > found.status.term) found = node;
  }
  return found;
}

function members(world: World, leader: SimNode): SimNode[] {
  const { servers } = leader.status.configuration;
  return world.nodes.filter((node) => !node.isGone && servers.some(({ id }) => id === node.id));
}

function areEqual(world: World, leader: SimNode): boolean {
  const { index, hash } = leader.machine;
  if (index < commitOf(world.ledger)) return false;
  return members(world, leader).every(
    ({ machine }) => machine.index === index && machine.hash === hash,
  );
}

function notEqual(world: World, leader: SimNode): string {
  const states = members(world, leader).map(({ id, machine }) => `${id} ${machine.index}`);
  return `not all are equal ${healMs} ms after the healing: ${states.join(', ')}`;
}
