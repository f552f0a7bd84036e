import { expect } from 'chai';
import fc from 'fast-check';
import { createCurrency, lookEvery, type Horizon } from './currency.ts';

/** A node whose clock, log and leader a test moves. */
function node() {
  const state = { now: 0, applied: 0 };
  const answers: PromiseWithResolvers<Horizon>[] = [];
  const currency = createCurrency({
    look() {
      const answer = Promise.withResolvers<Horizon>();
      answers.push(answer);
      return answer.promise;
    },
    applied: () => state.applied,
    now: () => state.now,
  });
  return { state, currency, answers };
}

describe('how current a node is', () => {
  it('counts from when it asked, not from when it was answered', async () => {
    const { state, currency, answers } = node();
    expect(currency.ageMs()).to.equal(Infinity);
    const looked = currency.look();
    state.now = 700;
    answers[0]!.resolve({ contactMs: 20, commit: 0 });
    await looked;
    expect(currency.ageMs()).to.equal(720);
  });

  it('waits for what was committed by then to be applied', async () => {
    const { state, currency, answers } = node();
    const looked = currency.look();
    answers[0]!.resolve({ contactMs: 0, commit: 5 });
    await looked;
    state.now = 10;
    state.applied = 4;
    expect(currency.ageMs()).to.equal(Infinity);
    state.applied = 5;
    expect(currency.ageMs()).to.equal(10);
  });

  it('is behind for good where nothing is applied any more', async () => {
    const { state, currency, answers } = node();
    for (let looks = 0; looks < 200; looks += 1) {
      const looked = currency.look();
      answers.at(-1)!.resolve({ contactMs: 0, commit: 10 + looks });
      await looked;
      state.now += 1_000;
    }
    expect(currency.ageMs()).to.equal(Infinity);
  });

  it('grows while nobody says how far the log is', async () => {
    const { state, currency, answers } = node();
    const first = currency.look();
    answers[0]!.resolve({ contactMs: 0, commit: 0 });
    await first;
    for (const nothing of [
      () => answers.at(-1)!.resolve({ contactMs: undefined, commit: 0 }),
      () => answers.at(-1)!.reject(new Error('no leader')),
    ]) {
      const looked = currency.look();
      nothing();
      await looked;
    }
    state.now = 5_000;
    expect(currency.ageMs()).to.equal(5_000);
  });

  it('is a bound: no write acknowledged longer ago is missing', async () => {
    // Writes happen; a look is asked, answered and its index applied at any later moments.
    const gap = fc.integer({ min: 0, max: 500 });
    const look = fc.record({ ask: gap, answer: gap, apply: gap, writes: fc.nat(3) });
    await fc.assert(
      fc.asyncProperty(fc.array(look, { minLength: 1, maxLength: 20 }), async (looks) => {
        const { state, currency, answers } = node();
        const writtenAt: number[] = [];
        for (const { ask, answer, apply, writes } of looks) {
          state.now += ask;
          const looked = currency.look();
          for (let nth = 0; nth < writes; nth += 1) writtenAt.push(state.now);
          const commit = writtenAt.length;
          state.now += answer;
          answers.at(-1)!.resolve({ contactMs: 0, commit });
          await looked;
          state.now += apply;
          if (apply % 2 === 0) state.applied = commit;
          const oldest = writtenAt[state.applied] ?? state.now;
          expect(state.now - oldest).to.be.at.most(currency.ageMs());
        }
      }),
    );
  });

  it('is looked at often, and not too often', () => {
    expect(lookEvery(10_000)).to.equal(500);
    expect(lookEvery(100)).to.equal(100);
    expect(lookEvery(600_000)).to.equal(1_000);
  });
});
