import { expect } from 'chai';
import { quiet } from '#test/log.ts';
import type { Leadership } from '../raft/driver/driver.ts';
import type { Consensus } from './consensus.ts';
import { createOffices, UnfitError } from './office.ts';

/** Raft's word on who leads, as a test gives it. */
function scripted() {
  const listeners = new Set<(leadership: Leadership) => void>();
  let now: Leadership = { role: 'follower', term: 1, leader: undefined };
  const transfers: number[] = [];
  let isRunning = true;
  const say = (next: Leadership) => {
    now = next;
    for (const listener of listeners) listener(now);
  };
  const consensus = {
    leadership: () => now,
    isRunning: () => isRunning,
    onLeadership(listener: (leadership: Leadership) => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async transfer() {
      transfers.push(now.term);
      say({ role: 'follower', term: now.term + 1, leader: { id: 'b', address: 'b' } });
    },
  } as unknown as Consensus;
  const stop = () => {
    isRunning = false;
    say({ role: 'follower', term: now.term, leader: undefined });
  };
  return { consensus, say, stop, transfers };
}

const leads = (term: number): Leadership => ({
  ...{ role: 'leader', term, leader: { id: 'a', address: 'a' } },
});

describe('the office of a leader', () => {
  const open = (
    takeOver: (term: number) => Promise<{ epoch: number; term: number }>,
    askAround: () => Promise<string | undefined> = async () => undefined,
  ) => {
    const script = scripted();
    const waits: number[] = [];
    const offices = createOffices({
      ...{ nodeId: 'a', consensus: script.consensus, takeOver, askAround, log: quiet },
      ...{ pause: async (ms) => void waits.push(ms), elapsed: () => performance.now() },
    });
    return { ...script, offices, waits };
  };

  it('is taken behind the leadership, and left with it', async () => {
    const { offices, say } = open(async (term) => ({ epoch: 1, term }));
    const found = offices.find(1000);
    say(leads(2));
    const seat = await found;
    expect(seat).to.have.nested.property('here.fence').that.deep.equals({ epoch: 1, term: 2 });
    const { signal } = offices.current()!;
    say({ role: 'follower', term: 3, leader: { id: 'b', address: 'b' } });
    expect(signal.aborted).to.equal(true);
    expect(offices.current()).to.equal(undefined);
    expect(await offices.find(0)).to.deep.equal({ leader: 'b' });
    offices.close();
  });

  it('is tried again, and after ten seconds in vain left to another', async () => {
    const { offices, say, transfers, waits } = open(() => Promise.reject(new Error('no database')));
    say(leads(2));
    while (transfers.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(transfers).to.deep.equal([2]);
    expect(waits.slice(0, 4)).to.deep.equal([50, 100, 200, 400]);
    expect(waits.reduce((sum, ms) => sum + ms, 0)).to.be.within(10_000, 12_000);
    expect(await offices.find(0)).to.deep.equal({ leader: 'b' });
    offices.close();
  });

  it('is left to another at once by who cannot hold it', async () => {
    const { offices, say, transfers, waits } = open(() =>
      Promise.reject(new UnfitError('too old')),
    );
    say(leads(2));
    while (transfers.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(waits).to.deep.equal([50]);
    offices.close();
  });

  it('is found by asking the others while the Raft of this node does not run', async () => {
    const told: (string | undefined)[] = [undefined, 'a', 'c'];
    const { offices, stop } = open(
      async (term) => ({ epoch: 1, term }),
      async () => told.shift(),
    );
    stop();
    expect(await offices.find(0), 'nobody is asked by who does not wait').to.equal(undefined);
    expect(told).to.have.length(3);
    expect(await offices.find(60_000)).to.deep.equal({ leader: 'c' });
    offices.close();
  });
});
