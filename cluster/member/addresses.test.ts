import { expect } from 'chai';
import type { NetworkInterfaceInfo } from 'node:os';
import { addressesOf } from './addresses.ts';

const card = (address: string, internal = false) =>
  ({ address, internal, family: address.includes(':') ? 'IPv6' : 'IPv4' }) as NetworkInterfaceInfo;

const interfaces = {
  lo: [card('127.0.0.1', true), card('::1', true)],
  eth0: [card('fe80::1'), card('2001:db8::5'), card('192.0.2.7')],
  eth1: [card('198.51.100.4'), card('169.254.3.4')],
};

describe('the addresses of a member', () => {
  const on = (host: string) => ({
    raft: { host, port: 7000 },
    rpc: { host, port: 7001 },
    gossip: { host, port: 7002 },
    api: { host, port: 8080 },
  });

  it('are all it has when it listens everywhere, IPv4 first', () => {
    expect(addressesOf(on('0.0.0.0'), interfaces).raft).to.deep.equal([
      '192.0.2.7:7000',
      '198.51.100.4:7000',
      '[2001:db8::5]:7000',
    ]);
  });

  it('are the one it listens on, loopback included', () => {
    expect(addressesOf(on('127.0.0.1'), interfaces)).to.deep.equal({
      raft: ['127.0.0.1:7000'],
      rpc: ['127.0.0.1:7001'],
      gossip: ['127.0.0.1:7002'],
      api: ['127.0.0.1:8080'],
    });
  });

  it('are no more than a member may have', () => {
    const many = Array.from({ length: 40 }, (_, nth) => card(`198.51.100.${nth + 1}`));
    expect(addressesOf(on('0.0.0.0'), { eth0: many }).raft).to.have.length(16);
  });

  it('are what it was told to say, before all', () => {
    const told = { ...on('0.0.0.0'), advertise: 'nas.home' };
    expect(addressesOf(told, interfaces).rpc).to.deep.equal(['nas.home:7001']);
  });
});
