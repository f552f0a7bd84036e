import type { HostPort } from '../addresses.ts';
import { parseHostPort } from './addresses.ts';
import type { GossipMember } from './types.ts';

/** Keeps a connection to each of the members: dials, and dials again, ever more rarely. */
export interface Dialer {
  /** From now on these are wanted, and nobody else. */
  want(members: readonly GossipMember[]): void;
  opened(gossipId: string): void;
  closed(gossipId: string): void;
  /** Takes up whoever is neither connected nor being dialled: an end may go unannounced. */
  check(): void;
  stats(): { readonly dials: number; readonly failedDials: number };
  close(): void;
}

export interface DialerOptions {
  readonly self: string;
  readonly dial: (gossipId: string, address: HostPort, signal: AbortSignal) => Promise<void>;
  readonly isConnected: (gossipId: string) => boolean;
  /** Not just now, although it is a member. */
  readonly isBarred: (gossipId: string) => boolean;
  readonly now: () => number;
  readonly random: () => number;
}

interface Target {
  readonly gossipId: string;
  addresses: readonly HostPort[];
  failures: number;
  openedAt: number | undefined;
  timer: NodeJS.Timeout | undefined;
  attempt: AbortController | undefined;
}

interface State extends DialerOptions {
  readonly targets: Map<string, Target>;
  dials: number;
  failedDials: number;
}

/** Of two nodes the one with the smaller id dials; the other waits a little, lest both do. */
const YIELD_MS = 1_500;
const BASE_MS = 500;
const MAX_MS = 30_000;
/** Each address gets so long. */
const DIAL_MS = 4_000;
/** A connection that ends sooner was no success: the peer may not know us yet. */
const LIVED_MS = 30_000;
const MAX_ADDRESSES = 8;

export function createDialer(options: DialerOptions): Dialer {
  const s: State = { ...options, targets: new Map(), dials: 0, failedDials: 0 };
  return {
    want(members) {
      const wanted = new Map(members.map((member) => [member.gossipId, member]));
      for (const target of s.targets.values()) if (!wanted.has(target.gossipId)) forget(s, target);
      for (const member of wanted.values()) take(s, member);
    },
    opened(gossipId) {
      const target = s.targets.get(gossipId);
      if (!target) return;
      target.openedAt = s.now();
      stopTimer(target);
    },
    closed(gossipId) {
      const target = s.targets.get(gossipId);
      if (target) lose(s, target);
    },
    check() {
      for (const target of s.targets.values()) {
        const isIdle = target.timer === undefined && target.attempt === undefined;
        if (isIdle && !s.isConnected(target.gossipId)) lose(s, target);
      }
    },
    stats: () => ({ dials: s.dials, failedDials: s.failedDials }),
    close() {
      for (const target of s.targets.values()) forget(s, target);
    },
  };
}

function lose(s: State, target: Target): void {
  const { openedAt } = target;
  const hasLived = openedAt !== undefined && s.now() - openedAt >= LIVED_MS;
  target.failures = hasLived ? 0 : target.failures + 1;
  target.openedAt = undefined;
  schedule(s, target);
}

function stopTimer(target: Target): void {
  clearTimeout(target.timer);
  target.timer = undefined;
}

function stopAttempt(target: Target): void {
  target.attempt?.abort();
  target.attempt = undefined;
}

function forget(s: State, target: Target): void {
  stopTimer(target);
  stopAttempt(target);
  s.targets.delete(target.gossipId);
}

function take(s: State, { gossipId, addresses }: GossipMember): void {
  const parsed = addresses
    .slice(0, MAX_ADDRESSES)
    .map(parseHostPort)
    .filter((address) => address !== undefined);
  const known = s.targets.get(gossipId);
  if (known && isSame(known.addresses, parsed)) return;
  const target = known ?? {
    gossipId,
    addresses: parsed,
    failures: 0,
    openedAt: undefined,
    timer: undefined,
    attempt: undefined,
  };
  target.addresses = parsed;
  target.failures = 0;
  s.targets.set(gossipId, target);
  // What is being dialled is the old place.
  stopAttempt(target);
  if (!s.isConnected(gossipId)) schedule(s, target);
}

const isSame = (a: readonly HostPort[], b: readonly HostPort[]): boolean =>
  a.length === b.length &&
  a.every(({ host, port }, i) => b[i]?.host === host && b[i].port === port);

/** Milliseconds until the next try; full jitter on the upper half, so that nodes do not march. */
export function waitMs(failures: number, isYielding: boolean, random: () => number): number {
  if (failures === 0) return isYielding ? YIELD_MS + random() * YIELD_MS : random() * 100;
  const whole = Math.min(MAX_MS, BASE_MS * 2 ** Math.min(failures, 16));
  return whole / 2 + (random() * whole) / 2;
}

function schedule(s: State, target: Target): void {
  stopTimer(target);
  if (target.addresses.length === 0) return;
  const ms = waitMs(target.failures, s.self > target.gossipId, s.random);
  target.timer = setTimeout(() => void attempt(s, target), ms);
}

/** Tries every address in turn; never rejects. */
async function attempt(s: State, target: Target): Promise<void> {
  const { gossipId, addresses } = target;
  target.timer = undefined;
  if (target.attempt !== undefined || s.isConnected(gossipId)) return;
  if (s.isBarred(gossipId)) return again(s, target);
  const controller = new AbortController();
  target.attempt = controller;
  for (const address of addresses) {
    if (controller.signal.aborted) break;
    s.dials += 1;
    const signal = AbortSignal.any([controller.signal, AbortSignal.timeout(DIAL_MS)]);
    try {
      await s.dial(gossipId, address, signal);
      break;
    } catch {
      s.failedDials += 1; // the next address, or later again
    }
  }
  if (target.attempt === controller) target.attempt = undefined;
  // Aborted: whoever did that has decided what comes next.
  if (controller.signal.aborted || s.isConnected(gossipId)) return;
  again(s, target);
}

function again(s: State, target: Target): void {
  target.failures += 1;
  schedule(s, target);
}
