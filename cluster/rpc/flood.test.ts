import { expect } from 'chai';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createDoorkeeper } from '../doors/doorkeeper.ts';
import { createIssuer, until, useRpc, type Issuer } from './harness.ts';
import { createReplayGuard } from './replay.ts';
import { createSeldom } from '#storage/seldom.ts';
import type { TlsMaterial } from './types.ts';

const connections = Number(process.env['REVENGE_TEST_CONNECTIONS'] ?? 2_000);

describe('a node that is flooded', () => {
  const { server, client, tcp, tls } = useRpc();
  let ours: Issuer;
  let n1: TlsMaterial;
  let n2: TlsMaterial;

  before(async () => {
    ours = await createIssuer();
    [n1, n2] = [await ours.issue('n1'), await ours.issue('n2')];
  });

  it(`answers members old and new, beside ${connections} half-open connections`, async function () {
    const limits = { strangers: 64, greetingMs: 60_000 };
    const there = await server(n2, { limits });
    const candidates = () => [there.address];
    const here = client(n1, { candidates });
    expect(await here.call('n2', 'echo', 'before')).to.equal('before');
    const sockets: Socket[] = [];
    for (let i = 0; i < connections; i += 1) {
      const socket = tcp(there.port);
      sockets.push(socket);
      if (i % 100 === 0) await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
    }
    await until(() => there.stats().dropped >= connections - limits.strangers);
    expect(there.stats()).to.include({ strangers: limits.strangers, members: 1 });
    expect(await here.call('n2', 'echo', 'beside')).to.equal('beside');
    const newcomer = client(await ours.issue('n3'), { candidates });
    expect(await newcomer.call('n2', 'echo', 'new')).to.equal('new');
    await until(() => sockets.filter(({ closed }) => !closed).length <= limits.strangers);
  });

  it('does not wait for a handshake, nor for a first request', async () => {
    const there = await server(n2, { limits: { greetingMs: 400 } });
    const silent = tcp(there.port);
    const halfway = tcp(there.port);
    halfway.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]));
    const stranger = await tls(there.port, {});
    const slow = await tls(there.port, {});
    slow.write('POST /rpc/e');
    const outsider = await tls(there.port, await (await createIssuer()).issue('n1'));
    await until(() => [silent, halfway, stranger, slow, outsider].every(({ closed }) => closed));
    expect(there.stats()).to.include({ strangers: 0, members: 0 });
  });

  it('keeps members waiting neither, who only connect', async () => {
    const there = await server(n2, { limits: { greetingMs: 400 } });
    const silent = await tls(there.port, n1);
    await until(() => there.stats().members === 1);
    await until(() => silent.closed);
    expect(there.stats()).to.include({ members: 0, dropped: 0 });
  });
});

describe('the doorkeeper', () => {
  it('drops the oldest of the address that has most', () => {
    const dropped: string[] = [];
    const keeper = createDoorkeeper(4);
    let port = 0;
    const come = (remoteAddress: string) => {
      const remotePort = (port += 1);
      const name = `${remoteAddress}:${remotePort}`;
      const socket = { remoteAddress, remotePort, once() {}, destroy: () => dropped.push(name) };
      keeper.enter(socket as unknown as Socket, 60_000);
      return socket as unknown as Socket;
    };
    const first = come('a');
    for (const address of ['b', 'b', 'b', 'b', 'c', 'b']) come(address);
    expect(dropped).to.deep.equal(['b:2', 'b:3', 'b:4']);
    expect(keeper.size).to.equal(4);
    keeper.admit(first);
    expect(keeper.size).to.equal(3);
    keeper.closeAll();
    expect(dropped).to.have.members(['b:2', 'b:3', 'b:4', 'b:5', 'c:6', 'b:7']);
    expect([keeper.size, keeper.dropped]).to.deep.equal([0, 3]);
  });
});

describe('the memory of requests', () => {
  it('knows the latest of each peer', () => {
    const guard = createReplayGuard(2);
    const admit = (from: string, ...ids: string[]) => ids.map((id) => guard.admit(from, id));
    expect(admit('n1', 'a', 'b', 'a', 'b')).to.deep.equal([true, true, false, false]);
    expect(admit('n2', 'a', 'a')).to.deep.equal([true, false]);
    expect(admit('n1', 'c', 'b', 'a')).to.deep.equal([true, false, true]);
  });
});

describe('what is said seldom', () => {
  it('is said at once, and then with what was left out', () => {
    let time = 0;
    const said: [number, number][] = [];
    const seldom = createSeldom(10, () => time);
    for (; time < 35; time += 3) seldom((omitted) => said.push([time, omitted]));
    expect(said).to.deep.equal([
      [0, 0],
      [12, 3],
      [24, 3],
    ]);
  });
});
