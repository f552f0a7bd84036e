import { expect } from 'chai';
import { createLocalClock } from '#cluster/clock.ts';
import { createTestOrder } from '#test/clock.ts';
import { quiet } from '#test/log.ts';
import { needs } from '#test/needs.ts';
import { startRedis, type TestRedis } from '#test/redis.ts';
import { createRedis, type RedisEngine } from '../redis/redis.ts';
import type { InvalidationClock } from './clock.ts';
import { createCache, type Cached } from './index.ts';

type Row = { version: number; at: Date };

describe('the cache on a shared tier', () => {
  needs('redis-server');
  let server: TestRedis;
  let redis: RedisEngine;
  const source = { version: 1, loads: 0, gate: Promise.resolve() as Promise<unknown> };
  let nowMs = 0;

  before(async () => {
    server = await startRedis();
    redis = createRedis({ url: server.url, log: quiet, commandTimeoutMs: 200 });
  });
  after(async () => {
    await redis?.close();
    await server?.close();
  });
  beforeEach(async () => {
    Object.assign(source, { version: 1, loads: 0, gate: Promise.resolve() });
    nowMs = 1_000;
    await until(redis.available);
    await redis.client.flushall();
  });

  const member = (clock: InvalidationClock): Cached<string, Row> =>
    createCache({ clock, redis, log: quiet, now: () => nowMs, l1MaxBytes: 1_000_000 }).define({
      name: 'row',
      ttlMs: 100,
      sharedTtlMs: 10_000,
      async load() {
        source.loads++;
        const row = { version: source.version, at: new Date(5) };
        await source.gate;
        return row;
      },
      tags: () => ['row'],
    });
  const stored = () => until(async () => (await redis.client.exists('revenge:cache:row:a')) === 1);

  it('hands one node’s value to the other, Dates and all, for longer than L1 keeps it', async () => {
    const order = createTestOrder();
    const [one, two] = [member(order.node()), member(order.node())];
    await one.get('a');
    await stored();
    const row = await two.get('a');
    expect(row).to.deep.equal({ version: 1, at: new Date(5) });
    nowMs += 5_000;
    await two.get('a');
    expect(source.loads).to.equal(1);
    nowMs += 6_000;
    await two.get('a');
    expect(source.loads).to.equal(2);
  });

  it('is not believed by a node that knows of a later write', async () => {
    const order = createTestOrder();
    const clocks = [order.node(), order.node()] as const;
    const [one, two] = [member(clocks[0]), member(clocks[1])];
    await one.get('a');
    await stored();
    source.version = 2;
    await clocks[1].invalidate(['row']);
    expect((await two.get('a')).version).to.equal(2);
    expect((await one.get('a')).version).to.equal(1);
    clocks[0].step();
    expect((await one.get('a')).version).to.equal(2);
  });

  it('holds nothing of use from before a restart', async () => {
    await member(createLocalClock({ epoch: 1 })).get('a');
    await stored();
    source.version = 2;
    expect((await member(createLocalClock({ epoch: 2 })).get('a')).version).to.equal(2);
  });

  it('lets one node load while the others wait for it', async () => {
    const order = createTestOrder();
    const all = Array.from({ length: 4 }, () => member(order.node()));
    const gate = Promise.withResolvers<void>();
    source.gate = gate.promise;
    const asked = all.map((each) => each.get('a'));
    await until(() => source.loads === 1);
    gate.resolve();
    await Promise.all(asked);
    expect(source.loads).to.equal(1);
  });

  it('does not wait for ever for a node that has died with the lease', async () => {
    await redis.client.set('revenge:cache:lease:row:a', 'the dead', 'PX', 60_000);
    expect((await member(createTestOrder().node()).get('a')).version).to.equal(1);
  });

  it('takes garbage for a miss', async () => {
    await redis.client.set('revenge:cache:row:a', '{"half":');
    expect((await member(createTestOrder().node()).get('a')).version).to.equal(1);
  });

  it('works on without it: down, frozen, and back', async () => {
    const clock = createTestOrder().node();
    const rows = member(clock);
    server.freeze();
    expect((await rows.get('a')).version).to.equal(1);
    expect(redis.available()).to.equal(false);
    server.thaw();
    await server.kill();
    source.version = 2;
    await clock.invalidate(['row']);
    expect((await rows.get('a')).version).to.equal(2);
    await server.restart();
    await until(redis.available);
    await clock.invalidate(['row']);
    await rows.get('a');
    await stored();
  });

  it('keeps the law under overlapping reads and writes on two nodes', async () => {
    const order = createTestOrder();
    const clocks = [order.node(), order.node()] as const;
    const members = clocks.map(member);
    const acknowledged: { version: number; index: number }[] = [];
    const read = async (node: number) => {
      const applied = clocks[node]!.applied();
      const known = acknowledged.filter(({ index }) => index <= applied);
      const least = Math.max(0, ...known.map(({ version }) => version));
      const { version } = await members[node]!.get('a');
      expect(version).to.be.at.least(least);
    };
    const write = async (node: number) => {
      const version = ++source.version;
      const index = await clocks[node]!.invalidate(['row']);
      acknowledged.push({ version, index });
    };
    const begun: Promise<void>[] = [];
    for (let round = 0; round < 300; round++) {
      source.gate = new Promise((resolve) => setImmediate(resolve));
      begun.push(read(round % 2), read((round + 1) % 2));
      if (round % 3 === 0) begun.push(write(round % 2));
      if (round % 2 === 0) clocks[round % 4 === 0 ? 0 : 1].step();
      if (round % 5 === 0) await Promise.race(begun.slice(-1));
    }
    await Promise.all(begun);
  });
});

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 2));
}
