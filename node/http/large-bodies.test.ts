import { readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { authenticateByName, fixtureSpec, testApi, tokenFor, type TestApi } from '#test/http.ts';
import type { Authenticate } from '#services/principal.ts';
import { widgetHandlers } from '#test/fixtures/widgets.ts';
import type { Exchange } from './exchange.ts';
import { createInFlight } from './inflight.ts';
import type { LargeBodyOptions } from './large-bodies.ts';
import type { ListenOptions } from './listen.ts';
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

  /** Who sends is who their token says. */
  const authenticate: Authenticate = async (proof) => {
    const known = await authenticateByName(proof);
    return known && { ...known, userId: proof.bearer ?? known.userId };
  };
  const open = (
    options: Partial<LargeBodyOptions> = {},
    listen: Partial<ListenOptions> = {},
    limit = limitBytes,
  ): Promise<TestApi> => {
    const spec = fixtureSpec();
    Object.assign(spec.paths['/api/v1/widgets']!.post!, { 'x-body-limit': limit });
    const createWidget: typeof widgetHandlers.createWidget = async (call) => {
      most = Math.max(most, (atOnce += 1));
      names.add(call.body.name);
      for (let turns = 0; turns < 20; turns += 1) await turn();
      atOnce -= 1;
      return widgetHandlers.createWidget(call);
    };
    const handlers = { ...widgetHandlers, createWidget } as AnyHandlers;
    const largeBodies = { dir, memoryBytes: limitBytes, ...options };
    return testApi({ spec, handlers, authenticate, app: { largeBodies }, listen });
  };
  const sendAs = (token: string) => (api: TestApi, nth: number, bytes: number) =>
    api.fetch('/api/v1/widgets', {
      ...{ method: 'POST', token, headers: { 'content-type': 'application/json' } },
      body: JSON.stringify({ name: `no. ${nth}`, size: 1 }).padEnd(bytes),
    });
  const send = sendAs('widgets:write');
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

  it('leave nothing behind, not even of a process that was killed', async () => {
    await writeFile(join(dir, '.revenge-body-left'), '');
    await writeFile(join(dir, 'other'), '');
    await using api = await open();
    expect((await send(api, 0, kilobyte)).status).to.equal(201);
    expect(readdirSync(dir)).to.deep.equal(['other']);
  });

  it('are taken once their folder is there, if it was not at first', async () => {
    const later = join(dir, 'later');
    await using api = await open({ dir: later });
    expect((await send(api, 1, kilobyte)).status).to.equal(500);
    await mkdir(later);
    expect((await send(api, 2, kilobyte)).status).to.equal(201);
  });

  it('are refused with a time to try again when too many wait', async () => {
    await using api = await open({ waitingMax: 3 });
    const answers = await sendMany(api, 32, 40 * kilobyte);
    const refused = answers.filter(({ status }) => status === 503);
    expect(answers.filter(({ status }) => status === 201)).to.have.length(names.size);
    expect(refused.length + names.size).to.equal(32);
    expect(refused).to.not.have.length(0);
    for (const { headers } of refused) expect(Number(headers.get('retry-after'))).to.be.above(0);
  });

  for (const [how, says] of [
    ['in chunks without a length', undefined],
    ['that are as long as they may be', limitBytes],
  ] as const) {
    it(`have the room of what came, so that slow ones ${how} keep nobody out`, async () => {
      await using api = await open({ diskBytes: limitBytes + 64, waitMaxMs: 1 });
      const slow = Array.from({ length: 64 }, () => sendSlowly(api.url, says));
      await Promise.all(slow.map(({ begun }) => begun));
      expect((await send(api, 0, limitBytes)).status).to.equal(201);
      expect((await send(api, 1, limitBytes + 1)).status).to.equal(413);
      for (const { end } of slow) await end();
    });
  }

  it('are refused when there is no room for more, and give back what they had', async () => {
    await using api = await open({ diskBytes: 40 * kilobyte, waitMaxMs: 1 });
    const other = sendSlowly(api.url, undefined, 30 * kilobyte);
    await other.begun;
    let last: number;
    do last = (await send(api, 0, 20 * kilobyte)).status;
    while (last === 201); // until what the other sent is here
    expect(last).to.equal(503);
    await other.end();
    do last = (await send(api, 1, 40 * kilobyte)).status;
    while (last === 503);
    expect(last).to.equal(201);
  });

  it('of one person leave room to others', async () => {
    const share = { diskBytes: 40 * kilobyte, diskShareBytes: 20 * kilobyte };
    await using api = await open({ ...share, waitMaxMs: 1 });
    const first = sendSlowly(api.url, undefined, 15 * kilobyte);
    await first.begun;
    let last: number;
    do last = (await send(api, 0, 10 * kilobyte)).status;
    while (last === 201);
    expect(last, 'of the same').to.equal(503);
    const theirs = await sendAs('widgets:write widgets:read')(api, 1, 20 * kilobyte);
    expect(theirs.status, 'of another').to.equal(201);
    await first.end();
  });

  it('are taken in to their end when they are refused, and the connection serves on', async () => {
    const size = 8 * kilobyte * kilobyte;
    await using api = await open({ diskBytes: kilobyte, waitMaxMs: 1 }, {}, size);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const headers = {
      ...{ authorization: `Bearer ${tokenFor('widgets:write')}` },
      'content-type': 'application/json',
    };
    const statusOf = (body: Buffer) =>
      new Promise<number>((resolve, reject) => {
        const url = `${api.url}/api/v1/widgets`;
        const sending = request(url, { method: 'POST', headers, agent });
        let status = 0;
        const isHeard = () => status > 0 && sending.writableFinished && resolve(status);
        sending.on('response', (answer) => {
          status = answer.resume().statusCode ?? 0;
          isHeard();
        });
        sending.on('finish', isHeard).on('error', reject);
        // In chunks, of which nothing is known before.
        sending.write(body.subarray(0, 1));
        sending.end(body.subarray(1));
      });
    const other = sendSlowly(api.url, undefined);
    await other.begun;
    let last: number;
    do last = await statusOf(Buffer.alloc(size, ' '));
    while (last === 400); // until what the other sent is here
    expect(last).to.equal(503);
    await other.end();
    do last = await statusOf(Buffer.from('{"name":"next","size":1}'));
    while (last === 503);
    expect(last).to.equal(201);
    agent.destroy();
  });

  it('may come for longer than others, while enough of them comes', async () => {
    await using api = await open({}, { requestTimeoutMs: 50 });
    const large = sendSlowly(api.url, undefined);
    await large.begun;
    // One that came later is not waited for any more.
    const small = await fetch(`${api.url}/api/v1/login`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' }, duplex: 'half' },
      body: new ReadableStream({ start: (body) => body.enqueue(Buffer.from('{')) }),
    });
    expect(small.status).to.equal(408);
    expect(await large.finish('"name":"late","size":1}')).to.equal(201);
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

/** Begins to send, and does not end; in chunks where it does not say how much there will be. */
function sendSlowly(url: string, says: number | undefined, bytes = 1) {
  const begun = Promise.withResolvers<void>();
  const leaving = new AbortController();
  const headers = {
    ...{ authorization: `Bearer ${tokenFor('widgets:write')}`, 'content-type': 'application/json' },
    ...(says === undefined ? {} : { 'content-length': says }),
    expect: '100-continue',
  };
  const init = { method: 'POST', headers, signal: leaving.signal };
  const sending = request(`${url}/api/v1/widgets`, init);
  // When it is told to go on, it is being read.
  sending.on('continue', () => sending.write('{'.padEnd(bytes), () => begun.resolve()));
  const answered = new Promise<number>((resolve, reject) => {
    sending.on('response', (answer) => resolve(answer.resume().statusCode ?? 0));
    sending.on('error', reject);
  });
  return {
    begun: begun.promise,
    end: async () => {
      leaving.abort();
      await answered.catch(() => undefined);
    },
    finish: (rest: string) => {
      sending.end(rest);
      return answered;
    },
  };
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
