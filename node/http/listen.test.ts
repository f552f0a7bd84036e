import { expect } from 'chai';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { problem } from '#services/errors.ts';
import type { Principal } from '#services/principal.ts';
import { principalWith, testApi, type TestApi } from '#test/http.ts';
import { widgetHandlers, widgetId } from '#test/fixtures/widgets.ts';
import type { AnyHandlers } from './operations.ts';
import type { Timers } from './timers.ts';

const bytesPath = `/api/v1/widgets/${widgetId}/bytes`;

/** Sends text on a bare socket and reads until the server closes it. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => undefined); // a reset is an answer too
  socket.write(text);
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}

/** Timers that repeat only when told to. */
function byHand() {
  const everies: (() => void)[] = [];
  const timers: Timers = {
    every: (_ms, run) => {
      everies.push(run);
      return () => undefined;
    },
    after: () => () => undefined,
  };
  const tick = async () => {
    for (const run of everies) run();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { timers, tick };
}

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);

describe('listener', () => {
  describe('with what is hardly HTTP', () => {
    let api: TestApi;
    before(async () => {
      api = await testApi({
        handlers: widgetHandlers,
        listen: { headersTimeoutMs: 200, requestTimeoutMs: 400, headersMaxBytes: 4_096 },
      });
    });
    after(() => api.close());

    const rows: [string, string, number][] = [
      ['nonsense', 'hello\r\n\r\n', 400],
      ['headers without end', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(8_000)}\r\n\r\n`, 431],
      ['a header that never ends', 'GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ', 408],
      ['no host', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
      ['a NUL in the path', 'GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n', 400],
      [
        'two lengths',
        'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx',
        400,
      ],
      [
        'a length and chunks (request smuggling)',
        'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        400,
      ],
      [
        'a body that never comes',
        'POST /api/v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' +
          'Content-Length: 100\r\n\r\n{',
        408,
      ],
      [
        'an absolute target',
        'GET http://other/api/v1/nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
        404,
      ],
      ['the asterisk', 'OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 404],
      ['a method of its own', 'BREW / HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ];
    for (const [name, text, status] of rows) {
      it(`answers ${name} with ${status}`, async () => {
        const answer = await raw(api.port, text);
        expect(statusOf(answer), answer).to.equal(status);
      });
    }

    it('speaks of it as of any other problem', async () => {
      const answer = await raw(api.port, 'hello\r\n\r\n');
      expect(answer).to.contain('application/problem+json').and.contain('/problems/bad-request');
    });

    it('ends a connection on which a body was announced and not asked for', async () => {
      const answer = await raw(
        api.port,
        'POST /api/v1/widgets HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' +
          'Expect: 100-continue\r\nContent-Length: 14\r\n\r\n',
      );
      expect(answer)
        .to.match(/^HTTP\/1\.1 401/)
        .and.match(/\r\nConnection: close\r\n/);
    });

    it('lets a body come only after it has agreed to it', async () => {
      const head = (token: string) =>
        'POST /api/v1/widgets HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' +
        `Authorization: Bearer ${token}\r\nExpect: 100-continue\r\nContent-Length: 14\r\n` +
        'Connection: close\r\n\r\n';
      expect(await raw(api.port, head('widgets.read'))).to.match(/^HTTP\/1\.1 403/);
      const socket = connect(api.port, '127.0.0.1');
      socket.write(head('widgets.write'));
      const [first] = (await once(socket, 'data')) as [Buffer];
      expect(first.toString()).to.match(/^HTTP\/1\.1 100/);
      socket.write('{"name":"late"}'.slice(0, 14));
      const [second] = (await once(socket, 'data')) as [Buffer];
      expect(statusOf(second.toString())).to.equal(400); // 14 of 15 bytes: no JSON
      socket.destroy();
    });
  });

  describe('with streams', () => {
    const withStream = (getWidgetBytes: unknown) =>
      testApi({ handlers: { ...widgetHandlers, getWidgetBytes } as AnyHandlers });
    const reply =
      (stream: unknown, headers = {}) =>
      async () => ({ status: 200, headers, stream });

    it('sends them as they come', async () => {
      await using api = await withStream(reply(Readable.from(['ab', 'cd'])));
      const response = await api.fetch(bytesPath, { token: 'widgets:read' });
      expect(await response.text()).to.equal('abcd');
    });

    it('lets the client see that one broke off', async () => {
      const stream = new PassThrough();
      await using api = await withStream(reply(stream));
      stream.write('ab');
      const response = await api.fetch(bytesPath, { token: 'widgets:read' });
      stream.destroy(new Error('the disk is gone'));
      const failure = await response.text().catch((error: Error) => error);
      expect(failure).to.be.instanceOf(Error);
    });

    it('ends them once their caller has no right to the rest', async () => {
      const { timers, tick } = byHand();
      let found: Principal | Error = principalWith('widgets:read');
      const recheck = async () => {
        if (found instanceof Error) throw found;
        return found;
      };
      const stream = new PassThrough();
      await using api = await testApi({
        handlers: { ...widgetHandlers, getWidgetBytes: reply(stream) } as AnyHandlers,
        ...{ timers, recheck },
      });
      stream.write('ab');
      const response = await api.fetch(bytesPath, { token: 'widgets:read' });
      const look = async (present: Principal | Error) => {
        found = present;
        await tick();
      };
      await look(principalWith('widgets:read'));
      await look(new Error('the database is away'));
      expect(stream.destroyed).to.equal(false);
      const closed = once(stream, 'close');
      await look(problem('token-invalid', 'The session has ended'));
      await closed;
      expect(await response.text().catch((error: Error) => error)).to.be.instanceOf(Error);
    });

    it('ends them once what they send is no longer to be had', async () => {
      const { timers, tick } = byHand();
      const found: { fault: Error | undefined } = { fault: new Error('the database is away') };
      const recheck = async () => {
        if (found.fault !== undefined) throw found.fault;
      };
      const stream = new PassThrough();
      await using api = await testApi({
        handlers: {
          ...widgetHandlers,
          getWidgetBytes: async () => ({ status: 200, headers: {}, stream, recheck }),
        },
        ...{ timers, recheck: async () => principalWith('widgets:read') },
      });
      stream.write('ab');
      const response = await api.fetch(bytesPath, { token: 'widgets:read' });
      await tick();
      found.fault = undefined;
      await tick();
      expect(stream.destroyed).to.equal(false);
      const closed = once(stream, 'close');
      found.fault = problem('not-found', 'There is no such file');
      await tick();
      await closed;
      expect(await response.text().catch((error: Error) => error)).to.be.instanceOf(Error);
    });

    it('ends the source when the client goes', async () => {
      const stream = new PassThrough();
      let signal: AbortSignal | undefined;
      await using api = await withStream(async (call: { request: { signal: AbortSignal } }) => {
        signal = call.request.signal;
        return { status: 200, headers: {}, stream };
      });
      const leave = new AbortController();
      stream.write('ab');
      await api.fetch(bytesPath, { token: 'widgets:read', signal: leave.signal });
      const closed = once(stream, 'close').catch(() => undefined);
      leave.abort();
      await closed;
      expect(stream.destroyed).to.equal(true);
      expect(signal?.aborted).to.equal(true);
    });

    it('answers HEAD with the length the handler states', async () => {
      const stream = Readable.from(['x']);
      await using api = await withStream(reply(stream, { 'Content-Length': 12345 }));
      const head = await api.fetch(bytesPath, { method: 'HEAD', token: 'widgets:read' });
      expect(head.headers.get('content-length')).to.equal('12345');
      expect(stream.destroyed).to.equal(true);
    });
  });

  describe('at the end', () => {
    it('finishes what runs, ends streams at once, and takes nothing new', async () => {
      const release = Promise.withResolvers<void>();
      const began = Promise.withResolvers<void>();
      const stream = new PassThrough();
      const handlers = {
        ...widgetHandlers,
        getNewestWidget: async () => {
          began.resolve();
          await release.promise;
          return widgetHandlers.getNewestWidget();
        },
        getWidgetBytes: async () => ({ status: 200, headers: {}, stream }),
      } as AnyHandlers;
      const api = await testApi({ handlers });
      stream.write('ab');
      const slow = api.fetch('/api/v1/widgets/newest', { token: 'x:y' });
      const endless = await api.fetch(bytesPath, { token: 'widgets:read' });
      await began.promise;
      const closed = api.close();
      const cut = await endless.text().catch((error: Error) => error);
      expect(cut).to.be.instanceOf(Error);
      const refused = await api.fetch('/').catch((error: Error) => error);
      expect(refused).to.be.instanceOf(Error);
      release.resolve();
      const response = await slow;
      expect([response.status, response.headers.get('connection')]).to.deep.equal([200, 'close']);
      await closed;
    });

    it('still answers all who have connected by then, also those who speak late', async () => {
      const api = await testApi({ handlers: widgetHandlers });
      const port = Number(new URL(api.url).port);
      const sockets = Array.from({ length: 8 }, () => connect(port, '127.0.0.1'));
      const answers = sockets.map((socket) => text(socket).catch(String));
      // They knock now, and nobody has let them in yet.
      await new Promise((resolve) => process.nextTick(resolve));
      const closed = api.close();
      const question = 'GET /none HTTP/1.1\r\nHost: x\r\n\r\n';
      const ask = (socket: Socket) => socket.write(question);
      sockets.slice(0, 4).forEach(ask);
      while (!((await api.fetch('/').catch((error: Error) => error)) instanceof Error));
      sockets.slice(4).forEach(ask);
      for (const answer of await Promise.all(answers)) expect(answer).to.match(/^HTTP\/1.1 404/);
      await closed;
    });

    it('does not wait longer than it was told', async () => {
      const began = Promise.withResolvers<void>();
      let signal: AbortSignal | undefined;
      const getNewestWidget = async (call: { request: { signal: AbortSignal } }) => {
        signal = call.request.signal;
        began.resolve();
        return new Promise(() => undefined);
      };
      const api = await testApi({
        handlers: { ...widgetHandlers, getNewestWidget } as AnyHandlers,
        listen: { drainMs: 50 },
      });
      const hung = api
        .fetch('/api/v1/widgets/newest', { token: 'x:y' })
        .catch((error: Error) => error);
      await began.promise;
      await api.close();
      expect(await hung).to.be.instanceOf(Error);
      expect(signal?.aborted).to.equal(true);
    });
  });

  it('tells a client when a handler takes too long, and aborts it', async () => {
    let sweep = () => {};
    let time = 0;
    const began = Promise.withResolvers<AbortSignal>();
    const getNewestWidget = async (call: { request: { signal: AbortSignal } }) => {
      began.resolve(call.request.signal);
      return new Promise(() => undefined);
    };
    await using api = await testApi({
      handlers: { ...widgetHandlers, getNewestWidget } as AnyHandlers,
      now: () => time,
      timers: {
        every: (_ms, run) => {
          sweep = run;
          return () => undefined;
        },
        after: (ms, run) => {
          const timer = setTimeout(run, ms);
          return () => clearTimeout(timer);
        },
      },
    });
    const answer = api.fetch('/api/v1/widgets/newest', { token: 'x:y' });
    const signal = await began.promise;
    time = 29_000;
    sweep();
    expect(signal.aborted).to.equal(false);
    time = 31_000;
    sweep();
    expect((await answer).status).to.equal(504);
    expect(signal.aborted).to.equal(true);
  });
});
