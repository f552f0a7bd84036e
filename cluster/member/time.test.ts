import { expect } from 'chai';
import fc from 'fast-check';
import { createLeaderTime } from './time.ts';

/** Clocks that a test moves: the one on the wall by itself, and what the log has seen. */
function moved(wall = 1_000_000) {
  const state = { wall, at: 0, latest: 0 };
  const time = createLeaderTime({
    now: () => state.wall,
    elapsed: () => state.at,
    latest: () => state.latest,
  });
  return {
    state,
    time,
    pass: (ms: number, wallMs = ms) => {
      state.at += ms;
      state.wall += wallMs;
      state.latest = Math.max(state.latest, time());
      return state.latest;
    },
  };
}

const minute = 60_000;

describe("the leader's time", () => {
  it('is that of the wall, as long as that goes on like a clock', () => {
    const { time, pass } = moved();
    expect(time()).to.equal(1_000_000);
    expect(pass(10)).to.equal(1_000_010);
    expect(pass(5_000, 5_100)).to.equal(1_005_110);
  });

  it('neither jumps with a clock that is set far ahead, nor stands when that is set back', () => {
    const { time, pass } = moved();
    time();
    const ahead = pass(1_000, 5 * minute);
    expect(ahead, 'at most twice its pace').to.equal(1_002_000);
    const back = pass(1_000, -5 * minute);
    expect(back, 'at least half of it').to.equal(1_002_500);
    expect(pass(2_000) - back).to.equal(1_000);
    expect(pass(10_000), 'until the wall has caught up').to.equal(1_012_000);
  });

  it('goes on from what the log has seen, when an earlier leader was ahead', () => {
    const { state, time, pass } = moved();
    state.latest = 1_000_000 + 5 * minute;
    expect(time()).to.equal(state.latest);
    expect(pass(10_000)).to.equal(1_000_000 + 5 * minute + 5_000);
  });

  it('never goes back or stands, and never runs, however the clock on the wall is moved', () => {
    const step = fc.record({
      ms: fc.integer({ min: 1, max: 100_000 }),
      jump: fc.integer({ min: -1e9, max: 1e9 }),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const { time, pass } = moved(1e12);
        let before = time();
        for (const { ms, jump } of steps) {
          const now = pass(ms, ms + jump);
          expect(now - before).to.be.within(Math.floor(ms / 2), 2 * ms + 1);
          before = now;
        }
      }),
    );
  });
});
