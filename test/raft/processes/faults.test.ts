import { expect } from 'chai';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { needs } from '#test/needs.ts';
import type { Operation } from './clients.ts';
import { judge, startClients } from './clients.ts';
import type { Cluster, Peer } from './cluster.ts';
import { pause, startCluster } from './cluster.ts';

/**
 * Few by default. 200 rounds of each, with three peers and with five:
 *
 *     REVENGE_TEST_ROUNDS=200 REVENGE_TEST_PEERS=5 REVENGE_TEST_REPORT=1 \
 *       npx mocha test/raft/processes/faults.test.ts
 */
const rounds = Number(process.env['REVENGE_TEST_ROUNDS'] ?? 3);
const size = Number(process.env['REVENGE_TEST_PEERS'] ?? 3);
const args = ['--timeout', '200', '--trailing', '200', '--snapshot-threshold', '1000'].concat([
  '--snapshot-interval',
  '1000',
]);
const outageMs = 600;

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
      await pause(200);
      victim.start();
    },
  },
  {
    name: 'SIGSTOP',
    async round(_, victim) {
      victim.signal('SIGSTOP');
      await pause(outageMs);
      victim.signal('SIGCONT');
    },
  },
  {
    name: 'cut links',
    isWired: true,
    async round({ wires }, victim) {
      wires?.isolate(victim.id);
      await pause(outageMs);
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
    describe(`through ${rounds} rounds of ${fault.name} with ${size} peers`, () => {
      if (fault.diskMegabytes) needs('root');
      it('keeps every acknowledged write', async () => {
        const { isWired = false, diskMegabytes = 0 } = fault;
        const cluster = await startCluster({ size, args, isWired, diskMegabytes });
        try {
          await cluster.leader();
          const clients = startClients(cluster.peers, 5);
          for (let round = 0; round < rounds; round += 1) await suffer(cluster, fault, round);
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

/** Mostly the leader: that is where it hurts. All answer again before the next round. */
async function suffer(cluster: Cluster, fault: Fault, round: number): Promise<void> {
  const leader = await cluster.leader();
  const victim = round % 3 === 2 ? (cluster.peers[round % size] ?? leader) : leader;
  await fault.round(cluster, victim);
  for (const until = Date.now() + 20_000; Date.now() < until; await pause(20)) {
    const states = cluster.peers.map((peer) => peer.state().then(() => true));
    if ((await Promise.allSettled(states)).every(({ status }) => status === 'fulfilled')) break;
  }
  await cluster.leader();
  await pause(100);
}

async function check(cluster: Cluster, history: readonly Operation[]): Promise<void> {
  // Whatever was left open is settled by an entry behind it.
  await settle(cluster);
  const { count } = await cluster.agreed();
  const done = history.filter(({ kind, outcome }) => kind === 'append' && outcome === 'done');
  expect(done.length, 'acknowledged appends').to.be.greaterThan(rounds * 2);
  for (const peer of cluster.peers) {
    const { body } = await peer.call('GET /list');
    const list = body as unknown as string[];
    const items = new Set(list.filter((item) => item !== end));
    const lost = done.filter(({ value }) => !items.has(`item ${value}`));
    expect(lost, `${peer.id} lost what was acknowledged`).to.deep.equal([]);
    const twice = list.filter((item) => item !== end).length - items.size;
    expect(twice, `${peer.id} has an append twice`).to.equal(0);
  }
  const verdicts = judge(history);
  if (process.env['REVENGE_TEST_REPORT']) {
    const count = (kind: string, outcome = 'done') =>
      history.filter((each) => each.kind === kind && each.outcome === outcome).length;
    process.stdout.write(
      `      ${history.length} operations; done: ${count('append')} appends, ${count('set')} sets, ` +
        `${count('get')} gets, ${count('cas')} swaps; unknown: ${count('append', 'unknown')} ` +
        `appends; ${verdicts.linearizable?.length ?? 0} registers linearizable\n`,
    );
  }
  expect(Object.keys(verdicts), JSON.stringify(verdicts)).to.deep.equal(['linearizable']);
  expect(count).to.be.at.least(done.length);
}

const end = 'the end';

async function settle(cluster: Cluster): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const leader = await cluster.leader();
    const answer = await leader.call('POST /apply', end, 5000).catch(() => undefined);
    if (answer?.status === 200) return;
    await pause(100);
  }
  throw new Error('no write is taken any more');
}
