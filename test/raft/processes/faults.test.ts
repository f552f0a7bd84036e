import { expect } from 'chai';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { needs } from '#test/needs.ts';
import type { Operation } from './clients.ts';
import { judge, startClients } from './clients.ts';
import type { Cluster, Peer } from './cluster.ts';
import { pause, startCluster } from './cluster.ts';

/** Few by default; the figures in the closing note are of 200. */
const rounds = Number(process.env['REVENGE_TEST_ROUNDS'] ?? 3);
const args = ['--timeout', '300', '--trailing', '200', '--snapshot-threshold', '500'].concat([
  '--snapshot-interval',
  '1000',
]);

interface Fault {
  readonly name: string;
  readonly isWired?: boolean;
  readonly diskMegabytes?: number;
  /** Breaks something and mends it again. */
  round(cluster: Cluster, victim: Peer): Promise<void>;
}

const faults: Fault[] = [
  {
    name: 'kill -9',
    async round(_, victim) {
      await victim.kill();
      await pause(300);
      victim.start();
    },
  },
  {
    name: 'SIGSTOP',
    async round(_, victim) {
      victim.signal('SIGSTOP');
      await pause(1200);
      victim.signal('SIGCONT');
    },
  },
  {
    name: 'cut links',
    isWired: true,
    async round({ wires }, victim) {
      wires?.isolate(victim.id);
      await pause(1200);
      wires?.heal();
    },
  },
  {
    name: 'a full disk',
    diskMegabytes: 128,
    async round(_, victim) {
      const filler = await open(join(victim.dir, 'filler'), 'w');
      const block = Buffer.alloc(2 ** 20);
      const isRoom = () =>
        filler.write(block).then(({ bytesWritten }) => bytesWritten === block.length);
      while (await isRoom().catch(() => false));
      await filler.close();
      // It writes until nothing goes any more, and then it must end rather than go on.
      for (let waited = 0; victim.isRunning() && waited < 100; waited += 1) await pause(100);
      await rm(join(victim.dir, 'filler'));
      if (!victim.isRunning()) victim.start();
    },
  },
];

describe('Raft in real processes', function () {
  this.timeout(60_000 + rounds * 20_000);

  for (const fault of faults) {
    describe(`through ${rounds} rounds of ${fault.name}`, () => {
      if (fault.diskMegabytes) needs('root');
      it('keeps every acknowledged write', async () => {
        const { isWired = false, diskMegabytes = 0 } = fault;
        const cluster = await startCluster({ size: 3, args, isWired, diskMegabytes });
        try {
          await cluster.leader();
          const clients = startClients(cluster.peers, 4);
          for (let round = 0; round < rounds; round += 1) {
            const leader = await cluster.leader();
            // Mostly the leader: that is where it hurts.
            const victim = round % 3 === 2 ? (cluster.peers[round % 3] ?? leader) : leader;
            await fault.round(cluster, victim);
            await cluster.leader();
            await pause(300);
          }
          await clients.stop();
          await check(cluster, clients.history);
        } catch (error) {
          for (const peer of cluster.peers) {
            const lines = (await peer.log()).split('\n').slice(-15).join('\n');
            process.stderr.write(`${peer.id}:\n${lines}\n`);
          }
          throw error;
        } finally {
          await cluster.stop();
        }
      });
    });
  }
});

async function check(cluster: Cluster, history: readonly Operation[]): Promise<void> {
  const leader = await cluster.leader();
  // Whatever was left open is settled by an entry behind it.
  await leader.call('POST /apply', 'the end');
  const { count } = await cluster.agreed();
  const done = history.filter(({ kind, outcome }) => kind === 'append' && outcome === 'done');
  expect(done.length, 'acknowledged appends').to.be.greaterThan(rounds * 5);
  for (const peer of cluster.peers) {
    const { body } = await peer.call('GET /list');
    const list = body as unknown as string[];
    const items = new Set(list);
    expect(items.size, `${peer.id} has an append twice`).to.equal(list.length);
    const lost = done.filter(({ value }) => !items.has(`item ${value}`));
    expect(lost, `${peer.id} lost what was acknowledged`).to.deep.equal([]);
  }
  const isLinearizable = { a: 'linearizable', b: 'linearizable', c: 'linearizable' };
  expect(judge(history)).to.deep.equal(isLinearizable);
  expect(count).to.be.at.least(done.length);
}
