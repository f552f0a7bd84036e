import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { checkUrl, isPublic, publicLookup } from './guard.ts';
import { createOutbound, OutboundError, type Outbound } from './index.ts';

const fail = (promise: Promise<unknown>): Promise<OutboundError> =>
  promise.then(
    () => expect.fail('it answered'),
    (error: unknown) => error as OutboundError,
  );

describe('outbound', () => {
  let answer: RequestListener;
  let server: Server;
  let home: string;
  let outbound: Outbound;
  const request = { timeoutMs: 5_000, maxBytes: 1_000 };

  before(async () => {
    server = createServer((asked, reply) => answer(asked, reply));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    home = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    outbound = createOutbound({ trusted: [home], userAgent: 'Revenge/test' });
  });
  after(async () => {
    await outbound[Symbol.asyncDispose]();
    server.close();
    server.closeAllConnections();
  });

  it('asks a server that was named, and unpacks what it says', async () => {
    answer = (asked, reply) => {
      reply.setHeader('content-encoding', 'gzip');
      reply.end(gzipSync(JSON.stringify({ agent: asked.headers['user-agent'], url: asked.url })));
    };
    const { status, bytes } = await outbound.fetch(`${home}/a?b=c`, request);
    expect(status).to.equal(200);
    expect(JSON.parse(Buffer.from(bytes).toString())).to.deep.equal({
      agent: 'Revenge/test',
      url: '/a?b=c',
    });
  });

  it('says of any status that it came', async () => {
    answer = (_asked, reply) => reply.writeHead(503, { 'retry-after': '7' }).end('no');
    const { status, headers } = await outbound.fetch(home, request);
    expect([status, headers['retry-after']]).to.deep.equal([503, '7']);
  });

  const inside = [
    'http://127.0.0.1/',
    'http://localhost/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://[fd00::1]/',
    'http://169.254.169.254/latest/meta-data/',
    'http://0.0.0.0/',
    'http://10.0.0.1/',
    'http://100.64.0.1/',
    'file:///etc/passwd',
    'gopher://127.0.0.1/',
    'nonsense',
  ];
  for (const url of inside) {
    it(`refuses ${url}`, async () => {
      const stranger = createOutbound({ userAgent: 'x' });
      const { code } = await fail(stranger.fetch(url, request));
      await stranger[Symbol.asyncDispose]();
      expect(code).to.equal('refused');
    });
  }

  it('refuses the home behind a redirect, too', async () => {
    answer = (_asked, reply) =>
      reply.writeHead(302, { location: 'http://169.254.169.254/latest' }).end();
    expect((await fail(outbound.fetch(home, request))).code).to.equal('refused');
  });

  it('follows a redirect of the same server, and ends where they go in circles', async () => {
    answer = (asked, reply) =>
      asked.url === '/a'
        ? reply.writeHead(301, { location: '/b' }).end()
        : reply.end(asked.headers['authorization']);
    const headers = { authorization: 'Bearer secret' };
    const { bytes } = await outbound.fetch(`${home}/a`, { ...request, headers });
    expect(Buffer.from(bytes).toString()).to.equal('Bearer secret');
    answer = (_asked, reply) => reply.writeHead(302, { location: '/a' }).end();
    expect((await fail(outbound.fetch(home, request))).code).to.equal('broken');
  });

  it('tells no other server what it was told to tell this one', async () => {
    answer = (_asked, reply) => reply.writeHead(307, { location: 'https://example.org/' }).end();
    const told = { ...request, method: 'POST' as const, body: '{"apikey":"secret"}' };
    expect((await fail(outbound.fetch(home, told))).code).to.equal('refused');
  });

  it('keeps what proves who asks from the next server', async () => {
    const seen: (string | undefined)[] = [];
    const other = createServer((asked, reply) => {
      seen.push(asked.headers['authorization']);
      reply.end();
    }).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const there = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    const both = createOutbound({ trusted: [home, there], userAgent: 'x' });
    answer = (_asked, reply) => reply.writeHead(302, { location: there }).end();
    await both.fetch(home, { ...request, headers: { authorization: 'Bearer secret' } });
    await both[Symbol.asyncDispose]();
    other.close();
    expect(seen).to.deep.equal([undefined]);
  });

  it('takes no more than it asked for, packed or not', async () => {
    answer = (_asked, reply) => reply.end('x'.repeat(1_001));
    expect((await fail(outbound.fetch(home, request))).code).to.equal('too-large');
    answer = (_asked, reply) => {
      reply.setHeader('content-encoding', 'gzip');
      reply.end(gzipSync('x'.repeat(1_000_000)));
    };
    expect((await fail(outbound.fetch(home, request))).code).to.equal('too-large');
  });

  it('waits no longer than it was told, and stops when it is told', async () => {
    answer = (_asked, reply) => void reply.write('{');
    expect((await fail(outbound.fetch(home, { ...request, timeoutMs: 30 }))).code).to.equal(
      'timeout',
    );
    const stop = new AbortController();
    answer = () => stop.abort();
    const { code } = await fail(outbound.fetch(home, { ...request, signal: stop.signal }));
    expect(code).to.equal('cancelled');
  });

  it('tells an answer that stops in the middle from a server that is not there', async () => {
    answer = (_asked, reply) => {
      reply.writeHead(200, { 'content-length': '100' });
      reply.write('{"a":', () => reply.destroy());
    };
    expect((await fail(outbound.fetch(home, request))).code).to.equal('broken');
    answer = (_asked, reply) => {
      reply.setHeader('content-encoding', 'gzip');
      reply.end('this is not packed');
    };
    expect((await fail(outbound.fetch(home, request))).code).to.equal('broken');
    const gone = createServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const there = `http://127.0.0.1:${(gone.address() as AddressInfo).port}`;
    gone.close();
    await once(gone, 'close');
    const client = createOutbound({ trusted: [there], userAgent: 'x' });
    const error = await fail(client.fetch(`${there}/?api_key=secret`, request));
    await client[Symbol.asyncDispose]();
    expect(error.code).to.equal('unreachable');
    expect(error.message).to.not.contain('secret');
  });

  it('connects to the addresses it looked at, all of them public', () => {
    const resolve = (host: string) =>
      publicLookup((_host, _options, done) =>
        done(
          null,
          host.split(',').map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
        ),
      );
    const look = (host: string, all: boolean) => {
      let heard: unknown[] = [];
      resolve(host)(host, { all }, (...told: unknown[]) => (heard = told));
      return heard;
    };
    expect(look('93.184.215.14', false)).to.deep.equal([null, '93.184.215.14', 4]);
    expect(look('93.184.215.14', true)).to.deep.equal([
      null,
      [{ address: '93.184.215.14', family: 4 }],
    ]);
    expect(look('93.184.215.14,10.0.0.1', true)[0]).to.be.instanceOf(OutboundError);
  });

  it('takes no private address for a public one, however it is written', () => {
    const octet = fc.integer({ min: 0, max: 255 });
    const home4 = fc.oneof(
      fc.tuple(fc.constant(10), octet, octet, octet),
      fc.tuple(fc.constant(127), octet, octet, octet),
      fc.tuple(fc.constant(192), fc.constant(168), octet, octet),
      fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), octet, octet),
    );
    fc.assert(
      fc.property(home4, (parts) => {
        const dotted = parts.join('.');
        const number = parts.reduce((sum, part) => sum * 256 + part, 0);
        const forms = [dotted, String(number), `0x${number.toString(16)}`, `[::ffff:${dotted}]`];
        for (const form of forms) {
          expect(() => checkUrl(new URL(`http://${form}/`), false), form).to.throw(OutboundError);
        }
        expect(isPublic(dotted)).to.equal(false);
      }),
    );
  });
});
