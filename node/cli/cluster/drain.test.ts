import { expect } from 'chai';
import { fakeMember } from '#test/fakes/cluster-control.ts';
import { toMember } from '../../cluster/json.ts';
import { CommandError } from '../exit.ts';
import { untilIdle, whyBusy } from './drain.ts';
import type { Member } from './members.ts';

describe('a member that is drained', () => {
  const member = (more: Partial<Member> = {}): Member => ({
    ...toMember(fakeMember({ id: 'attic', name: 'attic', isDraining: true })),
    ...{ role: 'follower', state: 'alive', work: { jobs: 0, streams: 0 } },
    ...more,
  });

  const cases: [string, Partial<Member>, string | undefined][] = [
    ['that does nothing', {}, undefined],
    ['that leads', { role: 'leader' }, 'leads, and no other member can take over yet'],
    ['with a job', { work: { jobs: 1, streams: 0 } }, 'has 1 job, 0 streams to finish'],
    ['with streams', { work: { jobs: 0, streams: 2 } }, 'has 0 jobs, 2 streams to finish'],
    ['that has not said', { work: null }, 'has not said yet what it does'],
    ['that is away', { work: null, state: 'silent' }, undefined],
  ];
  for (const [what, more, words] of cases) {
    it(`${what}: ${words ?? 'is idle'}`, () => expect(whyBusy(member(more))).to.equal(words));
  }

  /** Waits with a node that answers these, one a second. */
  function wait(first: Member, ...later: Member[]) {
    let now = 0;
    const paths: string[] = [];
    const waited = untilIdle(first, {
      client: {
        async request<T>(_method: string, path: string) {
          paths.push(path);
          return later.shift()! as T;
        },
      },
      ...{ output: { status: () => undefined }, name: 'attic', timeoutMs: 5_000 },
      ...{ pause: async (ms: number) => (now += ms), elapsed: () => now },
    });
    return { waited, paths };
  }

  it('is waited for', async () => {
    const { waited, paths } = wait(member({ role: 'leader' }), member({ work: null }), member());
    expect(await waited).to.deep.equal(member());
    expect(paths).to.deep.equal(Array(2).fill('/api/v1/cluster/members/attic'));
  });

  it('is not waited for when somebody undrains it, or for ever', async () => {
    const busy = member({ work: { jobs: 3, streams: 0 } });
    const failure = (waited: Promise<unknown>) => waited.catch((error: unknown) => error);
    expect(await failure(wait(busy, member({ isDraining: false })).waited))
      .to.be.instanceOf(CommandError)
      .with.property('message', 'attic was told to take work again');
    expect(await failure(wait(busy, ...Array<Member>(9).fill(busy)).waited))
      .to.be.instanceOf(CommandError)
      .with.property('message')
      .that.contains('not idle after 5s: it has 3 jobs, 0 streams to finish');
  });
});
