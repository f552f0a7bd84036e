import { expect } from 'chai';
import { createRedis } from '#storage/redis/redis.ts';
import { quiet } from '#test/log.ts';
import { needs } from '#test/needs.ts';
import { startRedis } from '#test/redis.ts';
import { createBudget, type Budget } from './budget.ts';

/** How often one may ask before one is told to wait, at most so many. */
async function drawn(budgets: readonly Budget[], max: number): Promise<number> {
  for (let taken = 0; taken < max; taken++) {
    const waitMs = (await budgets[taken % budgets.length]?.take()) ?? 0;
    if (waitMs > 0) return taken;
  }
  return max;
}

const hour = { points: 20, seconds: 3_600 };

describe('the budget of a provider', () => {
  it('is this node’s alone without Redis, in equal shares', async () => {
    const alone = createBudget({ redis: undefined, nodes: () => 1 }, 'a', hour);
    expect(await drawn([alone], 100)).to.equal(20);
    const third = createBudget({ redis: undefined, nodes: () => 3 }, 'b', hour);
    expect(await drawn([third], 100)).to.equal(6);
    const few = createBudget({ redis: undefined, nodes: () => 3 }, 'c', { points: 1, seconds: 60 });
    expect(await few.take()).to.equal(0);
    expect(await few.take()).to.be.within(120_000, 180_000);
  });

  it('says when to come again, and rests when it is told to', async () => {
    const budget = createBudget({ redis: undefined, nodes: () => 1 }, 'd', hour);
    await budget.rest(5_000);
    expect(await budget.take()).to.be.within(1, 5_000);
  });

  describe('in Redis', () => {
    needs('redis-server');

    it('is one for all nodes, and each node’s share while Redis is away', async () => {
      await using redis = await startRedis();
      await using one = createRedis({ url: redis.url, log: quiet });
      await using two = createRedis({ url: redis.url, log: quiet });
      await Promise.all(
        [one, two].map(({ client }) => client.ping()).map((up) => up.catch(() => 0)),
      );
      while (!one.available() || !two.available()) await new Promise(setImmediate);
      const budgets = [one, two].map((node) =>
        createBudget({ redis: node, nodes: () => 2 }, 'e', hour),
      );
      expect(await drawn(budgets, 100)).to.equal(20);
      await redis.kill();
      const first = budgets.slice(0, 1);
      expect(await drawn(first, 100)).to.equal(10);
    });
  });
});
