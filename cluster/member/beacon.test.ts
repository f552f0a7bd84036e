import { createSocket } from 'node:dgram';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { quiet } from '#test/log.ts';
import { beaconPlace, createBeacon, type Beacon } from './beacon.ts';

describe('the beacon', () => {
  const beacons: Beacon[] = [];
  afterEach(() => Promise.all(beacons.splice(0).map((beacon) => beacon.close())));

  const beacon = (clusterId: string, ...rpc: string[]): Beacon => {
    const made = createBeacon({
      ...{ clusterId, session: randomUUID(), self: () => rpc, log: quiet },
      networks: () => ['127.0.0.1'],
      elapsed: () => performance.now(),
    });
    beacons.push(made);
    return made;
  };
  const until = async (holds: () => Promise<boolean>) => {
    while (!(await holds())) await pause(20);
  };

  it('tells members of one cluster where the others are, and nobody else', async () => {
    const home = randomUUID();
    const one = beacon(home, '10.0.0.1:7001', '[fe80::1]:7001');
    const two = beacon(home, '10.0.0.2:7001');
    const stranger = beacon(randomUUID(), '10.0.0.3:7001');
    await Promise.all([one.call(), stranger.call()]);
    await until(async () => (await two.call()).length === 2);
    expect(await two.call()).to.deep.equal(['10.0.0.1:7001', '[fe80::1]:7001']);
    await until(async () => (await one.call()).length === 1);
    expect(await one.call()).to.deep.equal(['10.0.0.2:7001']);
    expect(await stranger.call()).to.deep.equal([]);
  });

  it('is not troubled by what others send to its port', async () => {
    const home = randomUUID();
    const one = beacon(home, '10.0.0.1:7001');
    await one.call();
    const socket = createSocket('udp4');
    const said = { revenge: 1, cluster: 'x', session: 's', rpc: ['no address'] };
    const { group, port } = beaconPlace;
    socket.bind({ address: '127.0.0.1' });
    await once(socket, 'listening');
    socket.setMulticastInterface('127.0.0.1');
    for (const text of ['', '{', '[]', JSON.stringify(said), 'x'.repeat(5000)]) {
      await new Promise((resolve) => socket.send(text, port, group, resolve));
    }
    socket.close();
    const two = beacon(home, '10.0.0.2:7001');
    await until(async () => (await two.call(), (await one.call()).length === 1));
  });
});
