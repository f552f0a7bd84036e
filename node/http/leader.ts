import type { Readable } from 'node:stream';
import { problem } from '#services/errors.ts';
import { readRaw } from './body.ts';
import type { Exchange } from './exchange.ts';
import { sendHandedOn } from './reply.ts';
import type { IndexClock } from './index-clock.ts';

/** A request as another node is given it: nothing of it is changed, the caller's proof included. */
export interface HandedOn {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** Flat: name, value, …; without those of the connection. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  readonly requestId: string;
  /** The client's address. */
  readonly ip: string;
  readonly signal: AbortSignal;
}

/** The leader's answer; `body` must be read or destroyed. */
export interface LeaderAnswer {
  readonly status: number;
  /** Flat: name, value, …; without those of the connection. */
  readonly headers: readonly string[];
  readonly body: Readable;
}

/** `here`: carries work out under this node's office, so that it is fenced. */
export type Seat =
  { readonly here: <T>(work: () => Promise<T>) => Promise<T> } | { readonly leader: string };

/** Who carries out what `x-write: leader` marks. */
export interface LeaderPort {
  /** Undefined when nobody leads for this long. */
  find(timeoutMs: number): Promise<Seat | undefined>;
  /**
   * Hands a request to the leader; undefined when it was not carried out: the other node does not
   * lead, or was not reached. Rejects with OutcomeUnknown when it may have been.
   */
  send(leader: string, request: HandedOn): Promise<LeaderAnswer | undefined>;
}

export interface LeaderContext {
  readonly port: LeaderPort;
  readonly clock: IndexClock;
  readonly bodyLimitBytes: number;
  readonly behindMs: number;
  readonly now: () => number;
}

/** An election and a little more: who asks meanwhile only notices a pause. */
const patienceMs = 8_000;
/** The node that handed a request on does the waiting. */
const handedOnPatienceMs = 1_500;
const againMs = 50;

/** Carries `work` out on the leader: here, or by handing the whole request to the node that leads. */
export async function onLeader(
  exchange: Exchange,
  context: LeaderContext,
  work: () => Promise<void>,
): Promise<void> {
  const { port, now } = context;
  const isHandedOn = exchange.handedOn !== undefined;
  const until = now() + (isHandedOn ? handedOnPatienceMs : patienceMs);
  for (;;) {
    const seat = await port.find(Math.max(0, until - now()));
    if (!seat) throw noLeader();
    if ('here' in seat) return seat.here(work);
    if (isHandedOn) throw problem('not-leader', 'This node does not lead');
    const answer = await handOn(exchange, context, seat.leader);
    if (answer) return sendAnswer(exchange, context, answer);
    if (now() >= until) throw noLeader();
    await new Promise((resolve) => setTimeout(resolve, againMs));
  }
}

const noLeader = () =>
  problem('no-leader', 'No node leads the cluster right now; nothing was changed', {
    retryAfterSeconds: 2,
  });

async function handOn(
  exchange: Exchange,
  { port, bodyLimitBytes }: LeaderContext,
  leader: string,
): Promise<LeaderAnswer | undefined> {
  const { req, res } = exchange;
  exchange.body ??= await readRaw(req, res, bodyLimitBytes);
  return port.send(leader, {
    method: req.method,
    url: req.url,
    headers: endToEnd(req.rawHeaders),
    body: exchange.body,
    requestId: exchange.id,
    ip: exchange.ip,
    signal: exchange.signal,
  });
}

async function sendAnswer(
  exchange: Exchange,
  { clock, behindMs }: LeaderContext,
  { status, headers, body }: LeaderAnswer,
): Promise<void> {
  const at = headers.findIndex((name, i) => i % 2 === 0 && /^x-revenge-index$/i.test(name));
  const index = at < 0 ? 0 : Number(headers[at + 1]);
  // The client's next read comes here; if this takes too long, the index it was told protects it.
  if (Number.isSafeInteger(index)) await clock.waitFor(index, behindMs);
  await sendHandedOn(exchange, { status, headers, body });
}

/** RFC 9110 §7.6.1, and the length, which is stated anew. */
const connectionHeaders = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'expect',
]);

/** Headers that are for the other end, flat. */
export function endToEnd(raw: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    if (!connectionHeaders.has(name.toLowerCase())) kept.push(name, raw[i + 1] ?? '');
  }
  return kept;
}
