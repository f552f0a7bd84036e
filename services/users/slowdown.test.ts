import { expect } from 'chai';
import fc from 'fast-check';
import { createRedis } from '#storage/redis/redis.ts';
import { quiet } from '#test/log.ts';
import { needs } from '#test/needs.ts';
import { startRedis, type TestRedis } from '#test/redis.ts';
import { bodyOf, callOf, problemOf, testClock, usersWorld } from '#test/users.ts';
import { createMemoryCounters, createRedisCounters, type Counters } from './counters.ts';
import { createSlowdown, delayMs, paces, type Attempt } from './slowdown.ts';

const attempt: Attempt = { subject: 'ada', ip: '192.0.2.1', isKnownPlace: false };

/** Seconds to wait, or 0 when admitted. */
async function tryOnce(
  slowdown: ReturnType<typeof createSlowdown>,
  given: Partial<Attempt> = {},
): Promise<number> {
  const admitted = slowdown.admit({ ...attempt, ...given });
  return admitted.then(
    () => 0,
    async () => (await problemOf(admitted)).extra.retryAfterSeconds ?? NaN,
  );
}

const times = async (count: number, work: (i: number) => Promise<number>) => {
  const results: number[] = [];
  for (let i = 0; i < count; i += 1) results.push(await work(i));
  return results;
};

describe('slow-down: the delay', () => {
  const cases: [number, number][] = [
    [1, 0],
    [5, 0],
    [6, 1_000],
    [7, 2_000],
    [10, 16_000],
    [15, 512_000],
    [16, 900_000],
    [1_000, 900_000],
    [100_000, 900_000],
  ];
  for (const [n, expected] of cases) {
    it(`before attempt ${n} is ${expected} ms`, () => {
      expect(delayMs(n, paces.pair)).to.equal(expected);
    });
  }

  it('never shrinks and never exceeds its cap', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(paces)), fc.nat(10_000), (pace, n) => {
        const delay = delayMs(n, pace);
        expect(delay).to.be.at.most(pace.maxDelayMs);
        expect(delayMs(n + 1, pace)).to.be.at.least(delay);
      }),
    );
  });
});

describe('slow-down: admission', () => {
  const make = () => {
    const clock = testClock(0);
    return { clock, slowdown: createSlowdown(createMemoryCounters(clock)) };
  };

  it('lets five failures pass, then one attempt per growing delay', async () => {
    const { clock, slowdown } = make();
    expect(await times(5, () => tryOnce(slowdown))).to.deep.equal([0, 0, 0, 0, 0]);
    const seen: number[] = [];
    for (let i = 0; i < 5; i += 1) {
      expect(await tryOnce(slowdown)).to.equal(0);
      const wait = await tryOnce(slowdown);
      seen.push(wait);
      clock.advance(wait * 1_000 - 1);
      expect(await tryOnce(slowdown)).to.equal(1);
      clock.advance(1);
    }
    expect(seen).to.deep.equal([1, 2, 4, 8, 16]);
  });

  it('admits no more when many come at once', async () => {
    const { slowdown } = make();
    const waits = await Promise.all(Array.from({ length: 100 }, () => tryOnce(slowdown)));
    expect(waits.filter((wait) => wait === 0).length).to.equal(6);
  });

  it('never locks: after the longest delay one attempt is admitted', async () => {
    const { clock, slowdown } = make();
    for (let i = 0; i < 12; i += 1) {
      await tryOnce(slowdown);
      clock.advance((await tryOnce(slowdown)) * 1_000);
    }
    clock.advance(paces.pair.maxDelayMs);
    expect(await tryOnce(slowdown)).to.equal(0);
  });

  it('starts afresh after a success', async () => {
    const { slowdown } = make();
    await times(4, () => tryOnce(slowdown));
    await (await slowdown.admit(attempt)).succeeded();
    expect(await times(5, () => tryOnce(slowdown))).to.deep.equal([0, 0, 0, 0, 0]);
  });

  it('holds up a name that is guessed at from many places, but not its known places', async () => {
    const { slowdown } = make();
    const from = (i: number) => ({ ip: `198.51.100.${i}` });
    const waits = await times(25, (i) => tryOnce(slowdown, from(i)));
    expect(waits.slice(0, 21)).to.deep.equal(Array(21).fill(0));
    expect(waits.slice(21)).to.deep.equal([1, 1, 1, 1]);
    expect(await tryOnce(slowdown, { isKnownPlace: true })).to.equal(0);
  });

  it('holds up a place that guesses at many names, whatever it succeeds in', async () => {
    const { slowdown } = make();
    for (let i = 0; i < 50; i += 1) {
      await tryOnce(slowdown, { subject: `user${i}` });
      await (await slowdown.admit({ ...attempt, subject: 'mallory' })).succeeded();
    }
    expect(await tryOnce(slowdown, { subject: 'user50' })).to.equal(1);
    expect(await tryOnce(slowdown, { subject: 'user50', ip: '192.0.2.2' })).to.equal(0);
  });

  it('takes an IPv6 network for one place', async () => {
    const { slowdown } = make();
    const waits = await times(7, (i) => tryOnce(slowdown, { ip: `2001:db8:1:2::${i}` }));
    expect(waits).to.deep.equal([0, 0, 0, 0, 0, 0, 1]);
    expect(await tryOnce(slowdown, { ip: '2001:db8:1:3::1' })).to.equal(0);
  });
});

describe('slow-down: at the door', () => {
  it('refuses even the right password too soon, and takes it after the delay', async () => {
    await using world = await usersWorld();
    const password = 'a long enough phrase';
    await world.users.createUser({ username: 'ada', password });
    const login = (given: string, ip = '192.0.2.1') =>
      world.users.handlers.login(
        callOf('login', { body: { username: 'ada', password: given }, request: { ip } }),
      );
    for (let i = 0; i < 6; i += 1) {
      expect((await problemOf(login('a wrong one'))).code).to.equal('invalid-credentials');
    }
    const { code, extra } = await problemOf(login(password));
    expect([code, extra.retryAfterSeconds]).to.deep.equal(['too-many-requests', 1]);
    world.clock.advance(1_000);
    expect(await bodyOf(login(password))).to.have.property('accessToken');
    expect((await problemOf(login('a wrong one'))).code).to.equal('invalid-credentials');
  });
});

const contract = (start: () => Promise<Counters>) => () => {
  it('counts, tells how long, takes back and forgets', async () => {
    const counters = await start();
    expect(await counters.add('a', 60_000)).to.deep.equal({ count: 1, leftMs: 60_000 });
    expect((await counters.add('a', 60_000)).count).to.equal(2);
    await counters.giveBack('a');
    expect((await counters.add('a', 60_000)).count).to.equal(2);
    expect((await counters.add('b', 60_000)).count).to.equal(1);
    await counters.clear('a');
    expect((await counters.add('a', 60_000)).count).to.equal(1);
  });
};

describe(
  'counters in memory',
  contract(async () => createMemoryCounters({ now: () => 0 })),
);

describe('counters in Redis', () => {
  needs('redis-server');
  let server: TestRedis;
  let redis: ReturnType<typeof createRedis>;
  before(async () => {
    server = await startRedis();
    redis = createRedis({ url: server.url, log: quiet });
    if (redis.client.status !== 'ready') {
      await new Promise((ready) => redis.client.once('ready', ready));
    }
  });
  after(async () => {
    await redis.close();
    await server.close();
  });
  const counters = async () =>
    createRedisCounters({ redis, fallback: createMemoryCounters({ now: () => 0 }) });

  describe('while it answers', contract(counters));

  it('are shared by all nodes', async () => {
    const [one, two] = [await counters(), await counters()];
    await one.add('shared', 60_000);
    expect((await two.add('shared', 60_000)).count).to.equal(2);
  });

  it('are counted in memory while it is away', async () => {
    await server.kill();
    const own = await counters();
    expect(await own.add('away', 60_000)).to.deep.equal({ count: 1, leftMs: 60_000 });
    expect((await own.add('away', 60_000)).count).to.equal(2);
  });
});
