import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect } from 'chai';
import { createGossip, type GossipParts } from './gossip.ts';
import { makeGossipIdentity } from './identity.ts';
import { openLibp2p } from './libp2p.ts';
import type { OpenNetwork } from './network.ts';
import type { Gossip, GossipOptions } from './types.ts';

describe('gossip that cannot work', function () {
  const warnings: string[] = [];
  let identity: Uint8Array;

  before(async () => {
    identity = await makeGossipIdentity();
  });
  beforeEach(() => {
    warnings.length = 0;
  });

  const begin = (options: Partial<GossipOptions>, parts?: GossipParts): Promise<Gossip> =>
    createGossip(
      {
        key: new Uint8Array(32),
        identity,
        listen: { host: '127.0.0.1', port: 0 },
        members: () => [],
        self: 'a',
        log: { info: () => undefined, warn: (message) => warnings.push(message) },
        now: () => performance.now(),
        random: () => 0.5,
        ...options,
      },
      parts,
    );

  async function isReported(gossip: Gossip, reason: RegExp): Promise<void> {
    expect(gossip.stats().isUsable).to.equal(false);
    expect(gossip.stats().reason).to.match(reason);
    expect(warnings.join()).to.match(/unusable/);
    gossip.publish('invalidate', Uint8Array.of(1));
    gossip.refresh();
    expect(gossip.stats().unsent.unusable).to.equal(1);
    expect(gossip.peers()).to.deep.equal([]);
    expect(gossip.address).to.equal(undefined);
    await gossip.close();
  }

  it('is reported when packages connect and deliver nothing', async () => {
    const mute: OpenNetwork = async (options) => ({
      ...(await openLibp2p(options)),
      publish: async () => 0,
    });
    await isReported(await begin({}, { open: mute, proofMs: 300 }), /do not arrive/);
  });

  it('is reported when messages pass one way only', async () => {
    const deaf: OpenNetwork = (options) =>
      openLibp2p(options.listen ? { ...options, onMessage: () => undefined } : options);
    await isReported(await begin({}, { open: deaf, proofMs: 300 }), /do not arrive/);
  });

  it('is reported when the library does not load', async () => {
    const missing: OpenNetwork = () => Promise.reject(new Error('no such package'));
    await isReported(await begin({}, { open: missing }), /no such package/);
  });

  it('is reported when the port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const gossip = await begin({ listen: { host: '127.0.0.1', port } });
    server.close();
    await isReported(gossip, /listen|EADDRINUSE/i);
  });

  const wrong: [string, Partial<GossipOptions>, RegExp][] = [
    ['a short key', { key: new Uint8Array(16) }, /16 bytes/],
    ['no identity', { identity: new Uint8Array(4) }, /no .*key/],
    ['a name to listen on', { listen: { host: 'localhost', port: 0 } }, /no IP/],
  ];
  for (const [what, options, message] of wrong) {
    it(`refuses ${what}`, async () => {
      const outcome = await begin(options).catch((error: unknown) => error);
      expect(outcome).to.be.instanceOf(TypeError).with.property('message').that.matches(message);
    });
  }
});
