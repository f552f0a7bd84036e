import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { fixtureSpec, testApi, tokenFor, type TestApi } from '#test/http.ts';
import { widgetHandlers } from '#test/fixtures/widgets.ts';
import type { Exchange } from './exchange.ts';
import { createInFlight } from './inflight.ts';
import type { LargeBodyOptions } from './large-bodies.ts';
import type { AnyHandlers } from './operations.ts';

const kilobyte = 1024;
const limitBytes = 64 * kilobyte;

describe('large bodies', () => {
  let dir: string;
  let atOnce: number;
  let most: number;
  let names: Set<string>;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'revenge-large-'));
    [atOnce, most, names] = [0, 0, new Set()];
  });
  afterEach(() => rm(dir, { recursive: true }));

  const open = (options: Partial<LargeBodyOptions> = {}): Promise<TestApi> => {
    const spec = fixtureSpec();
    Object.assign(spec.paths['/api/v1/widgets']!.post!, { 'x-body-limit': limitBytes });
    const createWidget: typeof widgetHandlers.createWidget = async (call) => {
      most = Math.max(most, (atOnce += 1));
      names.add(call.body.name);
      for (let turns = 0; turns < 20; turns += 1) await turn();
      atOnce -= 1;
      return widgetHandlers.createWidget(call);
    };
    const handlers = { ...widgetHandlers, createWidget } as AnyHandlers;
    const largeBodies = { dir, memoryBytes: limitBytes, ...options };
    return testApi({ spec, handlers, app: { largeBodies } });
  };
  const send = (api: TestApi, nth: number, bytes: number) =>
    api.fetch('/api/v1/widgets', {
      ...{
        method: 'POST',
        token: 'widgets:write',
        headers: { 'content-type': 'application/json' },
      },
      body: JSON.stringify({ name: `no. ${nth}`, size: 1 }).padEnd(bytes),
    });
  const sendMany = (api: TestApi, count: number, bytes: number) =>
    Promise.all(Array.from({ length: count }, (_, nth) => send(api, nth, bytes)));

  const crowds: [string, number, number][] = [
    ['one at a time when they are large', 40 * kilobyte, 1],
    ['some beside each other when they are small', 15 * kilobyte, 4],
  ];
  for (const [name, bytes, atMost] of crowds) {
    it(`are worked on ${name}, and none is lost`, async () => {
      await using api = await open();
      const answers = await sendMany(api, 32, bytes);
      expect(answers.map(({ status }) => status)).to.deep.equal(Array(32).fill(201));
      expect(names).to.have.length(32);
      expect(most).to.be.within(1, atMost);
      expect(readdirSync(dir)).to.deep.equal([]);
    });
  }

  it('are refused with a time to try again when too many wait', async () => {
    await using api = await open({ waitingMax: 3 });
    const answers = await sendMany(api, 32, 40 * kilobyte);
    const refused = answers.filter(({ status }) => status === 503);
    expect(answers.filter(({ status }) => status === 201)).to.have.length(names.size);
    expect(refused.length + names.size).to.equal(32);
    expect(refused).to.not.have.length(0);
    for (const { headers } of refused) expect(Number(headers.get('retry-after'))).to.be.above(0);
  });

  it('take the room they say they need, so that slow small ones keep nobody out', async () => {
    await using api = await open({ diskBytes: limitBytes, waitMaxMs: 1 });
    const leaving = new AbortController();
    const slow = Array.from({ length: 16 }, () => sendSlowly(api.url, kilobyte, leaving.signal));
    await Promise.all(slow.map(({ begun }) => begun));
    expect((await send(api, 0, kilobyte)).status).to.equal(201);
    expect((await send(api, 1, limitBytes)).status, 'what there is no room for').to.equal(503);
    expect((await send(api, 2, limitBytes + 1)).status, 'does not wait').to.equal(413);
    leaving.abort();
    await Promise.all(slow.map(({ ended }) => ended));
    let last: number;
    do last = (await send(api, 3, limitBytes)).status;
    while (last === 503);
    expect(last, 'room is given back').to.equal(201);
  });

  it('are refused when they are larger, whatever they say of it', async () => {
    await using api = await open();
    expect((await send(api, 0, limitBytes + 1)).status).to.equal(413);
    const body = new Blob(['x'.repeat(2 * limitBytes)]).stream();
    const init = { method: 'POST', body, duplex: 'half', token: 'widgets:write' };
    const headers = { 'content-type': 'application/json' };
    const chunked = await api.fetch('/api/v1/widgets', { ...init, headers } as RequestInit);
    expect(chunked.status).to.equal(413);
    expect((await send(api, 0, 10)).status, 'room is given back').to.equal(201);
  });
});

/** Begins to send, and never ends. */
function sendSlowly(url: string, bytes: number, signal: AbortSignal) {
  const begun = Promise.withResolvers<void>();
  const headers = {
    ...{ authorization: `Bearer ${tokenFor('widgets:write')}`, 'content-type': 'application/json' },
    ...{ 'content-length': bytes, expect: '100-continue' },
  };
  const sending = request(`${url}/api/v1/widgets`, { method: 'POST', headers, signal });
  // When it is told to go on there is room for it.
  sending.on('continue', () => sending.write('{', () => begun.resolve()));
  const ended = new Promise<void>((resolve) => sending.on('error', () => resolve()));
  return { begun: begun.promise, ended };
}

describe('the time for an answer', () => {
  const cases: [string, { isWaiting: boolean; complete: boolean }, boolean][] = [
    ['runs', { isWaiting: false, complete: true }, true],
    ['has not begun while a body arrives', { isWaiting: false, complete: false }, false],
    ['has not begun while it waits for its turn', { isWaiting: true, complete: true }, false],
  ];
  for (const [name, { isWaiting, complete }, isOver] of cases) {
    it(name, () => {
      let [at, failed] = [0, 0];
      let sweep = () => undefined as void;
      const every = (_: number, run: () => void) => {
        sweep = run;
        return () => undefined;
      };
      const timers = { every, after: () => () => undefined };
      using inFlight = openInFlight({ now: () => at, timers, timeoutMs: 30 });
      const exchange = {
        ...{ startedAt: 0, route: { body: 'required' }, res: { headersSent: false } },
        ...{ abort: () => undefined, isWaiting, req: { complete } },
      };
      inFlight.add(exchange as unknown as Exchange, () => (failed += 1));
      for (at = 10; at <= 60; at += 10) sweep();
      expect(failed > 0).to.equal(isOver);
      Object.assign(exchange, { isWaiting: false, req: { complete: true } });
      for (; at <= 120; at += 10) sweep();
      expect(failed, 'in the end').to.be.above(0);
    });
  }
});

function openInFlight(options: Parameters<typeof createInFlight>[0]) {
  const inFlight = createInFlight(options);
  return { ...inFlight, [Symbol.dispose]: () => inFlight.close() };
}
