import { expect } from 'chai';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { allOf, createIssuer, errorOf, until, useRpc, type Issuer } from './harness.ts';
import type { HandedOn, Handing, RpcServerOptions, TlsMaterial } from './types.ts';

type Pipeline = (req: IncomingMessage, res: ServerResponse, handed: HandedOn) => void;

describe('requests handed on', () => {
  const { server, client, tls, logged } = useRpc();
  let ours: Issuer;
  let n1: TlsMaterial;
  let n2: TlsMaterial;

  before(async () => {
    ours = await createIssuer();
    [n1, n2] = [await ours.issue('n1'), await ours.issue('n2')];
  });

  /** n2 runs requests, n1 hands them on. */
  async function pair(onHandedOn: Pipeline, options: Partial<RpcServerOptions> = {}) {
    const there = await server(n2, { onHandedOn, ...options });
    const here = client(n1, { candidates: () => [there.address] });
    return { there, here };
  }
  const get = (change: Partial<Handing> = {}): Handing => ({
    method: 'GET',
    path: '/api/v1/libraries?x=1',
    headers: { host: 'media.home', authorization: 'Bearer t' },
    ...change,
  });
  /** What the pipeline saw, as its answer. */
  const mirror: Pipeline = (req, res, handed) => {
    const { method, url, headers } = req;
    text(req).then(
      (body) => res.end(JSON.stringify({ method, url, headers, body, handed })),
      () => res.destroy(),
    );
  };
  type Mirrored = {
    method: string;
    url: string;
    headers: Record<string, string>;
    body: string;
    handed: HandedOn;
  };
  async function mirrored(handing: Handing): Promise<Mirrored> {
    const { here } = await pair(mirror);
    const answer = await here.handOn('n2', handing);
    return JSON.parse(await text(answer.body)) as Mirrored;
  }

  it('arrive whole, with the credentials of the client', async () => {
    const seen = await mirrored(get({ clientAddress: '192.168.1.7' }));
    expect(seen).to.deep.include({ method: 'GET', url: '/api/v1/libraries?x=1', body: '' });
    expect(seen.headers).to.deep.equal({
      host: 'media.home',
      authorization: 'Bearer t',
      connection: 'keep-alive',
    });
    expect(seen.handed).to.include({ from: 'n1', clientAddress: '192.168.1.7' });
  });

  it('leave behind what is for one connection, and what only nodes may say', async () => {
    const seen = await mirrored(
      get({
        headers: {
          host: 'a',
          connection: 'close, x-hop',
          'x-hop': '1',
          'keep-alive': 'timeout=5',
          upgrade: 'websocket',
          expect: '100-continue',
          te: 'trailers',
          'transfer-encoding': 'chunked',
          'content-length': '12',
          'x-revenge-peer-hop': '0',
          'x-revenge-peer-client': '6.6.6.6',
          'x-revenge-index': '7',
          cookie: 'a=b; c=d',
        },
      }),
    );
    expect(seen.headers).to.deep.equal({
      host: 'a',
      connection: 'keep-alive',
      'x-revenge-index': '7',
      cookie: 'a=b; c=d',
    });
    expect(seen.handed.clientAddress).to.be.undefined;
  });

  const bodies: [string, Partial<Handing>, string][] = [
    ['bytes', { body: Buffer.from('hello') }, 'hello'],
    ['a stream of known length', { body: Readable.from(['he', 'llo']) }, 'hello'],
    ['a stream of any length', { body: Readable.from(['he', 'llo', '!']) }, 'hello!'],
    ['nothing', {}, ''],
  ];
  for (const [name, change, body] of bodies) {
    for (const method of ['POST', 'DELETE', 'PUT', 'PATCH']) {
      it(`carry ${name} with ${method}`, async () => {
        const isKnown = name.includes('known');
        const length = isKnown ? { 'content-length': '5' } : {};
        // A stream is used up by the first method.
        const fresh = change.body instanceof Readable ? Readable.from([body]) : change.body;
        const handing = get({ method, headers: { host: 'a', ...length }, body: fresh });
        expect(await mirrored(handing)).to.deep.include({ method, body });
      });
    }
  }

  it('bring the answer back as it is, as soon as it begins', async () => {
    const { here } = await pair((_, res) => {
      res.writeHead(206, { 'set-cookie': ['a=1', 'b=2'], 'x-revenge-index': '9', te: 'x' });
      res.write('first');
      setImmediate(() => res.end(' last'));
    });
    const answer = await here.handOn('n2', get());
    expect(answer.status).to.equal(206);
    expect(answer.headers).to.include({ 'x-revenge-index': '9' });
    expect(answer.headers['set-cookie']).to.deep.equal(['a=1', 'b=2']);
    expect(answer.headers).to.not.have.any.keys('te', 'connection', 'transfer-encoding');
    expect(await text(answer.body)).to.equal('first last');
    for (const status of [204, 304, 404, 500]) {
      const { here: other } = await pair((_, res) => res.writeHead(status).end());
      const { body, ...plain } = await other.handOn('n2', get({ method: 'HEAD' }));
      expect(plain.status).to.equal(status);
      expect(await text(body)).to.equal('');
    }
  });

  it('go at the pace of who reads, both ways', async () => {
    let pulled = 0;
    const chunk = Buffer.alloc(64 * 1024);
    const endless = () =>
      new Readable({
        read() {
          pulled += chunk.length;
          this.push(chunk);
        },
      });
    const { here, there } = await pair((_, res) => {
      const source = endless();
      source.pipe(res);
      res.once('close', () => source.destroy());
    });
    const answer = await here.handOn('n2', get());
    await once(answer.body, 'readable');
    let before = -1;
    // It stands still once what lies between them is full.
    await until(() => before === (before = pulled) && pulled > 0);
    expect(pulled).to.be.lessThan(64 * 1024 * 1024);
    answer.body.destroy();
    await until(() => there.stats().handedOn === 0);
  });

  describe('end', () => {
    it('there, when the client goes away here', async () => {
      let closed = 0;
      const { here, there } = await pair((_, res) => {
        res.write('x');
        res.once('close', () => (closed += 1));
      });
      const controller = new AbortController();
      const answer = await here.handOn('n2', get({ signal: controller.signal }));
      answer.body.on('error', () => undefined);
      controller.abort();
      await until(() => closed === 1);
      const again = await here.handOn('n2', get());
      again.body.on('error', () => undefined).destroy();
      await until(() => closed === 2 && there.stats().handedOn === 0);
      expect(here.stats()).to.include({ streams: 0 });
    });

    it('there, when the client stops in the middle of its body', async () => {
      const seen: string[] = [];
      const { here } = await pair((req) => {
        req.on('data', (data: Buffer) => seen.push(data.toString()));
        req.once('error', () => seen.push('broken'));
      });
      const body = new PassThrough();
      body.write('half');
      const handing = get({ method: 'POST', headers: { 'content-length': '8' }, body });
      const handed = errorOf(here.handOn('n2', handing));
      await until(() => seen.length === 1);
      body.destroy(new Error('the client is gone'));
      expect(await handed).to.include({ code: 'broken', isExecuted: 'unknown' });
      await until(() => seen[1] === 'broken');
    });

    it('here, when the other node stops in the middle of its answer', async () => {
      const { here } = await pair((_, res) => {
        res.writeHead(200, { 'content-length': '8' });
        res.write('half', () => res.destroy());
      });
      const answer = await here.handOn('n2', get());
      const error: unknown = await text(answer.body).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(Error);
      await until(() => here.stats().streams === 0);
    });

    it('here, when the other node falls silent, but not when it is not read', async () => {
      const { there } = await pair((_, res) => void res.write(Buffer.alloc(16)), {});
      const here = client(n1, { candidates: () => [there.address], silenceMs: 20 });
      const silent = await here.handOn('n2', get());
      const error: unknown = await text(silent.body).catch((thrown: unknown) => thrown);
      expect(error).to.include({ code: 'broken' });
      const chunk = Buffer.alloc(1024 * 1024, 'x');
      const { there: big } = await pair((_, res) => res.end(chunk));
      const slow = client(n1, { candidates: () => [big.address], silenceMs: 250 });
      const unread = await slow.handOn('n2', get());
      for (let i = 0; i < 2; i += 1) await once((unread.body as IncomingMessage).socket, 'timeout');
      expect(await text(unread.body)).to.have.length(chunk.length);
      expect(slow.stats()).to.include({ streams: 0, idle: 1 });
    });

    it('when no answer begins in time', async () => {
      const { here } = await pair(() => {});
      await errorOf(here.call('n2', 'none')); // there is a connection now
      const error = await errorOf(here.handOn('n2', get({ timeoutMs: 100 })));
      expect(error).to.include({ code: 'deadline', isExecuted: 'unknown' });
    });

    it('with an answer that comes before the body was read', async () => {
      const { here } = await pair((_, res) => res.writeHead(413).end('too much'));
      const body = new PassThrough();
      body.write('x');
      const handing = get({ method: 'POST', headers: {}, body });
      const answer = await here.handOn('n2', handing);
      expect(answer.status).to.equal(413);
      expect(await text(answer.body)).to.equal('too much');
      await until(() => body.destroyed);
    });
  });

  describe('are refused', () => {
    it('a second hop', async () => {
      const { here, there } = await pair(mirror);
      const error = await errorOf(here.handOn('n2', get({ hops: 1 })));
      expect(error).to.include({ code: 'too-many-hops', isExecuted: 'no' });
      for (const hop of ['', 'x-revenge-peer-hop: 2\r\n', 'x-revenge-peer-hop: 0\r\n']) {
        const socket = await tls(there.port, n1);
        socket.write(`GET /http/x HTTP/1.1\r\nhost: a\r\n${hop}\r\n`);
        expect(await allOf(socket))
          .to.contain('508')
          .and.contain('too-many-hops');
      }
      expect(there.stats().answered).to.equal(0);
    });

    it('without an id, or with one that was here before', async () => {
      const there = await server(n2, { onHandedOn: mirror });
      const candidates = () => [there.address];
      const here = client(n1, { candidates, randomId: () => 'the-same-again' });
      const first = await here.handOn('n2', get());
      await text(first.body);
      const error = await errorOf(here.handOn('n2', get()));
      expect(error).to.include({ code: 'replayed', isExecuted: 'unknown', isRetryable: false });
      const options = { candidates, randomId: () => 'the-same-again' };
      const other = client(await ours.issue('n3'), options);
      expect((await other.handOn('n2', get())).status, 'it is another for another peer').to.equal(
        200,
      );
      const nameless = client(n1, { candidates, randomId: () => 'x' });
      expect(await errorOf(nameless.handOn('n2', get()))).to.include({
        code: 'bad-request',
        isExecuted: 'no',
      });
    });

    it('too many at once', async () => {
      const { here, there } = await pair((_, res) => void res.write('x'), {
        limits: { handedOnPerPeer: 1 },
      });
      const first = await here.handOn('n2', get());
      expect(await errorOf(here.handOn('n2', get()))).to.include({
        code: 'busy',
        isExecuted: 'no',
        isRetryable: true,
      });
      first.body.on('error', () => undefined).destroy();
      await until(() => there.stats().handedOn === 0);
      (await here.handOn('n2', get())).body.on('error', () => undefined).destroy();
    });

    it('where there is nobody to run them, or who runs them fails', async () => {
      const there = await server(n2);
      const here = client(n1, { candidates: () => [there.address] });
      expect((await errorOf(here.handOn('n2', get()))).code).to.equal('unknown-call');
      const { here: other } = await pair(() => {
        throw new Error('secret of the inside');
      });
      const error = await errorOf(other.handOn('n2', get()));
      expect(error).to.include({ code: 'internal', isExecuted: 'unknown' });
      expect(error.message).to.not.contain('secret');
      expect(logged.join()).to.contain('secret of the inside');
    });
  });
});
