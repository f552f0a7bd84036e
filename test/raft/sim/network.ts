import type { FailureReason, Request, Response, Send } from '#cluster/raft/core/types.ts';
import { backThroughWire, throughWire } from './bytes.ts';
import { placeOf } from './disk.ts';
import type { Machine } from './machine.ts';
import { after, count, nodeAt, onNode } from './world.ts';
import type {
  Asked,
  Connection,
  Network,
  NetworkEvents,
  Question,
  SimNode,
  World,
} from './types.ts';

const answerTimeoutMs = 400;

export const createNetwork = (lossRate: number, events: NetworkEvents): Network => ({
  events,
  cuts: new Set(),
  lossRate,
  connections: new Map(),
  asked: new Map(),
  nextToken: 1,
});

export function sendRequest(world: World, node: SimNode, send: Send): void {
  const { network } = world;
  const question: Question = {
    request: send.request,
    isDone: false,
    answer: undefined,
    isAnswerSent: false,
  };
  const target = nodeAt(world, send.address);
  const random = world.random.network;
  const content = streamOf(node, send.request);
  if (send.request.kind === 'install' && !content) {
    return failLater(world, { node, send, reason: 'error', delay: 0.1 });
  }
  // Who listens there must be who is meant, as mutual TLS sees to.
  if (!target?.raft || target.id !== send.to) {
    const delay = random.between(0.5, 5);
    return failLater(world, { node, send, reason: 'unreachable', delay });
  }
  const connection = connect(world, { from: node, to: target, request: send.request });
  connection.waiting.push(question);
  story(world, node, { to: target, request: send.request });
  if (random.chance(network.lossRate)) return reset(world, connection, 'closed');
  after(world, answerTimeoutMs, () => {
    if (!question.isDone && connection.isOpen) reset(world, connection, 'timeout');
  });
  if (isCut(network, node, target)) return;
  const size = send.request.kind === 'install' ? random.between(1, 60) : 0;
  connection.thereAt = Math.max(connection.thereAt, world.now + delayOf(world, connection)) + size;
  const bytes = throughWire(send.request);
  const deliver = () => receive(world, { connection, question, content }, bytes);
  world.heap.push(connection.thereAt, deliver);
  if (world.profile.faults.has('duplicates') && !world.isHealed && random.chance(0.01)) {
    duplicate(world, connection, () => deliver());
  }
}

/** The connection ends with the request already there, and the peer gets it again, late. */
function duplicate(world: World, connection: Connection, deliver: () => void): void {
  const { network: random } = world.random;
  count(world, 'duplicates');
  world.heap.push(connection.thereAt + random.between(0.1, 200), deliver);
  if (random.chance(0.5)) after(world, 1, () => reset(world, connection, 'closed'));
}

function streamOf(node: SimNode, request: Request): Machine | undefined {
  if (request.kind !== 'install') return undefined;
  const { snapshot } = node.disk;
  return snapshot && placeOf(snapshot.meta) === placeOf(request.snapshot)
    ? snapshot.content
    : undefined;
}

function delayOf(world: World, connection: Connection): number {
  const { maxDelayMs } = world.profile;
  const delay = world.random.network.between(0.2, maxDelayMs);
  return world.isHealed ? delay : delay * connection.slowness;
}

const isCut = ({ cuts }: Network, from: SimNode, to: SimNode) =>
  cuts.size > 0 && cuts.has(`${from.address}>${to.address}`);

interface Going {
  readonly from: SimNode;
  readonly to: SimNode;
  readonly request: Request;
}

/** Heartbeats and appends have a lasting connection each; everything else gets its own. */
function connect(world: World, { from, to, request }: Going): Connection {
  const { connections } = world.network;
  const isLane = request.kind === 'append';
  const key = isLane ? `${from.id}>${to.id}>${request.isHeartbeat ? 'h' : 'a'}` : '';
  const old = isLane ? connections.get(key) : undefined;
  if (old?.isOpen && old.fromEpoch === from.epoch && old.toEpoch === to.epoch) return old;
  const random = world.random.network;
  const isSlow = world.profile.faults.has('slowLinks') && !world.isHealed && random.chance(0.15);
  const connection: Connection = {
    ...{ from, fromEpoch: from.epoch, to, toEpoch: to.epoch, isOpen: true, waiting: [] },
    ...{ slowness: isSlow ? random.between(3, 20) : 1, thereAt: 0, backAt: 0 },
  };
  if (isLane) connections.set(key, connection);
  return connection;
}

interface Late {
  readonly node: SimNode;
  readonly send: Send;
  readonly reason: FailureReason;
  readonly delay: number;
}

function failLater(world: World, late: Late): void {
  const { node, send, reason, delay } = late;
  const { request } = send;
  const run = onNode(world, node, () =>
    world.network.events.onFailed(node, send.to, { request, reason }),
  );
  after(world, delay, run);
}

function reset(world: World, connection: Connection, reason: FailureReason): void {
  if (!connection.isOpen) return;
  connection.isOpen = false;
  count(world, 'resets');
  const { from, fromEpoch, to, waiting } = connection;
  if (from.epoch !== fromEpoch) return;
  for (const question of waiting) {
    if (question.isDone) continue;
    question.isDone = true;
    const { request } = question;
    const run = onNode(world, from, () =>
      world.network.events.onFailed(from, to.id, { request, reason }),
    );
    after(world, 0.2, run);
  }
}

export function resetAll(world: World, node: SimNode): void {
  for (const connection of world.network.connections.values()) {
    if (connection.from === node || connection.to === node) {
      reset(world, connection, 'closed');
    }
  }
}

function receive(world: World, asked: Asked, request: Request): void {
  const { connection } = asked;
  const { from, to, toEpoch, isOpen } = connection;
  if (isCut(world.network, from, to)) return;
  if (to.epoch !== toEpoch || !to.raft) return reset(world, connection, 'closed');
  // What was already on its way when the connection ended may still be read, or not.
  if (!isOpen && world.random.network.chance(0.5)) return;
  const token = world.network.nextToken;
  world.network.nextToken += 1;
  world.network.asked.set(token, asked);
  onNode(world, to, () => world.network.events.onRequest(to, token, request))();
}

export const contentOf = (world: World, token: number): Machine | undefined =>
  world.network.asked.get(token)?.content;

export const isAskerThere = (world: World, token: number): boolean =>
  world.network.asked.get(token)?.connection.isOpen ?? false;

/** Answers go back in the order of the requests: one that is ready early waits. */
export function sendReply(world: World, token: number, response: Response): void {
  const asked = world.network.asked.get(token);
  world.network.asked.delete(token);
  if (!asked) return;
  const { connection, question } = asked;
  const { from, to, waiting } = connection;
  story(world, to, { to: from, response });
  if (question.answer ?? !connection.isOpen) return;
  question.answer = backThroughWire(response, { id: to.id, address: to.address });
  for (const each of [...waiting]) {
    if (each.isAnswerSent) continue;
    if (!each.answer || !connection.isOpen) break;
    each.isAnswerSent = true;
    sendBack(world, connection, each);
  }
}

function sendBack(world: World, connection: Connection, question: Question): void {
  const { from, to, waiting } = connection;
  const { request, answer } = question;
  const { network } = world;
  if (!answer || isCut(network, to, from)) return;
  if (world.random.network.chance(network.lossRate)) {
    return reset(world, connection, 'closed');
  }
  connection.backAt = Math.max(connection.backAt, world.now + delayOf(world, connection));
  world.heap.push(connection.backAt, () => {
    if (!connection.isOpen || question.isDone || from.epoch !== connection.fromEpoch) return;
    if (isCut(network, to, from)) return;
    question.isDone = true;
    waiting.splice(waiting.indexOf(question), 1);
    onNode(world, from, () =>
      world.network.events.onAnswer(from, to.id, { request, response: answer }),
    )();
  });
}

interface Told {
  readonly to: SimNode;
  readonly request?: Request;
  readonly response?: Response;
}

function story(world: World, from: SimNode, { to, request, response }: Told): void {
  world.story?.message(world.now, { from: from.id, to: to.id, request, response });
}
