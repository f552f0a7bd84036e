import { once } from 'node:events';
import { expect } from 'chai';
import { operationsOf } from '#api/spec.ts';
import { createRedis } from '#storage/redis/redis.ts';
import { specOf, testApi } from '#test/http.ts';
import { quiet } from '#test/log.ts';
import { needs } from '#test/needs.ts';
import { startRedis } from '#test/redis.ts';
import { widgetHandlers, widgetId } from '#test/fixtures/widgets.ts';
import type { Limits } from './limits.ts';

const one = `/api/v1/widgets/${widgetId}`;
const login = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: '{"name":"x"}',
};

async function withLimits(limits: Limits) {
  return testApi({ handlers: widgetHandlers, app: { limits } });
}

describe('rate limits', () => {
  it('count per address, before anything else', async () => {
    await using api = await withLimits({ ip: { points: 2, seconds: 60 } });
    const first = await api.fetch('/api/v1/nothing');
    expect(first.status).to.equal(404);
    expect(first.headers.get('ratelimit-limit')).to.equal('2');
    expect(first.headers.get('ratelimit-remaining')).to.equal('1');
    await api.fetch(one);
    const refused = await api.fetch(one, { token: 'widgets:read' });
    expect(refused.status).to.equal(429);
    expect(Number(refused.headers.get('retry-after'))).to.be.within(1, 60);
    expect(refused.headers.get('ratelimit-remaining')).to.equal('0');
    expect(await refused.json()).to.include({ type: '/problems/too-many-requests' });
  });

  it('count per credential', async () => {
    await using api = await withLimits({
      ip: { points: 100, seconds: 60 },
      principal: { points: 1, seconds: 60 },
    });
    const first = await api.fetch(one, { token: 'widgets:read' });
    expect(first.headers.get('ratelimit-limit')).to.equal('1');
    expect((await api.fetch(one, { token: 'widgets:read' })).status).to.equal(429);
    expect((await api.fetch(`${one}/bytes?token=other`)).status).to.equal(200);
  });

  it('are stricter where guessing must be slow', async () => {
    await using api = await withLimits({
      ip: { points: 100, seconds: 60 },
      auth: { points: 2, seconds: 60 },
    });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await api.fetch('/api/v1/login', login)).status);
    expect(statuses).to.deep.equal([200, 200, 429]);
    expect((await api.fetch(one, { token: 'widgets:read' })).status).to.equal(200);
  });

  it('leave a page that is loaded again and again signed in, and sign-in strict', async () => {
    const spec = specOf('auth', 'users');
    const nothing = async () => ({ body: {} });
    const ids = [...operationsOf(spec)].map(({ operation }) => operation.operationId);
    const handlers = Object.fromEntries(ids.map((id) => [id, nothing]));
    const limits = { auth: { points: 1, seconds: 60 }, refresh: { points: 3, seconds: 60 } };
    await using api = await testApi({ spec, handlers, app: { limits, validateResponses: false } });
    const post = async (path: string, json: object) => {
      const init = { ...login, body: JSON.stringify(json) };
      return (await api.fetch(`/api/v1/auth/${path}`, init)).status;
    };
    const person = { username: 'anna', password: 'correct horse' };
    const statuses = [await post('login', person), await post('login', person)];
    for (let i = 0; i < 4; i++) statuses.push(await post('refresh', { refreshToken: 'x' }));
    expect(statuses).to.deep.equal([200, 429, 200, 200, 200, 429]);
  });

  it('trust a proxy’s word only where told so', async () => {
    const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });
    const limits = { ip: { points: 1, seconds: 60 } };
    await using open = await withLimits(limits);
    await open.fetch('/', from('192.0.2.1'));
    expect((await open.fetch('/', from('192.0.2.2'))).status).to.equal(429);
    await using behind = await testApi({
      handlers: widgetHandlers,
      app: { limits, trustProxy: 'loopback' },
    });
    await behind.fetch('/', from('192.0.2.1'));
    expect((await behind.fetch('/', from('192.0.2.2'))).status).to.equal(200);
    expect((await behind.fetch('/', from('192.0.2.2'))).status).to.equal(429);
  });

  describe('with Redis', () => {
    needs('redis-server');

    it('count attempts to sign in for all nodes, and for each alone without it', async () => {
      await using redis = await startRedis();
      await using engine = createRedis({ url: redis.url, log: quiet });
      if (engine.client.status !== 'ready') await once(engine.client, 'ready');
      const options = {
        handlers: widgetHandlers,
        redis: engine.client,
        app: { limits: { auth: { points: 2, seconds: 60 } } },
      };
      await using one = await testApi(options);
      await using other = await testApi(options);
      expect((await one.fetch('/api/v1/login', login)).status).to.equal(200);
      expect((await other.fetch('/api/v1/login', login)).status).to.equal(200);
      expect((await one.fetch('/api/v1/login', login)).status).to.equal(429);
      await redis.kill();
      const alone = [];
      for (let i = 0; i < 3; i++) alone.push((await one.fetch('/api/v1/login', login)).status);
      expect(alone).to.deep.equal([200, 200, 429]);
    });
  });
});
