import { expect } from 'chai';
import fc from 'fast-check';
import { formatHostPort } from '../addresses.ts';
import { fromWithin, parseHostPort, toMultiaddr } from './addresses.ts';
import { createBuckets } from '../doors/buckets.ts';
import { waitMs } from './dialer.ts';
import { createGate } from './gate.ts';
import { BARRED_MS, EXCESS_BURST, MAX_MEMBERS, MESSAGE_BURST } from './limits.ts';
import { createSender } from './sender.ts';

describe('what gossip allows', () => {
  it('is never more than the burst and the rate, however it is asked for', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: -50, max: 400 }), fc.nat(20)));
    fc.assert(
      fc.property(steps, (asked) => {
        let time = 0;
        let latest = 0;
        let taken = 0;
        let gone = 0;
        const buckets = createBuckets({ perSecond: 10, burst: 5, now: () => time });
        buckets.take('other');
        for (const [ms, tries] of asked) {
          time += ms;
          gone += Math.max(0, time - latest);
          latest = time;
          for (let i = 0; i < tries; i++) if (buckets.take('x')) taken += 1;
        }
        expect(taken).to.be.at.most(5 + gone / 100);
      }),
    );
  });

  it('is there again when it says', () => {
    let time = 0;
    const buckets = createBuckets({ perSecond: 4, burst: 1, now: () => time });
    expect([buckets.take('x'), buckets.take('x')]).to.deep.equal([true, false]);
    expect(buckets.waitMs('x')).to.equal(250);
    time = 250;
    expect(buckets.waitMs('x')).to.equal(0);
    expect(buckets.take('x')).to.equal(true);
    buckets.forget('x');
    expect(buckets.take('x')).to.equal(true);
  });

  it('waits ever longer between dials, and never all alike', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.boolean(), (failures, isYielding) => {
        const least = waitMs(failures, isYielding, () => 0);
        const most = waitMs(failures, isYielding, () => 0.999);
        expect(most).to.be.greaterThan(least);
        expect(most).to.be.at.most(30_000);
        if (failures > 0) {
          expect(most).to.be.at.most(2 * least);
          expect(waitMs(failures + 1, isYielding, () => 0)).to.be.at.least(least);
        }
      }),
    );
    expect(waitMs(0, true, () => 0)).to.be.greaterThan(waitMs(0, false, () => 0.999));
  });
});

describe('the gate', () => {
  const member = (id: string) => ({ id, gossipId: `p-${id}`, addresses: [] });
  const by = (author: string, carrier = author) => ({ author, carrier, bytes: new Uint8Array(1) });

  function made() {
    let time = 0;
    const barred: string[] = [];
    const gate = createGate({ self: 'p-me', now: () => time, onBar: (id) => barred.push(id) });
    gate.admit(['me', 'a', 'b'].map(member));
    return { gate, barred, pass: (ms: number) => (time += ms) };
  }

  it('admits members, not itself, and not too many', () => {
    const { gate } = made();
    expect(['p-me', 'p-a', 'p-b', 'p-c'].map((id) => gate.mayConnect(id))).to.deep.equal([
      false,
      true,
      true,
      false,
    ]);
    expect(gate.nodeOf('p-a')).to.equal('a');
    gate.admit([member('b')]);
    expect([gate.mayConnect('p-a'), gate.judge(by('p-a'))]).to.deep.equal([false, false]);
    const many = Array.from({ length: 1_000 }, (_, i) => member(`${i}`));
    expect(gate.admit(many)).to.have.length(MAX_MEMBERS);
  });

  it('takes so much of an author, whoever brings it', () => {
    const { gate, barred, pass } = made();
    const many = Array.from({ length: MESSAGE_BURST + 9 }, (_, i) =>
      gate.judge(by('p-a', i % 2 ? 'p-a' : 'p-b')),
    );
    expect(many.filter(Boolean)).to.have.length(MESSAGE_BURST);
    expect(gate.judge(by('p-b'))).to.equal(true);
    expect(gate.stats().dropped).to.deep.equal({ stranger: 0, tooLarge: 0, tooMany: 9 });
    pass(1_000);
    expect(gate.judge(by('p-a'))).to.equal(true);
    expect(barred).to.deep.equal([]);
  });

  it('shuts out who brings far too much, once, and for a while', () => {
    const { gate, barred, pass } = made();
    for (let i = 0; i < MESSAGE_BURST + EXCESS_BURST + 50; i++) gate.judge(by('p-a'));
    expect(barred).to.deep.equal(['p-a']);
    expect([gate.isBarred('p-a'), gate.mayConnect('p-a')]).to.deep.equal([true, false]);
    expect(gate.judge(by('p-b', 'p-a'))).to.equal(false);
    expect(gate.judge(by('p-b'))).to.equal(true);
    pass(BARRED_MS);
    expect([gate.isBarred('p-a'), gate.judge(by('p-a'))]).to.deep.equal([false, true]);
  });
});

describe('the sender', () => {
  it('counts what reaches nobody and what fails, and goes on', async () => {
    const outcomes = [() => 0, () => Promise.reject(new Error('no')), () => 2];
    const failures: unknown[] = [];
    const sender = createSender({
      publish: async () => outcomes.shift()!(),
      now: () => 0,
      onFailure: (error) => failures.push(error),
    });
    for (let i = 0; i < 3; i++) sender.send('invalidate', Uint8Array.of(i));
    while (sender.stats().queued > 0 || sender.stats().sent === 0) await Promise.resolve();
    expect(sender.stats()).to.deep.equal({
      queued: 0,
      sent: 1,
      unsent: { nobody: 1, tooLarge: 0, tooMany: 0, failed: 1 },
    });
    expect(failures).to.have.length(1);
    sender.close();
    sender.send('invalidate', Uint8Array.of(1));
    expect(sender.stats().unsent.tooMany).to.equal(1);
  });
});

describe('gossip addresses', () => {
  const good: [string, string][] = [
    ['10.0.0.1:7002', '/ip4/10.0.0.1/tcp/7002'],
    ['[fe80::1]:1', '/ip6/fe80::1/tcp/1'],
    ['node-1.lan:65535', '/dns/node-1.lan/tcp/65535'],
  ];
  for (const [address, multiaddr] of good) {
    it(`${address} is one`, () => {
      const parsed = parseHostPort(address);
      expect(parsed && toMultiaddr(parsed)).to.equal(multiaddr);
      expect(parsed && formatHostPort(parsed)).to.equal(address);
    });
  }
  const bad = ['', 'host', ':1', 'host:0', 'host:65536', '::1:80', '[1.2.3.4]:1', 'a/b:1', 'a b:1'];
  for (const address of bad) {
    it(`'${address}' is none`, () => expect(parseHostPort(address)).to.equal(undefined));
  }
  it('lead a node to itself', () => {
    const within = ['0.0.0.0', '::', '10.0.0.1'].map(fromWithin);
    expect(within).to.deep.equal(['127.0.0.1', '::1', '10.0.0.1']);
  });
});
