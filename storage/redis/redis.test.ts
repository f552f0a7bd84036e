import { expect } from 'chai';
import { quiet } from '#test/log.ts';
import { needs } from '#test/needs.ts';
import { startRedis, type TestRedis } from '#test/redis.ts';
import { createRedis, type RedisEngine } from './redis.ts';

describe('redis connection', () => {
  needs('redis-server');
  let server: TestRedis;
  let redis: RedisEngine;
  beforeEach(async () => {
    server = await startRedis();
    redis = createRedis({ url: server.url, log: quiet, commandTimeoutMs: 100 });
    await until(redis.available);
  });
  afterEach(async () => {
    await redis?.close();
    await server?.close();
  });

  it('runs commands', async () => {
    await redis.attempt((client) => client.set('a', '1'));
    expect(await redis.attempt((client) => client.get('a'))).to.equal('1');
    expect(await redis.ping(1_000)).to.equal(true);
  });

  it('answers undefined at once while it is down, and comes back by itself', async () => {
    await server.kill();
    await until(() => !redis.available());
    expect(await redis.attempt((client) => client.get('a'))).to.equal(undefined);
    expect(await redis.ping(50)).to.equal(false);
    await server.restart();
    await until(redis.available);
    expect(await redis.attempt((client) => client.set('a', '2'))).to.equal('OK');
  });

  it('is unavailable after one lost command and available once it answers again', async () => {
    server.freeze();
    expect(await redis.attempt((client) => client.get('a'))).to.equal(undefined);
    expect(redis.available()).to.equal(false);
    server.thaw();
    await until(redis.available);
  });

  it('takes a refused command for what it is', async () => {
    await redis.attempt((client) => client.set('text', 'x'));
    expect(await redis.attempt((client) => client.incr('text'))).to.equal(undefined);
    expect(redis.available()).to.equal(true);
  });

  it('starts without a server', async () => {
    await server.kill();
    await using lonely = createRedis({ url: server.url, log: quiet });
    expect(lonely.available()).to.equal(false);
    expect(await lonely.attempt((client) => client.get('a'))).to.equal(undefined);
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
