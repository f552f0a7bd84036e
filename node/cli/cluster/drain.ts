import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../client.ts';
import { CommandError } from '../exit.ts';
import type { Output } from '../output.ts';
import type { Member } from './members.ts';
import { workWords } from './tables.ts';
import { showDuration } from './words.ts';

export interface IdleWatch {
  readonly client: Pick<Client, 'request'>;
  readonly output: Pick<Output, 'status'>;
  /** The member's, for people. */
  readonly name: string;
  readonly timeoutMs: number;
  /** Waits between two looks, in milliseconds. */
  readonly pause?: (ms: number) => Promise<unknown>;
  /** Milliseconds, of a clock that never goes back. */
  readonly elapsed?: () => number;
}

const everyMs = 1_000;

/**
 * Looks until a drained member does nothing any more; one that does not answer does nothing either.
 * @throws CommandError when somebody takes the draining back, or it takes too long
 */
export async function untilIdle(first: Member, watch: IdleWatch): Promise<Member> {
  const { client, output, name, timeoutMs, pause = sleep } = watch;
  const elapsed = watch.elapsed ?? (() => performance.now());
  const until = elapsed() + timeoutMs;
  const path = `/api/v1/cluster/members/${encodeURIComponent(first.id)}`;
  for (let member = first; ; member = await client.request<Member>('GET', path)) {
    if (!member.isDraining) throw new CommandError(`${name} was told to take work again`);
    const why = whyBusy(member);
    output.status(why === undefined ? '' : `${name} ${why}`);
    if (why === undefined) return member;
    if (elapsed() >= until) {
      const waited = `after ${showDuration(timeoutMs)}`;
      throw new CommandError(`${name} is drained, but not idle ${waited}: it ${why}`);
    }
    await pause(everyMs);
  }
}

/** What it still does; undefined: nothing. Pure. */
export function whyBusy({ role, state, work }: Member): string | undefined {
  if (role === 'leader') return 'leads, and no other member can take over yet';
  if (state === 'silent') return undefined;
  if (work === null) return 'has not said yet what it does';
  return work.jobs === 0 && work.streams === 0 ? undefined : `has ${workWords(work)} to finish`;
}
