import { expect } from 'chai';
import type { Answer, Cluster, Peer } from './cluster.ts';
import { pause, startCluster } from './cluster.ts';

/**
 * A few seconds, unless told otherwise; ten minutes, with figures:
 *
 *     REVENGE_TEST_BUSY_MS=600000 REVENGE_TEST_REPORT=1 npx mocha test/raft/processes/host.test.ts
 */
const busyMs = Number(process.env['REVENGE_TEST_BUSY_MS'] ?? 4000);
/** Node's fetch waits 300 s for an answer, whatever it is told. */
const roundMs = 120_000;

describe('the Raft engine in a process of its own', function () {
  this.timeout(90_000 + busyMs);
  let cluster: Cluster | undefined;
  const start = async () => {
    cluster = await startCluster({ size: 3 });
    return cluster;
  };
  afterEach(async function () {
    if (this.currentTest?.isFailed() && cluster) await tellRoles(cluster);
    await cluster?.stop();
    cluster = undefined;
  });
  /** Who led when and why: what one asks first when a term rose that should not have. */
  const tellRoles = async ({ peers }: Cluster) => {
    const logs = await Promise.all(peers.map((peer) => peer.log()));
    const lines = logs.join('').split('\n');
    const roles = lines.filter((line) => /"is [a-zA-Z]+"|gives leadership up|slow/.test(line));
    process.stdout.write(`${roles.map((line) => `      ${line}\n`).join('')}`);
  };
  /** Another than this one, if one is named, leads and takes a write. */
  const others = async ({ peers }: Cluster, not?: string) => {
    for (const until = Date.now() + 20_000; Date.now() < until; await pause(100)) {
      for (const peer of peers.filter(({ id }) => id !== not)) {
        const { status } = await peer.call('POST /apply', 'x', 3000).catch(() => ({ status: 0 }));
        if (status === 200) return peer;
      }
    }
    throw new Error(not === undefined ? 'nobody leads' : `nobody but ${not} leads`);
  };

  it(`keeps leading while its host is busy for ${busyMs} ms`, async () => {
    const started = await start();
    const first = await started.leader();
    const { term } = await first.state();
    for (let leftMs = busyMs; leftMs > 0; leftMs -= roundMs) {
      const ms = Math.min(leftMs, roundMs);
      const busy = first.call(`POST /busy?ms=${ms}`, undefined, ms + 20_000);
      const bench = await first.call(`POST /bench?clients=4&ms=${ms - 500}`, '', ms + 20_000);
      if (process.env['REVENGE_TEST_REPORT']) await reportBusy(first, { busy: await busy, bench });
      await busy;
      expect(bench.body['failed']).to.equal(0);
    }
    for (const peer of started.peers) {
      const metrics = (await peer.call('GET /metrics')).body;
      expect(metrics['raft_term'], peer.id).to.equal(term);
    }
    expect((await first.state()).role).to.equal('leader');
  });

  async function reportBusy(leader: Peer, { busy, bench }: Record<'busy' | 'bench', Answer>) {
    const { perSecond, p50, p99 } = bench.body;
    const { body } = await leader.call('GET /metrics');
    const late = ['p99', 'max'].map(
      (what) => `${what} ${Number(body[`raft_timer_late_${what}`]).toFixed(1)} ms`,
    );
    process.stdout.write(
      `      host busy with ${JSON.stringify(busy.body)}: heartbeats late ${late.join(', ')}; ` +
        `commits ${String(perSecond)}/s, p50 ${String(p50)} ms, p99 ${String(p99)} ms\n`,
    );
  }

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
    // Back before the others have chosen between them, it may lead again.
    await others(started);
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
