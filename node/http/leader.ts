import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { problem } from '#services/errors.ts';
import { readRaw } from './body.ts';
import type { Exchange } from './exchange.ts';
import { sendHandedOn } from './reply.ts';
import type { IndexClock } from './index-clock.ts';

/** A request as another node is given it: nothing of it is changed, the caller's proof included. */
export interface HandedOn {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly clientAddress: string;
  readonly signal: AbortSignal;
  /** The operator of this node asks, whose proof only this node knows. */
  readonly isOperator: boolean;
}

/** The leader's answer; `body` must be read or destroyed. */
export interface LeaderAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
}

/**
 * `here`: carries work out under this node's office, so that it is fenced; false when the office
 * was lost before anything was written, so that another node may do it.
 */
export type Seat =
  { readonly here: (work: () => Promise<void>) => Promise<boolean> } | { readonly leader: string };

/** Who carries out what `x-write: leader` marks. */
export interface LeaderPort {
  /** Undefined when nobody leads for this long. */
  find(timeoutMs: number): Promise<Seat | undefined>;
  /**
   * Hands a request to the leader. Undefined, or `unreached` where no connection to it came about,
   * when it was not carried out. Throws `outcome-unknown` when it may have been.
   */
  send(leader: string, request: HandedOn): Promise<LeaderAnswer | 'unreached' | undefined>;
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
/** Whoever is known to lead for longer than a leader may be silent, and is not reached, will not be. */
const unreachedMs = 2_500;

/**
 * Carries `work` out on the leader: here, or by handing the whole request to the node that leads.
 */
export async function onLeader(
  exchange: Exchange,
  context: LeaderContext,
  work: () => Promise<void>,
): Promise<void> {
  const { port, now } = context;
  const isHandedOn = exchange.handedOn !== undefined;
  const until = now() + (isHandedOn ? handedOnPatienceMs : patienceMs);
  // Kept, as it may have to be handed on after all.
  const limitBytes = exchange.route?.bodyLimitBytes ?? context.bodyLimitBytes;
  exchange.body ??= await readRaw(exchange.req, exchange.res, limitBytes);
  let first: { readonly leader: string; readonly at: number } | undefined;
  for (;;) {
    const seat = await port.find(Math.max(0, until - now()));
    if (!seat) throw noLeader();
    if ('here' in seat && (await seat.here(work))) return;
    if (isHandedOn) throw problem('not-leader', 'This node does not lead');
    if ('leader' in seat) {
      if (first?.leader !== seat.leader) first = { leader: seat.leader, at: now() };
      const answer = await handOn(exchange, context, seat.leader);
      if (answer === 'unreached' && now() - first.at >= unreachedMs) throw noLeader();
      if (answer && answer !== 'unreached') return sendAnswer(exchange, context, answer);
    }
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
  { port }: LeaderContext,
  leader: string,
): Promise<LeaderAnswer | 'unreached' | undefined> {
  const { req, body = Buffer.alloc(0) } = exchange;
  return port.send(leader, {
    method: req.method,
    path: req.url,
    // One id in the logs of both nodes.
    headers: { ...req.headers, 'x-request-id': exchange.id },
    body,
    clientAddress: exchange.ip,
    signal: exchange.signal,
    isOperator: exchange.principal?.via === 'operator',
  });
}

async function sendAnswer(
  exchange: Exchange,
  { clock, behindMs }: LeaderContext,
  { status, headers, body }: LeaderAnswer,
): Promise<void> {
  const index = Number(headers['x-revenge-index'] ?? 0);
  // The client's next read comes here; if this takes too long, the index it was told protects it.
  if (Number.isSafeInteger(index)) await clock.waitFor(index, behindMs);
  await sendHandedOn(exchange, { status, headers, body });
}
