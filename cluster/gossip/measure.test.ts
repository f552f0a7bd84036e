import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { gossipIdOf, makeGossipIdentity } from './identity.ts';
import { openLibp2p } from './libp2p.ts';
import type { Network } from './network.ts';

const isReport = process.env['REVENGE_TEST_REPORT'] === '1';
const say = (line: string) => void (isReport && process.stdout.write(`      ${line}\n`));

/** Three nodes in one process, so one core does the work of three; no limits of ours. */
describe('three gossip nodes', function () {
  let networks: Network[] = [];
  let heard: (bytes: Uint8Array) => void = () => undefined;

  before(async () => {
    const key = new Uint8Array(32);
    const open = async () => {
      const identity = await makeGossipIdentity();
      const network = await openLibp2p({
        key,
        identity,
        listen: { host: '127.0.0.1', port: 0 },
        topics: ['invalidate'],
        mayConnect: () => true,
        onTurnedAway: () => undefined,
        judge: () => true,
        onMessage: ({ bytes }) => heard(bytes),
        onOpen: () => undefined,
        onClose: () => undefined,
      });
      expect(network.id).to.equal(await gossipIdOf(identity));
      return network;
    };
    networks = [await open(), await open(), await open()];
    const reach = (from: number, to: number) => {
      const { id, port = 0 } = networks[to]!;
      return networks[from]!.dial(id, { host: '127.0.0.1', port }, AbortSignal.timeout(10_000));
    };
    await Promise.all([reach(0, 1), reach(0, 2), reach(1, 2)]);
    const isMet = (network: Network) =>
      network.links().filter(({ isHeard }) => isHeard).length === 2;
    while (!networks.every(isMet)) await sleep(5);
  });

  after(() => Promise.all(networks.map((network) => network.close())));

  /** Resolves to how long each of the deliveries took, in milliseconds. */
  async function send(count: number, pauseMs: number): Promise<number[]> {
    const times: number[] = [];
    heard = (bytes) =>
      times.push(
        performance.now() - new DataView(bytes.buffer.slice(bytes.byteOffset)).getFloat64(0),
      );
    for (let i = 0; i < count; i++) {
      const bytes = new Uint8Array(250);
      new DataView(bytes.buffer).setFloat64(0, performance.now());
      await networks[i % 3]!.publish('invalidate', bytes);
      if (pauseMs > 0) await sleep(pauseMs);
    }
    const deadline = performance.now() + 20_000;
    while (times.length < 2 * count && performance.now() < deadline) await sleep(5);
    return times.sort((x, y) => x - y);
  }

  it('deliver a message to both others', async () => {
    const times = await send(isReport ? 1_000 : 50, isReport ? 5 : 0);
    expect(times).to.have.length(isReport ? 2_000 : 100);
    const at = (share: number) => times[Math.floor(share * (times.length - 1))]?.toFixed(2);
    say(`250 bytes, one every 5 ms: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`);
  });

  it('deliver many', async () => {
    const count = isReport ? 10_000 : 500;
    const begun = performance.now();
    const times = await send(count, 0);
    const rate = Math.round(count / ((performance.now() - begun) / 1000));
    expect(times.length).to.be.greaterThan(count);
    say(`unpaced: ${rate} messages/s, ${times.length} of ${2 * count} deliveries`);
  });
});
