import { expect } from 'chai';
import type { Cluster } from './cluster.ts';
import { pause, startCluster } from './cluster.ts';

/** Ten minutes for the closing note; a few seconds otherwise. */
const busyMs = Number(process.env['REVENGE_TEST_BUSY_MS'] ?? 4000);

describe('the Raft engine in a process of its own', function () {
  this.timeout(90_000 + busyMs);
  let cluster: Cluster | undefined;
  const start = async () => {
    cluster = await startCluster({ size: 3 });
    return cluster;
  };
  afterEach(async () => {
    await cluster?.stop();
    cluster = undefined;
  });
  /** Another than this one leads, and takes a write. */
  const others = async ({ peers }: Cluster, not: string) => {
    for (const until = Date.now() + 20_000; Date.now() < until; await pause(100)) {
      for (const peer of peers.filter(({ id }) => id !== not)) {
        const { status } = await peer.call('POST /apply', 'x', 3000).catch(() => ({ status: 0 }));
        if (status === 200) return peer;
      }
    }
    throw new Error(`nobody but ${not} leads`);
  };

  it(`keeps leading while its host is busy for ${busyMs} ms`, async () => {
    const started = await start();
    const first = await started.leader();
    const { term } = await first.state();
    const busy = first.call(`POST /busy?ms=${busyMs}`, undefined, busyMs + 20_000);
    const bench = await first.call(`POST /bench?clients=4&ms=${busyMs - 500}`, '', busyMs + 20_000);
    await busy;
    if (process.env['REVENGE_TEST_REPORT']) {
      process.stdout.write(`      busy host: ${JSON.stringify(bench.body)}\n`);
    }
    expect(bench.body['failed']).to.equal(0);
    for (const peer of started.peers) {
      const metrics = (await peer.call('GET /metrics')).body;
      expect(metrics['raft_term'], peer.id).to.equal(term);
    }
    expect((await first.state()).role).to.equal('leader');
  });

  it('gives leadership up when its host stops, and takes part again when it goes on', async () => {
    const started = await start();
    const stopped = await started.leader();
    stopped.signalHost('SIGSTOP');
    await others(started, stopped.id);
    stopped.signalHost('SIGCONT');
    await started.agreed();
  });

  it('ends with its host, which can start again at once', async () => {
    const started = await start();
    const killed = await started.leader();
    await killed.call('POST /apply', 'before');
    killed.signalHost('SIGKILL');
    await killed.exited();
    killed.start();
    await others(started, killed.id);
    await started.agreed();
  });

  it('takes its host with it when it is killed', async () => {
    const started = await start();
    const broken = await started.leader();
    process.kill((await broken.enginePid()) ?? 0, 'SIGKILL');
    expect(await broken.exited()).to.equal(1);
    expect(await broken.log()).to.include('the Raft process ended (SIGKILL)');
    await others(started, broken.id);
  });
});
