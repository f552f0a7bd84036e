import { setTimeout as sleep } from 'node:timers/promises';
import type { Outbox } from '#storage/cluster/outbox.ts';
import type { Log } from '../raft/driver/ports.ts';
import type { Command, Result } from '../state/types.ts';
import type { Offices } from './office.ts';

/** Most tags of one command: more are several. */
const tagsMax = 1000;

/** The tags of several changes, each once, in as few commands as they fit into. */
export function commandTags(changes: readonly (readonly string[])[]): string[][] {
  const all = [...new Set(changes.flat())];
  return Array.from({ length: Math.ceil(all.length / tagsMax) }, (_, nth) =>
    all.slice(nth * tagsMax, (nth + 1) * tagsMax),
  );
}

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

/** Resolves once the leader has applied it; this node may be behind. */
export type Proposer = (command: Command, timeoutMs: number) => Promise<Result>;

const againMs = 50;

/**
 * Proposes on the leader, whichever node that is, and again while that fails: only for commands
 * that may come twice.
 * @throws UnannouncedError when there was no leader in time
 */
export function createProposer({ offices, here, there, now }: ProposerDeps): Proposer {
  return async (command, timeoutMs) => {
    const until = now() + timeoutMs;
    let last: unknown;
    for (;;) {
      const seat = await offices.find(Math.max(0, until - now()));
      try {
        if (seat && 'here' in seat) return await here(command);
        if (seat) return await there(seat.leader, command, Math.max(1, until - now()));
      } catch (error) {
        last = error;
      }
      if (now() + againMs >= until) throw new UnannouncedError(last);
      await sleep(againMs);
    }
  };
}

export interface AnnouncerDeps {
  readonly propose: Proposer;
  readonly waitFor: (index: number, timeoutMs: number) => Promise<boolean>;
  readonly timeoutMs: number;
}

/**
 * Makes tags stale everywhere; resolves to the index at which they are, once it is applied here.
 * @throws UnannouncedError when that did not come about in time
 */
export function createAnnouncer({ propose, waitFor, timeoutMs }: AnnouncerDeps) {
  return async (tags: readonly string[]): Promise<number> => {
    let index = 0;
    for (const part of commandTags([tags])) {
      const result = await propose({ type: 'invalidate', tags: part }, timeoutMs);
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
