import { setTimeout as sleep } from 'node:timers/promises';
import type { Effects, Outbox } from '#storage/cluster/outbox.ts';
import type { Log } from '../raft/driver/ports.ts';
import type { Command, Result } from '../state/types.ts';
import { commandsOf } from './commands.ts';
import type { Offices, Seat } from './office.ts';

/** The state machine refused what only a state that cannot go on would refuse. */
export function checkDone(result: Result): Result {
  if (result.isDone) return result;
  throw new Error(`the cluster's state refused it: ${result.why}`);
}

/** No leader took it in time. A change that waits in the outbox is announced by the next one. */
export class UnannouncedError extends Error {
  constructor(cause?: unknown) {
    super('no leader put it into the log in time', { cause });
    this.name = 'UnannouncedError';
  }
}

export interface ProposerDeps {
  readonly offices: Offices;
  /** Proposes as the leader. */
  readonly here: (command: Command) => Promise<Result>;
  /** Has another node propose, as the leader; rejects when that did not come about. */
  readonly there: (leader: string, command: Command, timeoutMs: number) => Promise<Result>;
  /** Milliseconds, of a clock that never goes back. */
  readonly now: () => number;
}

export interface Waiting {
  /** False: gives up as soon as nobody leads; otherwise it waits for who will. */
  readonly isPatient?: boolean;
}

/** Resolves once the leader has applied it; this node may be behind. */
export type Proposer = (command: Command, timeoutMs: number, waiting?: Waiting) => Promise<Result>;

const againMs = 50;

/**
 * Proposes on the leader, whichever node that is, and again while that fails: only for commands
 * that may come twice.
 * @throws UnannouncedError when there was no leader in time
 */
export function createProposer({ offices, here, there, now }: ProposerDeps): Proposer {
  const at = (seat: Seat, command: Command, leftMs: number) =>
    'here' in seat ? here(command) : there(seat.leader, command, Math.max(1, leftMs));
  return async (command, timeoutMs, { isPatient = true } = {}) => {
    const until = now() + timeoutMs;
    let last: unknown;
    for (;;) {
      const seat = await offices.find(isPatient ? Math.max(0, until - now()) : 0);
      if (!seat && !isPatient) throw new UnannouncedError(last);
      try {
        if (seat) return await whileItLeads(offices, seat, at(seat, command, until - now()));
      } catch (error) {
        last = error;
      }
      if (now() + againMs >= until) throw new UnannouncedError(last);
      await sleep(againMs);
    }
  };
}

/** Rejects as soon as it is known that another leads, or nobody: one that hangs says nothing. */
async function whileItLeads<T>(offices: Offices, seat: Seat, work: Promise<T>): Promise<T> {
  const lost = Promise.withResolvers<never>();
  const look = async () => {
    if (!isSame(seat, await offices.find(0))) lost.reject(new Error('it leads no more'));
  };
  const stop = offices.onChange(() => void look());
  try {
    return await Promise.race([work, lost.promise]);
  } finally {
    stop();
  }
}

function isSame(one: Seat, other: Seat | undefined): boolean {
  if (!other) return false;
  if ('leader' in one) return 'leader' in other && other.leader === one.leader;
  return 'here' in other && other.here.fence.term === one.here.fence.term;
}

export interface AnnouncerDeps {
  readonly propose: Proposer;
  readonly waitFor: (index: number, timeoutMs: number) => Promise<boolean>;
  readonly timeoutMs: number;
}

/**
 * Makes tags stale everywhere, and tells; resolves to the index at which that is so, once it is
 * applied here.
 * @throws UnannouncedError when that did not come about in time
 */
export function createAnnouncer({ propose, waitFor, timeoutMs }: AnnouncerDeps) {
  return async (effects: Effects, waiting: Waiting = {}): Promise<number> => {
    let index = 0;
    for (const command of commandsOf([effects])) {
      const result = await propose(command, timeoutMs, waiting);
      if (!result.isDone) throw new UnannouncedError(result.why);
      index = Math.max(index, result.index);
    }
    if (!(await waitFor(index, timeoutMs))) throw new UnannouncedError();
    return index;
  };
}

export interface SweeperDeps {
  readonly outbox: Pick<Outbox, 'remove'>;
  readonly log: Log;
}

export interface Sweeper {
  announced(id: number): void;
  /** Removes what is left. */
  close(): Promise<void>;
}

const sweepMs = 100;
const sweepMax = 500;

/**
 * Removes from the outbox what was announced, some at a time: who announced a change need not wait
 * for that. What is lost of this, the next drain announces once more, which does no harm.
 */
export function createSweeper({ outbox, log }: SweeperDeps): Sweeper {
  let ids: number[] = [];
  let timer: NodeJS.Timeout | undefined;
  const sweep = async () => {
    clearTimeout(timer);
    timer = undefined;
    const some = ids;
    ids = [];
    try {
      await outbox.remove(some);
    } catch (error) {
      log.warn('announced changes stay in the outbox for now', { error: String(error) });
    }
  };
  return {
    announced(id: number) {
      ids.push(id);
      if (ids.length >= sweepMax) void sweep();
      else timer ??= setTimeout(() => void sweep(), sweepMs);
    },
    close: sweep,
  };
}
