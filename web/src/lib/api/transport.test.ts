import { expect } from 'chai';
import fc from 'fast-check';
import { ApiError } from './problem.ts';
import { createRing } from './ring.ts';
import { createTransport, type Ask } from './transport.ts';

const origins = ['http://a', 'http://b', 'http://c'] as const;
type Answer = Response | 'refused';

/** Nodes that answer what they are told to, and what they were asked. */
function house(answer: (origin: string, asked: number) => Answer) {
  const asked: { origin: string; headers: Headers; body: unknown }[] = [];
  let now = 0;
  let keys = 0;
  const ring = createRing(origins[0]);
  ring.learn(origins.slice(1));
  const heard: (string | undefined)[] = [];
  const transport = createTransport({
    ring,
    onHeard: (origin) => heard.push(origin),
    now: () => now,
    newKey: () => `key-${(keys += 1)}`,
    pause: async (ms) => void (now += ms),
    fetch: async (input, init) => {
      const { origin } = new URL(input instanceof Request ? input.url : input);
      now += 1;
      asked.push({ origin, headers: new Headers(init?.headers), body: init?.body });
      const given = answer(origin, asked.length);
      if (given === 'refused') throw new TypeError('fetch failed');
      return given;
    },
  });
  return { asked, heard, ring, transport };
}

const get: Ask = { method: 'GET', path: '/x?y=1', headers: new Headers(), body: undefined };
const post: Ask = { method: 'POST', path: '/x', headers: new Headers(), body: '{"a":1}' };
const json = (status: number, type = 'about:blank', headers = {}) =>
  new Response(JSON.stringify({ type: `/problems/${type}` }), { status, headers });

describe('the transport', () => {
  it('goes on with the next node when one refuses', async () => {
    const { asked, ring, transport } = house((origin) =>
      origin === origins[0] ? 'refused' : json(200),
    );
    expect((await transport.send(get)).status).to.equal(200);
    expect(asked.map(({ origin }) => origin)).to.deep.equal(origins.slice(0, 2));
    expect(ring.current()).to.equal(origins[1]);
  });

  it('sends a change again under the same key', async () => {
    const { asked, transport } = house((_, count) => (count < 3 ? 'refused' : json(200)));
    await transport.send(post);
    expect(asked.map(({ headers }) => headers.get('idempotency-key'))).to.deep.equal(
      Array(3).fill('key-1'),
    );
    expect(asked.map(({ body }) => body)).to.deep.equal(Array(3).fill(post.body));
  });

  it('carries the highest index it has seen', async () => {
    const indices = ['7', '5', '9'];
    const { asked, transport } = house((_, count) =>
      json(200, undefined, { 'X-Revenge-Index': indices[count - 1] }),
    );
    for (let i = 0; i < 4; i += 1) await transport.send(get);
    const sent = asked.map(({ headers }) => headers.get('x-revenge-index'));
    expect(sent).to.deep.equal([null, '7', '7', '9']);
    expect(transport.index()).to.equal(9);
  });

  it('tells what a node refused for a reason, and asks nobody else', async () => {
    for (const status of [400, 401, 403, 404, 409, 422, 429, 500]) {
      const { asked, transport } = house(() => json(status));
      expect((await transport.send(post)).status).to.equal(status);
      expect(asked).to.have.length(1);
    }
  });

  it('waits for a leader, and is patient no longer than it has to be', async () => {
    const { asked, transport } = house((_, count) =>
      count < 8 ? json(503, 'no-leader', { 'Retry-After': '1' }) : json(200),
    );
    expect((await transport.send(post)).status).to.equal(200);
    expect(asked).to.have.length(8);
    const never = house(() => json(503, 'no-leader'));
    expect((await never.transport.send(post)).status).to.equal(503);
  });

  it('says that no node answers', async () => {
    const { transport } = house(() => 'refused');
    const error = await transport.send(get).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(ApiError);
    expect((error as ApiError).code).to.equal('unreachable');
  });

  it('tells who answered, and of each round in which nobody did', async () => {
    const { heard, transport } = house((_, count) => (count < 8 ? 'refused' : json(200)));
    await transport.send(get);
    expect(heard).to.deep.equal([undefined, undefined, origins[1]]);
  });

  it('takes what a proxy says of nodes that are gone for no answer', async () => {
    for (const [type, wanted] of [
      ['text/html', [undefined]],
      ['application/problem+json', origins],
    ] as const) {
      const { heard, transport } = house(() => json(502, 'x', { 'Content-Type': type }));
      expect((await transport.send(get)).status).to.equal(502);
      expect(heard).to.deep.equal(wanted);
    }
  });

  it('takes the page of a network that wants a sign-in for no answer', async () => {
    const headers = { 'Content-Type': 'text/html; charset=utf-8', 'X-Revenge-Index': '99' };
    const portal = () => new Response('<html>Sign in</html>', { status: 200, headers });
    const { heard, transport } = house((origin, count) =>
      origin === origins[1] && count > 3 ? json(200) : portal(),
    );
    expect((await transport.send(get)).status).to.equal(200);
    expect(heard).to.deep.equal([undefined, origins[1]]);
    expect(transport.index()).to.equal(0);
    const { transport: lost } = house(portal);
    const error = await lost.send(get).then(null, (thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(ApiError);
  });

  it('does not call it silence when others are answered meanwhile', async () => {
    const held = Promise.withResolvers<void>();
    const heard: (string | undefined)[] = [];
    const transport = createTransport({
      ring: createRing(origins[0]),
      now: () => 0,
      newKey: () => 'key',
      pause: async () => {},
      onHeard: (origin) => heard.push(origin),
      fetch: async (input) => {
        const { pathname } = new URL(input instanceof Request ? input.url : input);
        if (pathname !== '/slow' || heard.length > 1) return json(200);
        await held.promise;
        throw new TypeError('too slow');
      },
    });
    const slow = transport.send({ ...get, path: '/slow' });
    await transport.send(get);
    await transport.send(get);
    held.resolve();
    await slow;
    expect(heard).to.deep.equal(Array(3).fill(origins[0]));
  });

  it('does not wait for what waiting does not help', async () => {
    const { asked, transport } = house(() => json(503, 'media-unavailable'));
    expect((await transport.send(get)).status).to.equal(503);
    expect(asked).to.have.length(3);
  });

  it('finds the one node that answers, whichever it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...origins), fc.boolean(), async (alive, isRead) => {
        const { ring, transport } = house((origin) => (origin === alive ? json(200) : 'refused'));
        expect((await transport.send(isRead ? get : post)).status).to.equal(200);
        expect(ring.current()).to.equal(alive);
      }),
    );
  });
});
