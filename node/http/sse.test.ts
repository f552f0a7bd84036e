import { expect } from 'chai';
import { problem } from '#services/errors.ts';
import type { Audience, EventName, Events } from '#services/events.ts';
import type { Permission, Principal } from '#services/principal.ts';
import { exampleLog, type ExampleLog } from '#node/events/examples.ts';
import { createEventRing } from '#node/events/ring.ts';
import { quiet } from '#test/log.ts';
import { principalWith, specOf, testApi, type TestApi } from '#test/http.ts';
import { createEventStreams, type EventStreamOptions, type EventStreams } from './sse.ts';
import type { Timers } from './timers.ts';

/** The log's entry of the first event; each has one of its own. */
const firstIndex = 1000;
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
  source: ExampleLog;
  publish<Name extends EventName>(name: Name, payload: Events[Name], audience?: Audience): void;
  streams: EventStreams;
  hand: ReturnType<typeof handTimers>;
  /** What the second look finds. */
  now: { principal: Principal | Error };
}

async function setUp(
  options: EventStreamOptions = {},
  principal: Principal = principalWith('events:read'),
): Promise<Setup> {
  const source = exampleLog();
  source.apply(firstIndex - 1);
  const ring = createEventRing({ source, log: quiet }, { capacity: 3 });
  const publish: Setup['publish'] = (name, payload, audience = 'all') => {
    const text = JSON.stringify({ at: 0, name, payload, audience });
    source.say(source.index() + 1, [text]);
  };
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
  return { api, source, publish, streams, hand, now, [Symbol.asyncDispose]: () => api.close() };
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
    expect(await next()).to.equal('id: 1000-0');
    setup.publish('item.added', item);
    const at = '1970-01-01T00:00:00.000Z';
    const data = { id: '1000-1', index: 1000, at, name: 'item.added', payload: item };
    expect(await next()).to.equal(`id: 1000-1\nevent: item.added\ndata: ${JSON.stringify(data)}`);
  });

  it('resumes after the id of the header, or of ?since=', async () => {
    await using setup = await setUp();
    for (let i = 0; i < 3; i++) setup.publish('item.added', item);
    const byHeader = await open(setup.api, '?since=1000-1', { 'last-event-id': '1001-1' });
    await byHeader.next();
    expect(await byHeader.next()).to.match(/^id: 1002-1\n/);
    expect(await byHeader.next()).to.equal('id: 1003-0');
    const byQuery = await open(setup.api, '?since=1000-1');
    await byQuery.next();
    expect(await byQuery.next()).to.match(/^id: 1001-1\n/);
    const wrong = await setup.api.fetch('/api/v1/events?since=x', { token: 'events:read' });
    expect(wrong.status).to.equal(400);
  });

  it('says so when events were lost', async () => {
    await using setup = await setUp();
    for (let i = 0; i < 5; i++) setup.publish('item.added', item);
    for (const lost of ['1000-1', '999-1', '900000-0', '1002', 'nonsense']) {
      const { next } = await open(setup.api, '', { 'last-event-id': lost });
      await next();
      expect(await next(), lost).to.match(/^id: 1005-0\nevent: reset\n/);
    }
    const { next } = await open(setup.api, '?since=1002');
    await next();
    expect(await next(), 'an id of a version before').to.match(/\nevent: reset\n/);
  });

  it('says so when they are lost while one listens', async () => {
    await using setup = await setUp();
    const { next } = await open(setup.api);
    await next();
    await next();
    setup.source.restore(2000);
    expect(await next()).to.match(/^id: 2001-0\nevent: reset\n/);
    setup.publish('item.added', item);
    expect(await next()).to.match(/^id: 2001-1\nevent: item.added\n/);
  });

  it('tells each only what is for them', async () => {
    await using setup = await setUp();
    const { next } = await open(setup.api);
    await next();
    await next();
    setup.publish('item.added', item, { userId: 'somebody else' });
    setup.publish('item.added', item, { permission: 'admin:jobs' });
    setup.publish('item.updated', item, { userId: principalWith().userId });
    expect(await next()).to.match(/event: item.updated/);
  });

  it('filters by name and by group', async () => {
    await using setup = await setUp();
    const { next } = await open(setup.api, '?events=scan.*,item.added');
    await next();
    await next();
    setup.publish('item.updated', item);
    setup.publish('scan.progress', scan);
    setup.publish('item.added', item);
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
    setup.source.apply(1005);
    setup.hand.everies[0]?.();
    expect(await next(), 'and of how far it is').to.equal(':\nid: 1006-0');
  });

  it('ends with the session, and with the token', async () => {
    await using setup = await setUp({}, { ...principalWith('events:read'), expiresAt: 60_000 });
    const first = await open(setup.api, '?events=scan.*');
    await first.next();
    await first.next();
    const { userId, credentialId } = principalWith();
    setup.publish('session.revoked', { userId, sessionId: 'another' });
    setup.publish('scan.progress', scan);
    expect(await first.next()).to.match(/scan.progress/);
    setup.publish('session.revoked', { userId, sessionId: credentialId });
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

  it('tells nothing of libraries that the listener does not see, nor what it missed of them', async () => {
    const limited = { ...principalWith('events:read'), libraries: new Set(['mine']) };
    await using setup = await setUp({}, limited);
    const of = (libraryId: string) => ({ ...item, libraryId });
    setup.publish('item.added', of('mine'));
    setup.publish('item.added', of('other'));
    const { next } = await open(setup.api, '?since=1000-0');
    await next();
    expect(await next()).to.match(/"libraryId":"mine"/);
    expect(await next()).to.equal('id: 1002-0');
    const change = 'deleted' as const;
    setup.publish('library.changed', { libraryId: 'other', change });
    setup.publish('scan.progress', { ...scan, libraryId: 'other' });
    setup.publish('scan.progress', { ...scan, libraryId: 'mine' });
    expect(await next()).to.match(/"libraryId":"mine"/);
  });

  it('ends when the listener sees other libraries, who is to read everything anew', async () => {
    const limited = { ...principalWith('events:read'), libraries: new Set(['mine', 'other']) };
    await using setup = await setUp({}, limited);
    const { next } = await open(setup.api);
    await next();
    await next();
    setup.now.principal = { ...limited, libraries: new Set(['other', 'mine']) };
    setup.hand.everies[1]?.();
    await new Promise((resolve) => setImmediate(resolve));
    setup.publish('item.added', { ...item, libraryId: 'mine' });
    expect(await next(), 'the same in another order').to.match(/event: item.added/);
    setup.now.principal = { ...limited, libraries: new Set(['mine']) };
    setup.hand.everies[1]?.();
    expect(await next()).to.match(/event: reset/);
    expect(await next()).to.equal(undefined);
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
    setup.publish('item.added', item);
    expect(await next()).to.match(/event: item.added/);
  });

  it('lets a client start anew that missed more than it could take at once', async () => {
    await using setup = await setUp({ bufferMaxBytes: 4_000 });
    const big = { ...item, itemId: 'x'.repeat(1_500) };
    for (let i = 0; i < 2; i++) setup.publish('item.added', big);
    const { next } = await open(setup.api, '?since=1000-0');
    await next();
    expect(await next()).to.match(/^id: 1002-0\nevent: reset\n/);
    setup.publish('item.added', item);
    expect(await next()).to.match(/^id: 1002-1\n/);
  });

  it('cuts a client off that does not read', async () => {
    await using setup = await setUp({ bufferMaxBytes: 10_000 });
    const { response, next } = await open(setup.api);
    await next();
    const big = { ...item, itemId: 'x'.repeat(9_000) };
    for (let i = 0; i < 10; i++) setup.publish('item.added', big);
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
    setup.publish('session.revoked', { userId, sessionId: credentialId });
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
