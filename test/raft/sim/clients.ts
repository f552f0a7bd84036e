import type { Outcome, ReadResult } from '#cluster/raft/core/types.ts';
import { commandOf, keyCount } from './machine.ts';
import type { Wish } from './machine.ts';
import { step } from './node.ts';
import { after, count, must, trace } from './world.ts';
import type { AppliedEntry, Client, Clients, Fate, SimNode, Waiting, World } from './types.ts';

export const createClients = (number: number): Clients => ({
  wishes: [{ serial: 0, kind: 'get', key: 0, from: 0 }],
  fates: ['failed'],
  registers: Array.from({ length: keyCount }, () => []),
  list: [],
  clients: Array.from({ length: number }, (_, at) => ({
    ...{ number: at, node: undefined, current: 0, callAt: 0, lastRead: 0 },
  })),
  writes: new Map(),
  reads: new Map(),
});

const patienceMs = 600;

export function startClients(world: World): void {
  for (const client of world.clients.clients) {
    after(world, world.random.clients.between(1, 300), () => call(world, client));
  }
}

function later(world: World, client: Client): void {
  after(world, world.random.clients.between(0.2, 2 * world.profile.thinkMs), () => {
    call(world, client);
  });
}

function call(world: World, client: Client): void {
  const { clients: random } = world.random;
  if (world.isHealed) return;
  const running = world.nodes.filter((node) => node.raft && !node.isPaused);
  const leaders = running.filter((node) => node.status.role === 'leader');
  if (!client.node?.raft || client.node.isPaused || random.chance(0.1)) {
    client.node = random.pick(random.chance(0.85) && leaders.length > 0 ? leaders : running);
  }
  if (!client.node) return later(world, client);
  const kind = random.pick(['get', 'set', 'cas', 'append', 'list', 'set', 'get'] as const) ?? 'get';
  const serial = world.clients.wishes.length;
  const from = kind === 'cas' ? client.lastRead : 0;
  const wish: Wish = { serial, kind, key: random.below(keyCount), from };
  world.clients.wishes.push(wish);
  world.clients.fates.push('unknown');
  client.callAt = world.now;
  client.current = serial;
  const isRead = kind === 'get' || kind === 'list';
  after(world, patienceMs, () => finish(world, { client, wish }, { fate: 'unknown' }));
  (isRead ? read : write)(world, client.node, { client, wish });
}

interface Answer {
  readonly fate: Fate;
  readonly node?: SimNode;
  readonly isSwapped?: boolean;
}

/** The client is told, or gives up; either way it goes on with something else. */
function finish(world: World, { client, wish }: Calling, answer: Answer): void {
  if (client.current !== wish.serial) return;
  client.current = 0;
  world.clients.fates[wish.serial] = answer.fate;
  trace(world, wish.serial * 4 + (answer.fate === 'done' ? 1 : 0));
  count(
    world,
    `${wish.kind === 'get' || wish.kind === 'list' ? 'reads' : 'writes'} ${answer.fate}`,
  );
  note(world, { client, wish }, answer);
  later(world, client);
}

function note(world: World, { client, wish }: Calling, { fate, node, isSwapped }: Answer): void {
  const { registers, list } = world.clients;
  const { kind, serial, key } = wish;
  const machine = node?.machine;
  const times = { callAt: client.callAt, endAt: fate === 'done' ? world.now : Infinity };
  const isRead = kind === 'get' || kind === 'list';
  if (fate === 'failed' || (isRead && !machine)) return;
  const of = registers[key]!;
  if (kind === 'get') {
    client.lastRead = machine?.registers[key] ?? 0;
    of.push({ op: { kind, read: client.lastRead || null }, ...times });
  } else if (kind === 'set') of.push({ op: { kind, value: serial }, ...times });
  else if (kind === 'cas') {
    of.push({ op: { kind, from: wish.from || null, value: serial, isSwapped }, ...times });
  } else if (kind === 'append') {
    list.push({ op: { kind, value: serial, length: machine?.list.length }, ...times });
  } else if (machine) list.push({ op: { kind, ...machine.list }, ...times });
  world.story?.note(world.now, `client ${client.number}: ${kind} ${serial} of ${key} is ${fate}`);
}

interface Calling {
  readonly client: Client;
  readonly wish: Wish;
}

function write(world: World, node: SimNode, { client, wish }: Calling): void {
  const padding = world.random.clients.below(world.profile.maxPadding + 1);
  const waiting: Waiting = {
    ...{ client, wish, epoch: node.epoch, index: 0, term: 0, seen: 0 },
  };
  // In place before the step: a cluster of one may apply within it.
  listOf(world.clients.writes, node).push(waiting);
  const data = commandOf(wish.serial, padding);
  const outcome = step(world, node, { type: 'propose', proposals: [{ type: 'command', data }] });
  if (placed(world, waiting, outcome)) return;
  drop(world.clients.writes, node, waiting);
  client.node = leaderFor(world, node);
  finish(world, { client, wish }, { fate: 'failed' });
}

function placed(world: World, waiting: Waiting, outcome: Outcome | undefined): boolean {
  if (!outcome) return false;
  if (!outcome.isAccepted) {
    count(world, `refused: ${outcome.reason}`);
    return false;
  }
  waiting.index = outcome.index;
  waiting.term = outcome.term;
  return true;
}

function leaderFor(world: World, node: SimNode): SimNode | undefined {
  const id = node.status.leader?.id;
  return id === node.id ? undefined : world.nodes.find((other) => other.id === id);
}

function read(world: World, node: SimNode, { client, wish }: Calling): void {
  const { acknowledged: seen } = world.ledger;
  const waiting: Waiting = {
    ...{ client, wish, epoch: node.epoch, index: Infinity, term: 0, seen },
  };
  listOf(world.clients.reads, node).push(waiting);
  const isLease = world.profile.leaseReads && world.random.clients.chance(0.6);
  step(world, node, { type: 'read', id: wish.serial, mode: isLease ? 'lease' : 'quorum' });
}

function listOf(map: Map<SimNode, Waiting[]>, node: SimNode): Waiting[] {
  const list = map.get(node) ?? [];
  map.set(node, list);
  return list;
}

function drop(map: Map<SimNode, Waiting[]>, node: SimNode, waiting: Waiting): void {
  const list = listOf(map, node);
  const at = list.indexOf(waiting);
  if (at >= 0) list.splice(at, 1);
}

/** Property 11, the core's part: the index is not behind any write acknowledged before the read. */
export function onReads(world: World, node: SimNode, results: readonly ReadResult[]): void {
  for (const result of results) {
    const waiting = listOf(world.clients.reads, node).find(({ wish }) => wish.serial === result.id);
    if (!waiting) continue;
    if ('refused' in result) {
      drop(world.clients.reads, node, waiting);
      waiting.client.node = leaderFor(world, node);
      finish(world, waiting, { fate: 'failed' });
      continue;
    }
    must(
      result.index >= waiting.seen,
      'reads',
      () =>
        `${node.id} reads at ${result.index}, ` +
        `but ${waiting.seen} was acknowledged before the read began`,
    );
    waiting.index = result.index;
  }
  answerReads(world, node);
}

function answerReads(world: World, node: SimNode): void {
  const waiting = world.clients.reads.get(node);
  if (!waiting || waiting.length === 0) return;
  for (const each of [...waiting]) {
    if (each.index > node.machine.index) continue;
    drop(world.clients.reads, node, each);
    finish(world, each, { fate: 'done', node });
  }
}

export function onApplied(world: World, node: SimNode, applied: AppliedEntry): void {
  const { index, term } = applied.entry;
  const waiting = world.clients.writes.get(node) ?? [];
  for (const each of waiting.filter((one) => one.index === index)) {
    drop(world.clients.writes, node, each);
    if (each.term === term) {
      if (each.client.current === each.wish.serial) {
        world.ledger.acknowledged = Math.max(world.ledger.acknowledged, index);
      }
      finish(world, each, { fate: 'done', node, isSwapped: applied.isSwapped });
    } else finish(world, each, { fate: 'failed' });
  }
  answerReads(world, node);
}

/** Nobody can say what became of the writes below the snapshot. */
export function onRestored(world: World, node: SimNode): void {
  for (const each of [...(world.clients.writes.get(node) ?? [])]) {
    if (each.index > node.machine.index) continue;
    drop(world.clients.writes, node, each);
    finish(world, each, { fate: 'unknown' });
  }
  answerReads(world, node);
}

/** The run ends: what is still under way was never answered. */
export function endCalls(world: World): void {
  for (const client of world.clients.clients) {
    const wish = world.clients.wishes[client.current];
    if (client.current > 0 && wish) finish(world, { client, wish }, { fate: 'unknown' });
  }
}

export function onStopped(world: World, node: SimNode): void {
  const writes = world.clients.writes.get(node)?.splice(0) ?? [];
  const reads = world.clients.reads.get(node)?.splice(0) ?? [];
  for (const each of writes) finish(world, each, { fate: 'unknown' });
  for (const each of reads) finish(world, each, { fate: 'failed' });
}
