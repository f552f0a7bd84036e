import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { createGossip } from './gossip.ts';
import { gossipIdOf, makeGossipIdentity } from './identity.ts';
import { openLibp2p } from './libp2p.ts';
import { MAX_MESSAGE_BYTES, MESSAGE_BURST, MESSAGES_PER_SECOND } from './limits.ts';
import type { Network } from './network.ts';
import type { Gossip, GossipMember, GossipOptions } from './types.ts';

interface Person {
  readonly id: string;
  readonly identity: Uint8Array;
  readonly gossipId: string;
}
type Got = { readonly text: string; readonly from: string };

const key = Uint8Array.from({ length: 32 }, (_, i) => i);
const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`in vain waited until ${what}`);
    await sleep(5);
  }
}

async function person(id: string): Promise<Person> {
  const identity = await makeGossipIdentity();
  return { id, identity, gossipId: await gossipIdOf(identity) };
}

describe('gossip', function () {
  const open = new Set<{ close(): Promise<void> }>();
  const warnings: string[] = [];
  const told: string[] = [];
  let seed = 1;
  let members: GossipMember[] = [];
  let people: Person[] = [];
  const log = {
    info: (message: string, facts?: object) => {
      told.push(`${message} ${JSON.stringify(facts)}`);
    },
    warn: (message: string, facts?: object) => {
      warnings.push(`${message} ${JSON.stringify(facts)}`);
    },
  };

  before(async () => {
    people = await Promise.all(['a', 'b', 'c', 'd'].map(person));
  });
  beforeEach(() => {
    members = [];
    warnings.length = 0;
    told.length = 0;
  });
  afterEach(async () => {
    await Promise.all([...open].map((each) => each.close()));
    open.clear();
  });

  const optionsOf = ({ id, identity }: Person, mine: () => GossipMember[]): GossipOptions => ({
    key,
    identity,
    listen: { host: '127.0.0.1', port: 0 },
    members: mine,
    self: id,
    log,
    now: () => performance.now(),
    random: () => ((seed = (seed * 48_271) % 2_147_483_647) % 1000) / 1000,
  });

  async function begin(who: Person) {
    const gossip = await createGossip(optionsOf(who, () => members));
    open.add(gossip);
    const got: Got[] = [];
    gossip.subscribe('invalidate', (bytes, from) => got.push({ text: textOf(bytes), from }));
    return { ...who, gossip, got };
  }

  const memberOf = (who: Person, address: string | undefined): GossipMember => ({
    id: who.id,
    gossipId: who.gossipId,
    addresses: address === undefined ? [] : [address],
  });

  async function cluster(size = 3) {
    const nodes = await Promise.all(people.slice(0, size).map((each) => begin(each)));
    members = nodes.map((node) => memberOf(node, node.gossip.address));
    for (const { gossip } of nodes) gossip.refresh();
    await met(nodes.map(({ gossip }) => gossip));
    return nodes;
  }

  const met = (all: readonly Gossip[]) =>
    until(() => all.every((each) => each.peers().length === all.length - 1), 'all have met');

  /** A peer that keeps to no rule of ours but speaks the protocol. */
  async function rogue(who: Person, secret = key): Promise<Network> {
    const network = await openLibp2p({
      key: secret,
      identity: who.identity,
      listen: undefined,
      topics: ['invalidate'],
      mayConnect: () => true,
      onTurnedAway: () => undefined,
      judge: () => true,
      onMessage: () => undefined,
      onOpen: () => undefined,
      onClose: () => undefined,
    });
    open.add(network);
    return network;
  }

  async function call(network: Network, { gossip }: { gossip: Gossip }, ms = 5_000) {
    const port = Number(gossip.address?.split(':')[1]);
    await network.dial(gossip.gossipId, { host: '127.0.0.1', port }, AbortSignal.timeout(ms));
  }

  it('brings a hint to all others, and not back', async () => {
    const nodes = await cluster();
    const [a, b, c] = nodes;
    a!.gossip.publish('invalidate', bytesOf('one'));
    b!.gossip.publish('invalidate', bytesOf('two'));
    await until(() => nodes.reduce((sum, { got }) => sum + got.length, 0) >= 4, 'both came');
    const one = { text: 'one', from: 'a' };
    const two = { text: 'two', from: 'b' };
    expect(a!.got).to.deep.equal([two]);
    expect(b!.got).to.deep.equal([one]);
    expect(c!.got).to.have.deep.members([one, two]);
    expect(a!.gossip.peers()).to.have.members(['b', 'c']);
    const { isUsable, sent, received, refused } = a!.gossip.stats();
    expect({ isUsable, sent, received, refused }).to.deep.equal({
      isUsable: true,
      sent: 1,
      received: 1,
      refused: 0,
    });
    expect(warnings).to.deep.equal([]);
  });

  it('ends a subscription, and survives a listener that throws', async () => {
    const [a, b] = await cluster(2);
    let count = 0;
    const end = b!.gossip.subscribe('invalidate', () => {
      count += 1;
      throw new Error('no');
    });
    a!.gossip.publish('invalidate', bytesOf('1'));
    await until(() => count === 1, 'it threw');
    end();
    a!.gossip.publish('invalidate', bytesOf('2'));
    await until(() => b!.got.length === 2, 'the other listener hears both');
    expect(count).to.equal(1);
    expect(b!.gossip.stats().listenerErrors).to.equal(1);
  });

  it('lets nobody in without the network key', async () => {
    const nodes = await cluster(2);
    const stranger = await rogue(people[3]!, new Uint8Array(32));
    members.push(memberOf(people[3]!, undefined));
    nodes.forEach(({ gossip }) => gossip.refresh());
    const outcome = await call(stranger, nodes[0]!, 1_500).then(
      () => 'connected',
      () => 'refused',
    );
    expect(outcome).to.equal('refused');
    expect(stranger.links()).to.deep.equal([]);
    expect(nodes[0]!.gossip.peers()).to.deep.equal(['b']);
  });

  it('lets nobody in who has the key and is no member', async () => {
    const [a, b] = await cluster(2);
    const stranger = await rogue(people[3]!);
    await call(stranger, a!).catch(() => undefined);
    await until(() => stranger.links().length === 0, 'it is thrown out');
    expect(await stranger.publish('invalidate', bytesOf('x'))).to.equal(0);
    expect(a!.gossip.stats().refused).to.be.greaterThan(0);
    await until(() => told.some((line) => line.includes('it is no member')), 'it is told');
    a!.gossip.publish('invalidate', bytesOf('fine'));
    await until(() => b!.got.length > 0, 'members go on');
    expect([...a!.got, ...b!.got].map(({ text }) => text)).to.deep.equal(['fine']);
  });

  it('still lets members in while strangers hold sockets open', async () => {
    const a = await begin(people[0]!);
    const port = Number(a.gossip.address?.split(':')[1]);
    const sockets = Array.from({ length: 30 }, () =>
      connect(port, '127.0.0.1').on('error', () => undefined),
    );
    try {
      const b = await begin(people[1]!);
      // Only b knows where the other is.
      members = [memberOf(a, a.gossip.address), memberOf(b, undefined)];
      [a, b].forEach(({ gossip }) => gossip.refresh());
      await met([a.gossip, b.gossip]);
    } finally {
      sockets.forEach((socket) => socket.destroy());
      await until(() => told.some((line) => line.includes('too many come at once')), 'it is told');
    }
  });

  it('cuts a removed member off, and takes nothing of it from others', async () => {
    const [a, b, c] = await cluster();
    const all = members;
    members = all.filter(({ id }) => id !== 'c');
    a!.gossip.refresh(); // b does not know yet, and still passes on what c says
    await until(() => a!.gossip.peers().length === 1, 'c is cut off');
    await until(() => {
      c!.gossip.publish('invalidate', bytesOf('late'));
      return a!.gossip.stats().dropped.stranger > 0;
    }, 'b passes on what c says');
    expect(a!.got).to.deep.equal([]);
    members = all;
    a!.gossip.refresh();
    await met([a!, b!, c!].map(({ gossip }) => gossip));
  });

  it('finds a node again that came back at another port', async () => {
    const [a, b, c] = await cluster();
    open.delete(c!.gossip);
    await c!.gossip.close();
    await until(() => !a!.gossip.peers().includes('c'), 'it is missed');
    const back = await begin(people[2]!);
    expect(back.gossip.address).to.not.equal(c!.gossip.address);
    members = members.map((member) =>
      member.id === 'c' ? memberOf(back, back.gossip.address) : member,
    );
    const three = [a!, b!, back];
    three.forEach(({ gossip }) => gossip.refresh());
    await met(three.map(({ gossip }) => gossip));
    a!.gossip.publish('invalidate', bytesOf('hello again'));
    await until(() => back.got.length === 1, 'it hears');
  });

  it('finds a node again that came back at the same port, unasked', async () => {
    const [a, b] = await cluster(2);
    const listen = { host: '127.0.0.1', port: Number(b!.gossip.address?.split(':')[1]) };
    open.delete(b!.gossip);
    await b!.gossip.close();
    await until(() => a!.gossip.peers().length === 0, 'it is missed');
    // It does not know where a is: a must dial.
    const onlyA = [memberOf(a!, undefined)];
    const back = await createGossip({ ...optionsOf(people[1]!, () => onlyA), listen });
    open.add(back);
    await met([a!.gossip, back]);
  });

  it('drops what is too large, and mends what a huge frame broke', async () => {
    const [a, b] = await cluster(2);
    const bad = people[3]!;
    members.push(memberOf(bad, undefined));
    [a!, b!].forEach(({ gossip }) => gossip.refresh());
    const network = await rogue(bad);
    await call(network, a!);
    await until(() => network.links().some(({ isHeard }) => isHeard), 'it is in');
    await until(() => a!.gossip.peers().includes('d'), 'it is heard');
    await network.publish('invalidate', new Uint8Array(MAX_MESSAGE_BYTES + 1));
    await until(() => a!.gossip.stats().dropped.tooLarge === 1, 'it is dropped');
    await network.publish('invalidate', new Uint8Array(MAX_MESSAGE_BYTES));
    await until(() => a!.got.length === 1, 'the largest allowed arrives');
    await network.publish('invalidate', new Uint8Array(256 * 1024));
    await until(() => a!.gossip.stats().mended === 1, 'the connection is made anew');
    a!.gossip.publish('invalidate', new Uint8Array(MAX_MESSAGE_BYTES + 1));
    expect(a!.gossip.stats().unsent.tooLarge).to.equal(1);
    expect(a!.got).to.have.length(1);
  });

  it('bounds a flood, shuts its maker out, and hears the others', async () => {
    const [a, b] = await cluster(2);
    const bad = people[3]!;
    members.push(memberOf(bad, undefined));
    [a!, b!].forEach(({ gossip }) => gossip.refresh());
    const network = await rogue(bad);
    await call(network, a!);
    await until(() => network.links().some(({ isHeard }) => isHeard), 'it is in');
    const begun = performance.now();
    for (let i = 0; i < 20_000 && a!.gossip.stats().barred === 0; i++) {
      await network.publish('invalidate', bytesOf(`${i}`)).catch(() => 0);
      if (i % 50 === 0) await sleep(0);
    }
    const seconds = (performance.now() - begun) / 1000;
    await until(() => a!.gossip.stats().barred === 1, 'it is shut out');
    await until(() => !a!.gossip.peers().includes('d'), 'it is cut off');
    const { dropped } = a!.gossip.stats();
    expect(dropped.tooMany).to.be.greaterThan(0);
    expect(a!.got.length).to.be.at.most(MESSAGE_BURST + MESSAGES_PER_SECOND * (seconds + 1));
    await call(network, a!).catch(() => undefined);
    await until(() => network.links().length === 0, 'it does not come in again');
    a!.got.length = 0;
    b!.gossip.publish('invalidate', bytesOf('I am here'));
    await until(() => a!.got.some(({ from }) => from === 'b'), 'b is heard');
    expect(warnings.some((line) => line.includes('floods'))).to.equal(true);
  });

  it('sends no faster than others take, and counts what it drops', async () => {
    const [a, b] = await cluster(2);
    const many = 3 * MESSAGE_BURST;
    for (let i = 0; i < many; i++) a!.gossip.publish('invalidate', bytesOf(`${i}`));
    await until(() => a!.gossip.stats().queued === 0, 'the queue is empty');
    const { sent, unsent } = a!.gossip.stats();
    expect(sent + unsent.tooMany).to.equal(many);
    await until(() => b!.got.length === sent, 'all that was sent came');
    expect(b!.gossip.stats().barred).to.equal(0);
  });

  it('goes by names, and past an address where somebody else lives now', async () => {
    const [a, b, c] = await Promise.all(people.slice(0, 3).map(begin));
    const port = b!.gossip.address?.split(':')[1];
    members = [
      memberOf(a!, undefined),
      { ...memberOf(b!, undefined), addresses: [c!.gossip.address!, `localhost:${port}`] },
      memberOf(c!, c!.gossip.address),
    ];
    [a!, b!, c!].forEach(({ gossip }) => gossip.refresh());
    await until(() => a!.gossip.peers().includes('b'), 'a has found b');
    expect(a!.gossip.stats().failedDials + c!.gossip.stats().failedDials).to.be.greaterThan(0);
  });

  it('outlives connections that break, bytes that rot, and strangers that babble', async () => {
    const [a, b] = await Promise.all(people.slice(0, 2).map(begin));
    const port = Number(b!.gossip.address?.split(':')[1]);
    const way = await crooked(port);
    open.add(way);
    members = [memberOf(a!, undefined), memberOf(b!, `127.0.0.1:${way.port}`)];
    [a!, b!].forEach(({ gossip }) => gossip.refresh());
    const both = [a!.gossip, b!.gossip];
    await met(both);
    const harms = [way.cut, way.rot, () => connect(port, '127.0.0.1').end(new Uint8Array(500))];
    for (const harm of harms) {
      const calls = way.calls();
      harm();
      // What is broken by rot is noticed by the next bytes.
      await until(() => {
        both.forEach((each) => each.publish('invalidate', bytesOf('?')));
        return harm === harms[2] || way.calls() > calls;
      }, 'it is dialled anew');
      await met(both);
      [a!, b!].forEach(({ got }) => (got.length = 0));
      await until(() => {
        both.forEach((each) => each.publish('invalidate', bytesOf('again')));
        return a!.got.length > 0 && b!.got.length > 0;
      }, 'both hear again');
    }
  });
});

/** A way to a port that can be cut, and that can turn a bit of all that passes. */
async function crooked(port: number) {
  const sockets = new Set<Socket>();
  let isRotten = false;
  let calls = 0;
  const server = createServer((near) => {
    calls += 1;
    isRotten = false;
    const far = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk: Buffer) => {
        if (isRotten) chunk[0]! ^= 1;
        to.write(chunk);
      });
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => sockets.forEach((socket) => socket.destroy());
  return {
    port: (server.address() as AddressInfo).port,
    calls: () => calls,
    cut,
    rot: () => void (isRotten = true),
    async close() {
      cut();
      await new Promise((done) => server.close(done));
    },
  };
}
