import { expect } from 'chai';
import { problem } from '#services/errors.ts';
import type { Events } from '#services/events.ts';
import type { Permission, Principal } from '#services/principal.ts';
import { createEventRing, type EventRing } from '#node/events.ts';
import { quiet } from '#test/log.ts';
import { principalWith, specOf, testApi, type TestApi } from '#test/http.ts';
import { createEventStreams, type EventStreamOptions, type EventStreams } from './sse.ts';
import type { Timers } from './timers.ts';

const base = 1000;
const item = { kind: 'movie', itemId: 'i', libraryId: 'l' };
const scan: Events['scan.progress'] = {
  scanId: 's',
  libraryId: 'l',
  phase: 'walk',
  done: 1,
  total: 2,
};

/** Timers that run when told. */
function handTimers() {
  const everies: (() => void)[] = [];
  const afters: { ms: number; run: () => void }[] = [];
  const timers: Timers = {
    every: (_ms, run) => {
      everies.push(run);
      return () => everies.splice(everies.indexOf(run), 1);
    },
    after: (ms, run) => {
      const entry = { ms, run };
      afters.push(entry);
      return () => afters.splice(afters.indexOf(entry), 1);
    },
  };
  return { timers, everies, afters };
}

interface Setup extends AsyncDisposable {
  api: TestApi;
  ring: EventRing;
  streams: EventStreams;
  hand: ReturnType<typeof handTimers>;
  /** What the second look finds. */
  now: { principal: Principal | Error };
}

async function setUp(
  options: EventStreamOptions = {},
  principal: Principal = principalWith('events:read'),
): Promise<Setup> {
  const ring = createEventRing({ now: () => 0, log: quiet }, { base, capacity: 3 });
  const hand = handTimers();
  const { timers } = hand;
  const now: Setup['now'] = { principal };
  const recheck = async () => {
    if (now.principal instanceof Error) throw now.principal;
    return now.principal;
  };
  const deps = { events: ring, log: quiet, now: () => 0, timers, recheck };
  const streams = createEventStreams(deps, options);
  const api = await testApi({
    spec: specOf('events'),
    handlers: streams.handlers,
    authenticate: async ({ bearer }) => (bearer ? principal : undefined),
  });
  return { api, ring, streams, hand, now, [Symbol.asyncDispose]: () => api.close() };
}

/** Reads blocks of an event stream as they come. */
async function* blocks(response: Response): AsyncGenerator<string> {
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let at = text.indexOf('\n\n'); at >= 0; at = text.indexOf('\n\n')) {
      yield text.slice(0, at);
      text = text.slice(at + 2);
    }
  }
}

async function open(api: TestApi, query = '', headers: Record<string, string> = {}) {
  const response = await api.fetch(`/api/v1/events${query}`, { token: 'events:read', headers });
  const lines = blocks(response);
  const next = async () => (await lines.next()).value as string | undefined;
  return { response, next };
}

describe('event stream', () => {
  it('begins with how to come back, and tells what happens', async () => {
    await using setup = await setUp();
    const { response, next } = await open(setup.api);
    expect(response.headers.get('content-type')).to.contain('text/event-stream');
    expect(response.headers.get('content-encoding')).to.equal(null);
    expect(await next()).to.equal('retry: 3000');
    expect(await next()).to.equal(`id: ${base}`);
    setup.ring.publish('item.added', item);
    const data = { id: 1001, at: '1970-01-01T00:00:00.000Z', name: 'item.added', payload: item };
    expect(await next()).to.equal(`id: 1001\nevent: item.added\ndata: ${JSON.stringify(data)}`);
  });

  it('resumes after the id of the header, or of ?since=', async () => {
    await using setup = await setUp();
    for (let i = 0; i < 3; i++) setup.ring.publish('item.added', item);
    const byHeader = await open(setup.api, '?since=1001', { 'last-event-id': '1002' });
    await byHeader.next();
    expect(await byHeader.next()).to.match(/^id: 1003\n/);
    const byQuery = await open(setup.api, '?since=1001');
    await byQuery.next();
    expect(await byQuery.next()).to.match(/^id: 1002\n/);
  });

  it('says so when events were lost', async () => {
    await using setup = await setUp();
    for (let i = 0; i < 5; i++) setup.ring.publish('item.added', item);
    for (const lost of ['1001', '999', '5000', 'nonsense']) {
      const { next } = await open(setup.api, '', { 'last-event-id': lost });
      await next();
      expect(await next(), lost).to.match(/^id: 1005\nevent: reset\n/);
    }
  });

  it('tells each only what is for them', async () => {
    await using setup = await setUp();
    const { next } = await open(setup.api);
    await next();
    await next();
    setup.ring.publish('item.added', item, { userId: 'somebody else' });
    setup.ring.publish('item.added', item, { permission: 'admin:jobs' });
    setup.ring.publish('item.updated', item, { userId: principalWith().userId });
    expect(await next()).to.match(/event: item.updated/);
  });

  it('filters by name and by group', async () => {
    await using setup = await setUp();
    const { next } = await open(setup.api, '?events=scan.*,item.added');
    await next();
    await next();
    setup.ring.publish('item.updated', item);
    setup.ring.publish('scan.progress', scan);
    setup.ring.publish('item.added', item);
    expect(await next()).to.match(/event: scan.progress/);
    expect(await next()).to.match(/event: item.added/);
    const wrong = await setup.api.fetch('/api/v1/events?events=scan.%25', { token: 'events:read' });
    expect(wrong.status).to.equal(400);
  });

  it('sends a sign of life', async () => {
    await using setup = await setUp();
    const { next } = await open(setup.api);
    await next();
    await next();
    setup.hand.everies[0]?.();
    expect(await next()).to.equal(':');
  });

  it('ends with the session, and with the token', async () => {
    await using setup = await setUp({}, { ...principalWith('events:read'), expiresAt: 60_000 });
    const first = await open(setup.api, '?events=scan.*');
    await first.next();
    await first.next();
    const { userId, credentialId } = principalWith();
    setup.ring.publish('session.revoked', { userId, sessionId: 'another' });
    setup.ring.publish('scan.progress', scan);
    expect(await first.next()).to.match(/scan.progress/);
    setup.ring.publish('session.revoked', { userId, sessionId: credentialId });
    expect(await first.next()).to.equal(undefined);

    const second = await open(setup.api);
    await second.next();
    await second.next();
    expect(setup.hand.afters.map(({ ms }) => ms)).to.deep.equal([60_000]);
    setup.hand.afters[0]?.run();
    expect(await second.next()).to.equal(undefined);
    expect(setup.hand.everies).to.have.length(0);
  });

  it('ends when the listener is no longer who it was, or may hear less', async () => {
    const fewer = { ...principalWith('events:read'), permissions: new Set<Permission>() };
    for (const found of [problem('token-invalid', 'gone'), fewer]) {
      await using setup = await setUp();
      const { next } = await open(setup.api);
      await next();
      await next();
      setup.now.principal = found;
      setup.hand.everies[1]?.();
      expect(await next()).to.equal(undefined);
    }
  });

  it('goes on while nothing has changed, or nobody can tell', async () => {
    await using setup = await setUp();
    const { next } = await open(setup.api);
    await next();
    await next();
    setup.hand.everies[1]?.();
    setup.now.principal = new Error('the database is away');
    setup.hand.everies[1]?.();
    await new Promise((resolve) => setImmediate(resolve));
    setup.ring.publish('item.added', item);
    expect(await next()).to.match(/event: item.added/);
  });

  it('lets a client start anew that missed more than it could take at once', async () => {
    await using setup = await setUp({ bufferMaxBytes: 4_000 });
    const big = { ...item, itemId: 'x'.repeat(1_500) };
    for (let i = 0; i < 2; i++) setup.ring.publish('item.added', big);
    const { next } = await open(setup.api, `?since=${base}`);
    await next();
    expect(await next()).to.match(/^id: 1002\nevent: reset\n/);
    setup.ring.publish('item.added', item);
    expect(await next()).to.match(/^id: 1003\n/);
  });

  it('cuts a client off that does not read', async () => {
    await using setup = await setUp({ bufferMaxBytes: 10_000 });
    const { response, next } = await open(setup.api);
    await next();
    const big = { ...item, itemId: 'x'.repeat(9_000) };
    for (let i = 0; i < 10; i++) setup.ring.publish('item.added', big);
    const rest = (async () => {
      for (let text = await next(); text !== undefined; text = await next()) {
        expect(text.length).to.be.lessThan(20_000);
      }
    })();
    const outcome = await rest.catch((error: Error) => error);
    expect(outcome, 'the connection breaks').to.be.instanceOf(Error);
    expect(response.ok).to.equal(true);
  });

  it('lets one user have so many and no more', async () => {
    await using setup = await setUp({ perUserMax: 2 });
    const first = await open(setup.api);
    await open(setup.api);
    const third = await setup.api.fetch('/api/v1/events', { token: 'events:read' });
    expect(third.status).to.equal(429);
    expect(third.headers.get('retry-after')).to.equal('10');
    expect(setup.streams.count()).to.equal(2);
    const { userId, credentialId } = principalWith();
    await first.next();
    await first.next();
    setup.ring.publish('session.revoked', { userId, sessionId: credentialId });
    while ((await first.next()) !== undefined);
    expect((await open(setup.api)).response.status).to.equal(200);
  });

  it('says goodbye when the node goes', async () => {
    const setup = await setUp();
    const { next } = await open(setup.api);
    await next();
    await next();
    const closed = setup.api.close();
    expect(await next()).to.equal(undefined);
    await closed;
    expect(setup.streams.count()).to.equal(0);
  });

  it('is refused without the permission', async () => {
    await using setup = await setUp({}, principalWith('movies:read'));
    expect((await setup.api.fetch('/api/v1/events', { token: 'x' })).status).to.equal(403);
    expect((await setup.api.fetch('/api/v1/events')).status).to.equal(401);
  });
});
