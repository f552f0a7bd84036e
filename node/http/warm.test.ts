import { expect } from 'chai';
import { warm } from './warm.ts';

describe('warming', () => {
  let warmed = 0;
  let pauses = 0;
  let busyUntil = 0;
  const validator = { warm: async () => void (warmed += 1) };
  const routes = Array.from({ length: 3 }, () => ({ validator }));
  const isBusy = () => pauses < busyUntil;
  const timers = {
    after: (_ms: number, run: () => void) => {
      pauses += 1;
      queueMicrotask(run);
      return () => undefined;
    },
  };
  beforeEach(() => {
    [warmed, pauses, busyUntil] = [0, 0, 0];
  });

  it('compiles all, with pauses', async () => {
    await warm({ routes, isBusy, timers });
    expect([warmed, pauses]).to.deep.equal([3, 3]);
  });

  it('waits as long as somebody waits for an answer', async () => {
    busyUntil = 5;
    await warm({ routes, isBusy, timers });
    expect([warmed, pauses]).to.deep.equal([3, 8]);
  });

  it('ends when it is told to, also while it waits', async () => {
    busyUntil = Infinity;
    const ending = new AbortController();
    const ended = warm({ routes, isBusy, timers }, ending.signal);
    ending.abort();
    await ended;
    expect(warmed).to.equal(0);
  });
});
