import { expect } from 'chai';
import type { Result } from '../state/types.ts';
import { createProposer, UnannouncedError } from './announce.ts';
import type { Office, Offices, Seat } from './office.ts';

const done: Result = { isDone: true, index: 1 };
const invalidate = { type: 'invalidate', tags: ['x'] } as const;
const office = (term: number): Office => ({
  ...{ fence: { epoch: 1, term }, signal: new AbortController().signal },
});

/** Leadership as a test tells it; who waits for a leader is told of the next one. */
function scripted(first: Seat | undefined) {
  const listeners = new Set<() => void>();
  let seat = first;
  const offices = {
    current: () => (seat && 'here' in seat ? seat.here : undefined),
    onChange(listener: () => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async find(timeoutMs: number) {
      if (seat || timeoutMs === 0) return seat;
      await new Promise<void>((resolve) => listeners.add(resolve));
      return seat;
    },
    close: () => undefined,
  } as unknown as Offices;
  const say = (next: Seat | undefined) => {
    seat = next;
    for (const listener of [...listeners]) listener();
  };
  return { offices, say };
}

describe('a proposal to whoever leads', () => {
  const propose = (offices: Offices, asked: string[], answers: Record<string, Promise<Result>>) =>
    createProposer({
      offices,
      here: () => Promise.resolve(done),
      there(leader) {
        asked.push(leader);
        return answers[leader] ?? Promise.reject(new Error('not reached'));
      },
      now: () => performance.now(),
    });

  it('leaves a leader that hangs as soon as another one is known', async () => {
    const { offices, say } = scripted({ leader: 'hung' });
    const asked: string[] = [];
    const hangs = new Promise<Result>(() => undefined);
    const answers = { hung: hangs, next: Promise.resolve(done) };
    const proposed = propose(offices, asked, answers)(invalidate, 60_000);
    while (asked.length === 0) await Promise.resolve();
    say(undefined);
    say({ leader: 'next' });
    expect(await proposed).to.equal(done);
    expect(asked).to.deep.equal(['hung', 'next']);
  });

  it('stays with a leader of which only news came that changes nothing', async () => {
    const { offices, say } = scripted({ leader: 'slow' });
    const asked: string[] = [];
    const slow = Promise.withResolvers<Result>();
    const proposed = propose(offices, asked, { slow: slow.promise })(invalidate, 60_000);
    while (asked.length === 0) await Promise.resolve();
    say({ leader: 'slow' });
    slow.resolve(done);
    expect(await proposed).to.equal(done);
    expect(asked).to.deep.equal(['slow']);
  });

  it('is made here anew in a later term of office', async () => {
    const { offices, say } = scripted({ here: office(1) });
    let tries = 0;
    const proposer = createProposer({
      offices,
      here: () => (tries++ === 0 ? new Promise(() => undefined) : Promise.resolve(done)),
      there: () => Promise.reject(new Error('not reached')),
      now: () => performance.now(),
    });
    const proposed = proposer(invalidate, 60_000);
    while (tries === 0) await Promise.resolve();
    say({ here: office(2) });
    expect(await proposed).to.equal(done);
  });

  it('does not wait for a leader when it is not patient', async () => {
    const { offices } = scripted(undefined);
    const error: unknown = await propose(offices, [], {})(invalidate, 60_000, {
      isPatient: false,
    }).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(UnannouncedError);
  });

  it('gives up with its leader when it is not patient', async () => {
    const { offices, say } = scripted({ leader: 'dying' });
    const asked: string[] = [];
    const never = new Promise<Result>(() => undefined);
    const proposed = propose(offices, asked, { dying: never })(invalidate, 60_000, {
      isPatient: false,
    });
    while (asked.length === 0) await Promise.resolve();
    say(undefined);
    expect(await proposed.catch((thrown: unknown) => thrown)).to.be.instanceOf(UnannouncedError);
  });
});
