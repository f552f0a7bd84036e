import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { readProof } from '../trust/tokens.ts';
import { REFUSALS, refusalOf, readInput, refuse, sendJson, startRunning } from './answer.ts';
import type { Refusal, Running } from './answer.ts';
import { createCounter, type Counter } from './counter.ts';
import type { Doorkeeper } from '../doors/doorkeeper.ts';
import type { Members } from '../doors/members.ts';
import type { QuietLog } from '#storage/quiet.ts';
import type { Peer } from './peers.ts';
import { createReplayGuard } from './replay.ts';
import type { HandedOn, RpcLimits, RpcServerOptions, RpcServerStats } from './types.ts';
import { HEADERS, removeOwn, textOf } from './wire.ts';

export interface ResponderDeps {
  readonly options: RpcServerOptions;
  readonly limits: RpcLimits;
  readonly peers: WeakMap<Socket, Peer>;
  readonly doorkeeper: Doorkeeper;
  readonly members: Members;
  /** For what others can cause. */
  readonly noise: QuietLog;
}

export interface Responder {
  answer(req: IncomingMessage, res: ServerResponse): void;
  stats(): Pick<RpcServerStats, 'calls' | 'handedOn' | 'answered' | 'refused'>;
  /** From now on everything is refused. */
  close(): void;
}

interface State extends ResponderDeps {
  readonly calls: Counter;
  readonly streams: Counter;
  readonly joins: Counter;
  readonly replays: ReturnType<typeof createReplayGuard>;
  readonly refused: Record<string, number>;
  answered: number;
  isClosing: boolean;
}

interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/** Enough for what a peer hands on in minutes; an id is 36 characters. */
const remembered = 10_000;
const requestIdPattern = /^[\w-]{8,64}$/;
const httpPrefix = '/http';
const rpcPrefix = '/rpc/';

/** Answers requests: by whom, what, and not too many at once. */
export function createResponder(deps: ResponderDeps): Responder {
  const state: State = {
    ...deps,
    calls: createCounter(deps.limits.callsPerPeer),
    streams: createCounter(deps.limits.handedOnPerPeer),
    joins: createCounter(deps.limits.joins),
    replays: createReplayGuard(remembered),
    refused: {},
    answered: 0,
    isClosing: false,
  };
  return {
    answer: (req, res) => dispatch(state, { req, res }),
    stats: () => ({
      calls: state.calls.total(),
      handedOn: state.streams.total(),
      answered: state.answered,
      refused: { ...state.refused },
    }),
    close() {
      state.isClosing = true;
    },
  };
}

function dispatch(state: State, exchange: Exchange): void {
  const { req, res } = exchange;
  const path = req.url ?? '';
  if (state.isClosing) return turnAway(state, res, { ...REFUSALS.closing, mustClose: true });
  if (path === '/join' && req.method === 'POST') return join(state, exchange);
  const found = memberOf(state, req);
  if (typeof found !== 'string') return turnAway(state, res, found);
  if (!state.members.admit(req.socket, found)) return;
  if (path.startsWith(rpcPrefix) && req.method === 'POST') {
    return call(state, exchange, found);
  }
  if (path.startsWith(`${httpPrefix}/`)) return takeHandedOn(state, exchange, found);
  turnAway(state, res, REFUSALS.unknown);
}

function turnAway(state: State, res: ServerResponse, refusal: Refusal): void {
  const { code, message: reason } = refusal;
  state.refused[code] = (state.refused[code] ?? 0) + 1;
  const { socket, url } = res.req;
  if (url === '/join' || suspicious.has(code)) {
    const from = state.peers.get(socket)?.nodeId;
    const remote = socket.remoteAddress;
    state.noise.warn('node rpc: a request was refused', { from, remote, code, reason });
  }
  refuse(res, refusal);
}

/** What no member that is well does. */
const suspicious: ReadonlySet<string> = new Set([
  'not-member',
  'removed',
  'bad-token',
  'bad-request',
  'replayed',
  'too-many-hops',
  'too-large',
]);

/** The id of a member, or why the caller is none. */
function memberOf({ peers, options }: State, req: IncomingMessage): string | Refusal {
  const peer = peers.get(req.socket);
  const status = { status: 403, code: 'not-member', mustClose: true };
  if (!peer || peer.nodeId === undefined) {
    return { ...status, message: `members only: ${peer?.why ?? 'the connection is over'}` };
  }
  if (options.isMember(peer.nodeId)) return peer.nodeId;
  if (options.isRemoved?.(peer.nodeId)) {
    return { ...status, code: 'removed', message: `${peer.nodeId} was removed from the cluster` };
  }
  // This node may not have heard yet of one that has just joined.
  const message = `${peer.nodeId} is no member of the cluster that this node knows`;
  return { ...status, message, isRetryable: true };
}

function call(state: State, exchange: Exchange, from: string): void {
  const { calls, log } = state.options;
  const name = (exchange.req.url ?? '').slice(rpcPrefix.length);
  const handler = Object.hasOwn(calls, name) ? calls[name] : undefined;
  if (!handler) return turnAway(state, exchange.res, REFUSALS.unknown);
  const leave = state.calls.enter(from);
  if (!leave) return turnAway(state, exchange.res, REFUSALS.busy('calls'));
  const running = startRunning(exchange.res, timeOf(state, exchange.req), nowOf(state));
  const handle = (input: unknown) => handler(input, { ...plain(running), from });
  run(state, exchange, { running, handle, leave }).catch((error: unknown) => {
    log.warn('node rpc: an answer failed', { name, from, reason: String(error) });
  });
}

const nowOf = ({ options }: State) => (options.now ?? Date.now)();
const plain = ({ signal, deadline }: Running) => ({ signal, deadline });

function timeOf({ limits }: State, { headers }: IncomingMessage): number {
  const asked = Number(textOf(headers, HEADERS.deadline) ?? limits.callMs);
  return Number.isFinite(asked) && asked > 0 ? Math.min(asked, limits.maxCallMs) : limits.callMs;
}

function join(state: State, exchange: Exchange): void {
  const { req, res } = exchange;
  const { join: handler, log } = state.options;
  const peer = state.peers.get(req.socket);
  if (!handler) return turnAway(state, res, REFUSALS.unknown);
  const proof = readProof(req.headers.authorization);
  if (!proof) {
    const message = 'no join token was shown';
    return turnAway(state, res, { status: 401, code: 'bad-token', message, mustClose: true });
  }
  const leave = state.joins.enter('');
  if (!leave) return turnAway(state, res, { ...REFUSALS.busy('joins'), mustClose: true });
  state.doorkeeper.extend(req.socket, state.limits.joinMs);
  res.setHeader('connection', 'close');
  const ms = Math.min(timeOf(state, req), state.limits.joinMs);
  const running = startRunning(res, ms, nowOf(state));
  const formerly = peer?.nodeId ?? (peer && 'formerly' in peer ? peer.formerly : undefined);
  const who = { tokenId: proof.id, secretHash: proof.secretHash, formerly };
  const remote = req.socket.remoteAddress;
  const handle = (input: unknown) => handler(input, { ...plain(running), ...who, remote });
  run(state, exchange, { running, handle, leave }).catch((error: unknown) => {
    log.warn('node rpc: a join failed', { remote, reason: String(error) });
  });
}

interface Run {
  readonly running: Running;
  readonly handle: (input: unknown) => Promise<unknown>;
  readonly leave: () => void;
}

/** Counted as running until the handler is done, for it goes on when nobody waits any more. */
async function run(state: State, { req, res }: Exchange, each: Run): Promise<void> {
  const { running, handle, leave } = each;
  try {
    const reading = readInput(req, state.limits.maxBodyBytes);
    const got = await Promise.race([reading, running.ended]);
    if (got === 'gone') return;
    if (got === 'deadline') return turnAway(state, res, { ...late, mustClose: true });
    if ('refusal' in got) return turnAway(state, res, got.refusal);
    const settling = settle(state, () => handle(got.input));
    const outcome = await Promise.race([settling, running.ended]);
    if (outcome === 'deadline') turnAway(state, res, { ...late, executed: 'unknown' });
    else if (outcome !== 'gone') finish(state, res, outcome);
    await settling;
  } finally {
    running.stop();
    leave();
  }
}

const late = { status: 504, code: 'deadline', message: 'the deadline is over' };

function finish(state: State, res: ServerResponse, outcome: Outcome): void {
  if ('refusal' in outcome) return turnAway(state, res, outcome.refusal);
  if (res.destroyed) return;
  state.answered += 1;
  sendJson(res, 200, outcome.text);
}

type Outcome = { readonly text: string } | { readonly refusal: Refusal };

/** What comes of a handler, as it is to be sent. */
async function settle(state: State, handle: () => Promise<unknown>): Promise<Outcome> {
  const failed = { status: 500, code: 'internal', executed: 'unknown' } as const;
  try {
    const text = JSON.stringify(await handle()) ?? 'null';
    if (text.length <= state.limits.maxBodyBytes) return { text };
    return { refusal: { ...failed, code: 'too-large', message: 'the answer is too large' } };
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal) return { refusal };
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    state.options.log.warn('node rpc: a call failed', { reason });
    return { refusal: { ...failed, message: 'the call failed; its node logged why' } };
  }
}

/** A client's request that another node hands on: checked, counted, and given to the pipeline. */
function takeHandedOn(state: State, exchange: Exchange, from: string): void {
  const { req, res } = exchange;
  const { onHandedOn, log } = state.options;
  if (!onHandedOn) return turnAway(state, res, REFUSALS.unknown);
  const requestId = textOf(req.headers, HEADERS.request) ?? '';
  if (textOf(req.headers, HEADERS.hop) !== '1') return turnAway(state, res, tooManyHops);
  if (!requestIdPattern.test(requestId)) return turnAway(state, res, noRequestId);
  const leave = state.streams.enter(from);
  if (!leave) return turnAway(state, res, { ...REFUSALS.busy('requests'), mustClose: true });
  res.once('close', leave);
  if (!state.replays.admit(from, requestId)) return turnAway(state, res, replayed);
  const clientAddress = textOf(req.headers, HEADERS.client);
  const handed: HandedOn = { from, requestId, clientAddress };
  removeOwn(req.headers);
  req.url = req.url!.slice(httpPrefix.length);
  try {
    onHandedOn(req, res, handed);
    state.answered += 1;
  } catch (error) {
    log.warn('node rpc: a request that was handed on failed', { from, reason: String(error) });
    const message = 'the request failed; its node logged why';
    turnAway(state, res, { status: 500, code: 'internal', message, executed: 'unknown' });
  }
}

const tooManyHops: Refusal = {
  ...{
    status: 508,
    code: 'too-many-hops',
    message: 'a request is handed on once',
    mustClose: true,
  },
};
const noRequestId: Refusal = {
  ...{ status: 400, code: 'bad-request', message: 'it has no id', mustClose: true },
};
/** It may have been executed, by the first one. */
const replayed: Refusal = {
  ...{ status: 409, code: 'replayed', message: 'this request was here before', mustClose: true },
  executed: 'unknown',
};
