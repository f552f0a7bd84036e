import { expect } from 'chai';
import type { CallContext } from '../rpc/index.ts';
import { askSession, createCalls, type CallsDeps } from './calls.ts';

const known = { bootEpoch: 4, session: 'fourth' };

/** What a member says to one who greets it, and whether it believes where that one says it is. */
async function greet(
  greeting: { bootEpoch: number; session: string },
  { isRetired = false, answers }: { isRetired?: boolean; answers?: string },
) {
  const heard: unknown[] = [];
  const calls = createCalls({
    epochOf: () => known,
    isRetired: () => isRetired,
    sessionAt: async () => answers,
    whereabouts: { hear: (all) => void heard.push(...all), tell: () => [] },
  } as Partial<CallsDeps> as CallsDeps);
  const at = {
    id: 'n2',
    ...{ bootEpoch: greeting.bootEpoch, saidAt: 1 },
    addresses: { raft: [], rpc: [], gossip: [], api: [] },
  };
  const answer = await calls['greet']!({ ...greeting, at }, { from: 'n2' } as CallContext);
  return { verdict: (answer as { verdict: string }).verdict, isBelieved: heard.length > 0 };
}

describe('who greets a member', () => {
  for (const { who, bootEpoch, session, verdict, ...others } of [
    { who: 'the start that is known', bootEpoch: 4, session: 'fourth', verdict: 'welcome' },
    { who: 'a later start', bootEpoch: 5, session: 'fifth', verdict: 'welcome' },
    {
      who: 'a later start that is where the earlier one was',
      ...{ bootEpoch: 5, session: 'fifth', answers: 'fifth', verdict: 'welcome' },
    },
    {
      who: 'a later start while the earlier one still answers',
      ...{ bootEpoch: 5, session: 'fifth', answers: 'fourth', verdict: 'twice' },
    },
    { who: 'an earlier start', bootEpoch: 3, session: 'third', verdict: 'copy' },
    { who: 'another start of the same number', bootEpoch: 4, session: 'copy', verdict: 'copy' },
    {
      who: 'one that was removed',
      ...{ bootEpoch: 5, session: 'fifth', isRetired: true, verdict: 'retired' },
    },
  ]) {
    it(`${who}: ${verdict}`, async () => {
      expect(await greet({ bootEpoch, session }, others)).to.deep.equal({
        verdict,
        isBelieved: verdict === 'welcome',
      });
    });
  }
});

describe('the session at an address', () => {
  it('is what whoever is there says', async () => {
    expect(await askSession({ call: async () => ({ session: 's' }) }, 'n2')).to.equal('s');
  });

  it('is none where nobody answers, or something else', async () => {
    const away = { call: () => Promise.reject(new Error('nobody')) };
    expect(await askSession(away, 'n2')).to.equal(undefined);
    expect(await askSession({ call: async () => ({}) }, 'n2')).to.equal(undefined);
    expect(await askSession(undefined, 'n2')).to.equal(undefined);
  });
});
