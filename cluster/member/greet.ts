import type { Announcement } from '../state/types.ts';
import { BarredError } from './barred.ts';
import type { Verdict } from './calls.ts';
import type { Network } from './network.ts';

export interface GreetDeps {
  readonly network: Pick<Network, 'client' | 'peers'>;
  readonly self: Pick<Announcement, 'id' | 'bootEpoch' | 'session'>;
}

const patienceMs = 2_000;

/**
 * Asks the others, before this node says a word of Raft, whether they know a later start of it:
 * what votes from a copy of an old log could vote twice. If nobody answers, as after a power cut,
 * it goes on: then nobody is there to be misled.
 * @throws BarredError
 */
export async function greetAll({ network, self }: GreetDeps): Promise<void> {
  const { bootEpoch, session } = self;
  const asked = network.peers().map(async ({ id }) => {
    const options = { timeoutMs: patienceMs };
    const answer = await network.client.call(id, 'greet', { bootEpoch, session }, options);
    const { verdict } = answer as { verdict: Verdict };
    return verdict;
  });
  const verdicts = await Promise.allSettled(asked);
  const said = verdicts.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  if (said.includes('retired')) throw new BarredError('retired');
  if (said.includes('copy')) throw new BarredError('restored-copy');
}
