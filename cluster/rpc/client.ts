/** The side of node RPC that asks. */
import { Agent, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { createDialer, type Dialer } from './dial.ts';
import { RpcError, throwWireError } from './errors.ts';
import { createPatience, overdue, readText, send, type Patience } from './exchange.ts';
import { createGate, type Gate } from './gate.ts';
import type { CallOptions, HandedAnswer, Handing, RpcClient, RpcClientOptions } from './types.ts';
import { HEADERS, endToEnd, textOf } from './wire.ts';

interface State {
  readonly options: RpcClientOptions;
  readonly dialer: Dialer;
  readonly calls: Gate;
  readonly streams: Gate;
  readonly maxBodyBytes: number;
  /** Keeps connections that are idle, by node; the gates say how many there may be. */
  agent: Agent;
  /** Those of before a reload, until their last request is over. */
  readonly retired: Set<Agent>;
  dials: number;
  isClosed: boolean;
}

const waitingPerNode = 1_024;
const defaultCallMs = 10_000;
const defaultHandMs = 60_000;
const defaultSilenceMs = 120_000;

export function createRpcClient(options: RpcClientOptions): RpcClient {
  const state: State = {
    options,
    dialer: createDialer({ ...options, connectMs: options.connectMs ?? 1_500 }),
    calls: createGate(options.callsAtOnce ?? 32, waitingPerNode),
    streams: createGate(options.streamsAtOnce ?? 128, waitingPerNode),
    maxBodyBytes: options.maxBodyBytes ?? 4 * 1024 * 1024,
    ...{ agent: new Agent(), retired: new Set(), dials: 0, isClosed: false },
  };
  state.agent = createAgent(state);
  return {
    call: (nodeId, name, ...[input, callOptions]) =>
      call(state, { nodeId, name, input, ...callOptions }),
    handOn: (nodeId, handing) => handOn(state, nodeId, handing),
    reloadTls() {
      retire(state.agent);
      for (const agent of state.retired.add(state.agent)) {
        if (Object.keys(agent.sockets).length === 0) state.retired.delete(agent);
      }
      state.agent = createAgent(state);
    },
    stats: () => ({
      calls: state.calls.total(),
      streams: state.streams.total(),
      idle: Object.values(state.agent.freeSockets).flat().length,
      dials: state.dials,
    }),
    close() {
      state.isClosed = true;
      for (const agent of [state.agent, ...state.retired]) agent.destroy();
    },
  };
}

/** An agent that gives a request its connection only once the right node is at its other end. */
function createAgent(state: State): Agent {
  const connect: Agent['createConnection'] = ({ host }, done) => {
    state.dials += 1;
    state.dialer.dial(host ?? '').then(
      (socket) => {
        if (!state.isClosed) return done?.(null, socket);
        socket.destroy();
        done?.(closed(), socket);
      },
      (error: Error) => done?.(error, undefined as never),
    );
    return undefined;
  };
  return Object.assign(new Agent({ keepAlive: true }), { createConnection: connect });
}

const closed = () => new RpcError('closing', 'this client is closed', { isExecuted: 'no' });

/** Ends what is idle; what is in use ends when it would become so. */
function retire(agent: Agent): void {
  agent.maxFreeSockets = 0;
  for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
}

/** Waits for a place. @throws RpcError, and then nothing has been sent */
async function enter(state: State, gate: Gate, { nodeId, patience }: Waiting) {
  const leave = await gate.enter(nodeId, (giveUp) => patience.onOver(giveUp));
  patience.onOver(undefined);
  const over = patience.over();
  if (leave && !over && !state.isClosed) return leave;
  leave?.();
  if (over) throw overdue(over, 'no');
  if (state.isClosed) throw closed();
  const message = `too many calls wait for ${nodeId}`;
  throw new RpcError('busy', message, { isExecuted: 'no', isRetryable: true });
}

interface Waiting {
  readonly nodeId: string;
  readonly patience: Patience;
}

interface CallOf extends CallOptions {
  readonly nodeId: string;
  readonly name: string;
  readonly input: unknown;
}

async function call(state: State, { nodeId, name, input, ...options }: CallOf): Promise<unknown> {
  const body = Buffer.from(JSON.stringify(input) ?? 'null');
  if (body.length > state.maxBodyBytes) {
    throw new RpcError('too-large', 'the input is too large', { isExecuted: 'no' });
  }
  const timeoutMs = options.timeoutMs ?? state.options.timeoutMs ?? defaultCallMs;
  const patience = createPatience(timeoutMs, options.signal);
  let leave: (() => void) | undefined;
  try {
    leave = await enter(state, state.calls, { nodeId, patience });
    const headers = {
      'content-type': 'application/json',
      'content-length': body.length,
      [HEADERS.deadline]: String(patience.left()),
    };
    const path = `/rpc/${encodeURIComponent(name)}`;
    const { agent } = state;
    const res = await send({ agent, nodeId, method: 'POST', path, headers, body, patience });
    const text = await readText(res, state.maxBodyBytes, patience);
    if (res.statusCode !== 200) throwWireError(text, res.statusCode ?? 0);
    return parseAnswer(text);
  } finally {
    patience.stop();
    leave?.();
  }
}

/** @throws RpcError `bad-answer` */
export function parseAnswer(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new RpcError('bad-answer', 'the answer is not JSON', { cause: error });
  }
}

async function handOn(state: State, nodeId: string, handing: Handing): Promise<HandedAnswer> {
  if ((handing.hops ?? 0) > 0) {
    const message = 'it was handed on already';
    throw new RpcError('too-many-hops', message, { isExecuted: 'no' });
  }
  const { method, body, signal, timeoutMs = defaultHandMs } = handing;
  const patience = createPatience(timeoutMs, signal);
  let leave: (() => void) | undefined;
  try {
    leave = await enter(state, state.streams, { nodeId, patience });
    const headers = headersOf(handing, state.options.randomId());
    const path = `/http${handing.path}`;
    const { agent } = state;
    const res = await send({ agent, nodeId, method, path, headers, body, patience });
    if (res.closed) leave();
    else res.once('close', leave);
    if (textOf(res.headers, HEADERS.error) !== undefined) {
      throwWireError(await readText(res, state.maxBodyBytes, patience), res.statusCode ?? 0);
    }
    const onAbort = () => res.destroy();
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    res.once('close', () => signal?.removeEventListener('abort', onAbort));
    endWhenSilent(res, state.options.silenceMs ?? defaultSilenceMs);
    return { status: res.statusCode ?? 0, headers: endToEnd(res.headers), body: res };
  } catch (error) {
    leave?.();
    throw error;
  } finally {
    patience.stop();
  }
}

/** A node that was cut off says nothing, not even that. Who is not read, though, may be silent. */
function endWhenSilent(res: IncomingMessage, ms: number): void {
  const { socket } = res;
  const onSilence = () => {
    if (res.readableLength > 0 || socket.isPaused()) socket.setTimeout(ms);
    else res.destroy(new RpcError('broken', `the node was silent for ${ms} ms`));
  };
  socket.setTimeout(ms).on('timeout', onSilence);
  res.once('close', () => socket.off('timeout', onSilence).setTimeout(0));
}

/** The client's own headers, how long the body is, and what the next node has to know. */
function headersOf(handing: Handing, requestId: string): OutgoingHttpHeaders {
  const { body, clientAddress } = handing;
  const headers: OutgoingHttpHeaders = { ...endToEnd(handing.headers) };
  headers[HEADERS.hop] = '1';
  headers[HEADERS.request] = requestId;
  if (clientAddress !== undefined) headers[HEADERS.client] = clientAddress;
  const length = headers['content-length'];
  delete headers['content-length'];
  if (body instanceof Uint8Array) headers['content-length'] = body.length;
  else if (body && length !== undefined) headers['content-length'] = length;
  // Said in either case: Node would send the body of a DELETE without a word on where it ends.
  else if (body) headers['transfer-encoding'] = 'chunked';
  return headers;
}
