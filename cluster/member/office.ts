import type { Fence } from '#storage/cluster/outbox.ts';
import type { Log } from '../raft/driver/ports.ts';
import type { Consensus } from './consensus.ts';
import type { Pause } from './pause.ts';

/** The leader's office: from when it may write until the moment it may not. */
export interface Office {
  readonly fence: Fence;
  /** Aborted when leadership is lost. */
  readonly signal: AbortSignal;
}

/** Where a write has to go. */
export type Seat = { readonly here: Office } | { readonly leader: string };

/** This node had better not lead, and another one may: leadership is given up at once. */
export class UnfitError extends Error {
  override readonly name = 'UnfitError';
}

export interface OfficeDeps {
  readonly nodeId: string;
  readonly consensus: Consensus;
  /** What a new leader does before it serves; repeated while it fails, as long as it leads. */
  readonly takeOver: (term: number, signal: AbortSignal) => Promise<Fence>;
  /** Asks the others who leads, when the Raft of this node does not run; undefined: nobody says. */
  readonly askAround: () => Promise<string | undefined>;
  readonly log: Log;
  /** Milliseconds, of a clock that never goes back. */
  readonly elapsed: () => number;
  readonly pause: Pause;
}

export interface Offices {
  current(): Office | undefined;
  /** Returns a function that stops it. */
  onChange(listener: (office: Office | undefined) => void): () => void;
  /** This node's office, or who leads; waits as long as it may while nobody does. */
  find(timeoutMs: number): Promise<Seat | undefined>;
  close(): void;
}

const firstPauseMs = 50;
const longestPauseMs = 2_000;

type Listener = (office: Office | undefined) => void;

/** Follows Raft's leadership, and takes the office behind it. */
export function createOffices(deps: OfficeDeps): Offices {
  const { consensus, nodeId } = deps;
  const listeners = new Set<Listener>();
  const tenure = createTenure(deps, listeners);
  const stop = consensus.onLeadership(() => tenure.follow());
  tenure.follow();

  const seat = (): Seat | undefined => {
    const office = tenure.office();
    if (office) return { here: office };
    const { role, leader } = consensus.leadership();
    const id = role === 'leader' ? undefined : leader?.id;
    return id === undefined || id === nodeId ? undefined : { leader: id };
  };
  return {
    current: () => tenure.office(),
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    find: (timeoutMs) =>
      consensus.isRunning()
        ? findSeat(seat, listeners, timeoutMs)
        : findElsewhere(deps, (waitMs) => findSeat(seat, listeners, waitMs), timeoutMs),
    close() {
      stop();
      tenure.end('this node stops');
    },
  };
}

function findSeat(
  seat: () => Seat | undefined,
  listeners: Set<Listener>,
  timeoutMs: number,
): Promise<Seat | undefined> {
  const now = seat();
  if (now) return Promise.resolve(now);
  return new Promise((resolve) => {
    const done = (found: Seat | undefined) => {
      clearTimeout(timer);
      listeners.delete(look);
      resolve(found);
    };
    const look = () => {
      const found = seat();
      if (found) done(found);
    };
    const timer = setTimeout(done, timeoutMs, undefined);
    listeners.add(look);
  });
}

/** Whoever has Raft may find another leader in this time, but this node hears of it from others. */
const elsewhereMs = 2_500;
const askAgainMs = 250;

/** A node without Raft can still hand on what it is asked, if others say to whom. */
async function findElsewhere(
  { askAround, elapsed, nodeId }: OfficeDeps,
  find: (timeoutMs: number) => Promise<Seat | undefined>,
  timeoutMs: number,
): Promise<Seat | undefined> {
  const until = elapsed() + Math.min(timeoutMs, elsewhereMs);
  for (;;) {
    const seat = await find(Math.max(0, Math.min(askAgainMs, until - elapsed())));
    if (seat || elapsed() >= until) return seat;
    const leader = await askAround();
    if (leader !== undefined && leader !== nodeId) return { leader };
  }
}

/** This node's times in office, one after the other. */
function createTenure(deps: OfficeDeps, listeners: ReadonlySet<Listener>) {
  const { consensus, log } = deps;
  let office: Office | undefined;
  let ending: AbortController | undefined;
  let term = 0;

  const tell = (now: Office | undefined) => {
    office = now;
    for (const listener of listeners) listener(now);
  };
  const end = (why: string) => {
    if (!ending) return;
    ending.abort(new Error(why));
    ending = undefined;
    if (office) log.info('leaves office', { term, because: why });
    office = undefined;
  };
  const enter = async (mine: number, signal: AbortSignal) => {
    const fence = await untilTaken(deps, mine, signal);
    if (!fence || signal.aborted) return;
    log.info('takes office', { ...fence });
    tell({ fence, signal });
  };
  return {
    office: () => office,
    end,
    follow() {
      const { role, term: now } = consensus.leadership();
      const leads = role === 'leader';
      if (leads && ending && now === term) return;
      end(leads ? 'it leads in a later term' : 'leadership was lost');
      term = now;
      if (leads) {
        ending = new AbortController();
        void enter(now, ending.signal);
      }
      tell(undefined);
    },
  };
}

/** Perhaps only this node does not reach the database: then another one can lead. */
const patienceMs = 10_000;

async function untilTaken(
  { takeOver, consensus, log, pause }: OfficeDeps,
  term: number,
  signal: AbortSignal,
): Promise<Fence | undefined> {
  let waitedMs = 0;
  for (let waitMs = firstPauseMs; !signal.aborted; waitMs = Math.min(2 * waitMs, longestPauseMs)) {
    try {
      return await takeOver(term, signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      log.warn('cannot take office yet; it is tried again', { term, error: String(error) });
      await pause(waitMs, signal);
      waitedMs += error instanceof UnfitError ? patienceMs : waitMs;
    }
    if (waitedMs < patienceMs || signal.aborted) continue;
    waitedMs = 0;
    await consensus.transfer().catch((error: unknown) => {
      log.warn('nobody else can lead either', { term, reason: String(error) });
    });
  }
  return undefined;
}
