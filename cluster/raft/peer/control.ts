import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { PeerRef } from '../core/types.ts';
import type { Driver } from '../driver/driver.ts';
import { OutcomeUnknownError, RaftRefusedError } from '../driver/errors.ts';
import { runBench, runBusy } from './bench.ts';
import { readAddress } from '../../addresses.ts';
import type { PeerMachine } from './machine.ts';
import type { Writes } from './writes.ts';

export interface ControlOptions {
  readonly driver: Driver;
  readonly machine: PeerMachine;
  readonly writes: Writes;
}

interface Call extends ControlOptions {
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

class ProblemError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const maxBody = 16 * 1024 * 1024;

const param = ({ query }: Call, name: string): string => {
  const value = query.get(name);
  if (value === null || value === '')
    throw new ProblemError(400, `the parameter ${name} is missing`);
  return value;
};
const keyParam = (call: Call): string => {
  const key = param(call, 'k');
  if (key.includes(' ')) throw new ProblemError(400, 'a key has no spaces');
  return key;
};
const countParam = ({ query }: Call, name: string, otherwise: number): number => {
  const count = Number(query.get(name) ?? otherwise);
  if (Number.isInteger(count) && count >= 0) return count;
  throw new ProblemError(400, `${name} is not a whole number`);
};

const routes: Record<string, (call: Call) => Promise<unknown>> = {
  async 'POST /apply'({ writes, body }) {
    const { index, term } = await writes.apply(body);
    return { index, term };
  },
  async 'POST /set'(call) {
    const { index, term } = await call.writes.set(keyParam(call), call.query.get('v') ?? '');
    return { index, term };
  },
  async 'POST /cas'(call) {
    const from = call.query.get('from') ?? undefined;
    const swap = await call.writes.swap(keyParam(call), from, call.query.get('to') ?? '');
    if (!swap.isSwapped) return { swapped: false, value: swap.value ?? null };
    return { swapped: true, index: swap.done.index, term: swap.done.term };
  },
  async 'GET /get'(call) {
    const { driver, machine, query } = call;
    const mode = query.get('mode') ?? 'linearizable';
    if (mode === 'linearizable') await driver.read('quorum');
    else if (mode === 'lease') await driver.read('lease');
    else if (mode !== 'stale') throw new ProblemError(400, 'mode is linearizable, lease or stale');
    return { value: machine.get(keyParam(call)) ?? null, applied: driver.applied() };
  },
  'GET /state': (call) => state(call),
  'GET /list': async ({ machine }) => machine.list(),
  async 'GET /metrics'({ driver }) {
    return (await driver.status()).metrics;
  },
  async 'POST /transfer'({ driver, query }) {
    await driver.transfer(query.get('id') ?? undefined);
    return {};
  },
  'POST /snapshot': ({ driver }) => driver.snapshot(),
  'POST /members/add': (call) => change(call, 'addVoter'),
  'POST /members/nonvoter': (call) => change(call, 'addNonvoter'),
  'POST /members/promote': (call) => change(call, 'addVoter'),
  'POST /members/demote': (call) => change(call, 'demoteVoter'),
  'POST /members/remove': (call) => change(call, 'removeServer'),
  'POST /busy': (call) => runBusy(countParam(call, 'ms', 3000)),
  'POST /bench': (call) => {
    const what = call.query.get('what') ?? 'write';
    if (what !== 'write' && what !== 'read' && what !== 'lease') {
      throw new ProblemError(400, 'what is write, read or lease');
    }
    return runBench(call.driver, {
      clients: countParam(call, 'clients', 1),
      size: countParam(call, 'size', 128),
      ms: countParam(call, 'ms', 3000),
      what,
    });
  },
};

async function state({ driver, machine }: Call): Promise<unknown> {
  const status = await driver.status();
  const { servers } = status.configuration;
  const peers = servers.map((server) => {
    const known = status.peers.find((peer) => peer.server.id === server.id);
    return known ? { ...server, match: known.match, lastContactMs: known.lastContactMs } : server;
  });
  // Go peers before 1.3.7 tell their address and no id.
  const leader = status.leader;
  const byAddress = servers.find(({ address }) => address === leader?.address);
  return {
    id: status.id,
    role: status.role === 'preCandidate' ? 'candidate' : status.role,
    term: status.term,
    leader: leader?.id ?? byAddress?.id ?? null,
    leaderAddress: leader?.address ?? null,
    commit: status.commit,
    applied: driver.applied(),
    lastIndex: status.lastIndex,
    snapshotIndex: status.snapshotIndex,
    peers,
    count: machine.count(),
    crc32: machine.crc32(),
  };
}

async function change(
  call: Call,
  kind: 'addVoter' | 'addNonvoter' | 'demoteVoter' | 'removeServer',
): Promise<unknown> {
  const id = param(call, 'id');
  const given = call.query.get('address') ?? undefined;
  const { configuration } = await call.driver.status();
  if (given !== undefined && !readAddress(given)) {
    throw new ProblemError(400, `the address ${given} is no HOST:PORT`);
  }
  const address = given ?? configuration.servers.find((server) => server.id === id)?.address;
  const { index, term } = await call.driver.change({
    kind,
    id,
    ...(address === undefined ? {} : { address }),
    prevIndex: countParam(call, 'prevIndex', 0),
    force: call.query.get('force') === 'true',
  });
  return { index, term };
}

/** JSON over HTTP, meant for loopback: nobody is asked who they are. */
export function createControl(options: ControlOptions) {
  return createServer((request, response) => {
    handle(options, request).then(
      (body) => answer(response, 200, body),
      (error: unknown) => {
        const problem = problemOf(error);
        answer(response, problem.status, problem);
      },
    );
  });
}

async function handle(options: ControlOptions, request: IncomingMessage): Promise<unknown> {
  const url = new URL(request.url ?? '/', 'http://control');
  const route = routes[`${request.method} ${url.pathname}`];
  if (!route) throw new ProblemError(404, `there is no ${request.method} ${url.pathname}`);
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > maxBody) throw new ProblemError(413, `a command has at most ${maxBody} bytes`);
    pieces.push(piece);
  }
  return route({ ...options, query: url.searchParams, body: Buffer.concat(pieces) });
}

interface Problem {
  readonly title: string;
  readonly status: number;
  readonly reason?: string;
  readonly leader?: PeerRef;
}

const busy = new Set([
  'busy',
  'transfer-in-progress',
  'too-much-uncommitted',
  'term-changed',
  'ended',
]);
const misdirected = new Set(['not-leader', 'leadership-lost']);

function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return { title: error.message, status: error.status };
  if (error instanceof OutcomeUnknownError) {
    return { title: error.message, status: 504, reason: 'outcome-unknown' };
  }
  if (!(error instanceof RaftRefusedError)) return { title: String(error), status: 500 };
  const { message: title, reason, leader } = error;
  const status = misdirected.has(reason) ? 421 : busy.has(reason) ? 503 : 409;
  return { title, status, reason, ...(leader ? { leader } : {}) };
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  const type = status < 400 ? 'application/json' : 'application/problem+json';
  response.writeHead(status, { 'content-type': type }).end(`${JSON.stringify(body)}\n`);
}
