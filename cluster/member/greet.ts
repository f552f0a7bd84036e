import { z } from 'zod';
import type { Announcement } from '../state/types.ts';
import { RpcError } from '../rpc/index.ts';
import { BarredError } from './barred.ts';
import type { Network } from './network.ts';
import { sightingShape, type Rumours } from './rumours.ts';

export interface GreetDeps {
  readonly network: Pick<Network, 'client' | 'peers'>;
  readonly self: Pick<Announcement, 'id' | 'bootEpoch' | 'session'>;
  readonly rumours: Rumours;
}

const patienceMs = 2_000;
const answer = z.object({
  verdict: z.enum(['welcome', 'copy', 'twice', 'retired']),
  /** Of a member before it told this: nothing. */
  at: z.array(sightingShape).max(512).default([]),
});

/**
 * Tells the others where this node is, and hears where they are. Before this node says a word of
 * Raft it also asks whether they know a later start of it, or still reach an earlier one: what
 * votes from a copy of an old log could vote twice. If nobody answers, as after a power cut, it
 * goes on: then nobody is there to be misled.
 *
 * Resolves to how many answered.
 * @throws BarredError
 */
export async function greetAll({ network, self, rumours }: GreetDeps): Promise<number> {
  const { bootEpoch, session } = self;
  const greeting = { bootEpoch, session, at: rumours.self() };
  const asked = network.peers().map(async ({ id }) => {
    const options = { timeoutMs: patienceMs };
    const { verdict, at } = answer.parse(await network.client.call(id, 'greet', greeting, options));
    rumours.hear(at);
    return verdict;
  });
  const answers = await Promise.allSettled(asked);
  const said = answers.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  // One that did not hear of its removal as the leader's last word is turned away at the door.
  if (said.includes('retired') || answers.some(isTurnedAway)) throw new BarredError('retired');
  if (said.includes('copy')) throw new BarredError('restored-copy');
  if (said.includes('twice')) throw new BarredError('runs-already');
  return said.length;
}

const isTurnedAway = (answer: PromiseSettledResult<unknown>): boolean =>
  answer.status === 'rejected' &&
  answer.reason instanceof RpcError &&
  answer.reason.code === 'removed';
