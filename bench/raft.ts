import { buildGoPeer, missingForGo } from '#test/interop/gopeer.ts';
import type { Cluster, ClusterOptions } from '#test/raft/processes/cluster.ts';
import { pause, startCluster } from '#test/raft/processes/cluster.ts';
import { median, report, type Row } from './report.ts';

const clientCounts = [1, 16, 64, 256];
const rounds = 3;

interface Measured {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

const bench = async (cluster: Cluster, query: string): Promise<Measured> => {
  const { body } = await (await cluster.leader()).call(`POST /bench?size=128&${query}`, '', 60_000);
  return body as unknown as Measured;
};

/**
 * Three durable peers, callers inside the leader: ours with the engine in its process, ours with it
 * in one of its own, and hashicorp/raft (where there is Go), in turn in the same run.
 */
async function benchCommits(ms: number, go: string | undefined): Promise<Row[]> {
  const kinds: Record<string, ClusterOptions> = {
    ours: { size: 3 },
    inline: { size: 3, args: ['--inline'] },
    ...(go ? { hashicorp: { size: 3, program: () => ({ command: go, args: [] }) } } : {}),
  };
  const rows: Row[] = [];
  const found = new Map<string, Measured[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, options] of Object.entries(kinds)) {
      const cluster = await startCluster(options);
      try {
        // A server that runs for months is measured warm, whatever its language.
        await bench(cluster, `clients=64&ms=${ms}`);
        for (const clients of clientCounts) {
          const key = `${name} ${clients}`;
          const measured = await bench(cluster, `clients=${clients}&ms=${ms}`);
          found.set(key, [...(found.get(key) ?? []), measured]);
        }
        if (name === 'hashicorp') continue;
        for (const clients of [1, 64]) {
          const key = `${name} read ${clients}`;
          const measured = await bench(cluster, `what=read&clients=${clients}&ms=${ms}`);
          found.set(key, [...(found.get(key) ?? []), measured]);
        }
      } finally {
        await cluster.stop();
      }
    }
  }
  const of = (key: string, what: keyof Measured) =>
    median((found.get(key) ?? []).map((m) => m[what]));
  const note = (key: string) => `p50 ${of(key, 'p50')} ms, p99 ${of(key, 'p99')} ms`;
  for (const clients of clientCounts) {
    for (const name of ['ours', 'inline']) {
      const key = `${name} ${clients}`;
      const baseline = go
        ? {
            name: `hashicorp/raft 1.1.2, ${note(`hashicorp ${clients}`)}`,
            value: of(`hashicorp ${clients}`, 'perSecond'),
          }
        : undefined;
      const value = of(key, 'perSecond');
      const what = name === 'ours' ? 'own process' : 'inline';
      rows.push({
        name: `commits, ${clients} clients, ${what}`,
        ...{ value, unit: '/s', note: note(key) },
        ...(baseline ? { baseline } : {}),
      });
    }
  }
  for (const clients of [1, 64]) {
    const key = `inline read ${clients}`;
    const value = of(key, 'perSecond');
    rows.push({
      name: `linearizable reads, ${clients} clients`,
      value,
      unit: '/s',
      note: note(key),
    });
  }
  return rows;
}

/** From kill -9 of the leader until a survivor has committed a write. */
async function benchFailover(kills: number, options: ClusterOptions): Promise<number[]> {
  const cluster = await startCluster(options);
  const times: number[] = [];
  try {
    for (let nth = 0; nth < kills; nth += 1) {
      const leader = await cluster.leader();
      await cluster.agreed();
      await pause(200);
      const begun = performance.now();
      await leader.kill();
      const others = cluster.peers.filter((peer) => peer !== leader);
      for (let isDone = false; !isDone; await pause(5)) {
        const answers = others.map((peer) =>
          peer.call('POST /apply', 'x', 5000).catch(() => undefined),
        );
        isDone = (await Promise.all(answers)).some((answer) => answer?.status === 200);
      }
      times.push(performance.now() - begun);
      leader.start();
    }
  } finally {
    await cluster.stop();
  }
  return times;
}

async function benchFailovers(kills: number, go: string | undefined): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [name, args] of [
    ['1 s timeouts', ['--timeout', '1000']],
    ['250 ms timeouts', ['--timeout', '250']],
  ] as const) {
    const theirs = go
      ? await benchFailover(kills, { size: 3, args, program: () => ({ command: go, args: [] }) })
      : undefined;
    const ours = await benchFailover(kills, { size: 3, args });
    const p95 = [...ours].sort((a, b) => a - b)[Math.floor(0.95 * (ours.length - 1))] ?? 0;
    rows.push({
      name: `fail-over, ${name}, p50`,
      ...{ value: median(ours), unit: 'ms', note: `p95 ${Math.round(p95)} ms of ${kills}` },
      ...(theirs ? { baseline: { name: 'hashicorp/raft 1.1.2', value: median(theirs) } } : {}),
    });
  }
  return rows;
}

/** What a follower that was stopped gets per second once it goes on, of commands of this size. */
async function benchCatchUp(size: number, count: number): Promise<Row> {
  const args = ['--snapshot-threshold', '100000000'];
  const cluster = await startCluster({ size: 3, args });
  try {
    const leader = await cluster.leader();
    const behind = cluster.peers.find((peer) => peer !== leader)!;
    behind.signal('SIGSTOP');
    const from = (await leader.state()).lastIndex;
    for (let last = from; last < from + count; last = (await leader.state()).lastIndex) {
      await leader.call(`POST /bench?clients=64&size=${size}&ms=200`, '', 60_000);
    }
    const to = (await leader.state()).lastIndex;
    behind.signal('SIGCONT');
    const applied = async (wanted: number) => {
      for (;;) {
        const state = await behind.state().catch(() => undefined);
        if (state && state.applied >= wanted) return { at: performance.now(), now: state.applied };
        await pause(2);
      }
    };
    // From the first that arrives: it may first wait for its connection.
    const begun = await applied(from + 1);
    const done = await applied(to);
    const seconds = (done.at - begun.at) / 1000;
    const entries = done.now - begun.now;
    return {
      name: `catch-up of a follower, ${size}-byte commands`,
      value: (entries * size) / 2 ** 20 / seconds,
      unit: 'MB/s',
      note: `${Math.round(entries / seconds).toLocaleString('en')} entries/s`,
    };
  } finally {
    await cluster.stop();
  }
}

/** Leadership is handed round while clients write; a client asks again where it is sent. */
async function benchTransfers(count: number): Promise<Row[]> {
  const cluster = await startCluster({ size: 3 });
  const times: number[] = [];
  const writes: number[] = [];
  const others: string[] = [];
  let failed = 0;
  let isOver = false;
  let at = await cluster.leader();
  const client = async () => {
    while (!isOver) {
      const begun = performance.now();
      const answer = await at.call('POST /apply', 'x'.repeat(128)).catch(() => undefined);
      const address = (answer?.body['leader'] as { address?: string } | undefined)?.address;
      const told = cluster.peers.find((peer) => peer.address === address);
      if (answer?.status === 421 && told) at = told;
      else if (answer?.status !== 200) failed += 1;
      else writes.push(performance.now() - begun);
    }
  };
  try {
    const clients = Array.from({ length: 4 }, client);
    for (let nth = 0; nth < count; nth += 1) {
      const leader = await cluster.leader();
      const begun = performance.now();
      const { status, body } = await leader.call('POST /transfer');
      if (status === 200) times.push(performance.now() - begun);
      else others.push(typeof body['reason'] === 'string' ? body['reason'] : String(status));
      await pause(100);
    }
    isOver = true;
    await Promise.all(clients);
  } finally {
    await cluster.stop();
  }
  const longest = Math.round(Math.max(...writes));
  const note = `longest ${Math.round(Math.max(...times))} ms of ${times.length}; ${others.join(', ') || 'none'} failed`;
  return [
    { name: 'transfer of leadership, p50', value: median(times), unit: 'ms', note },
    {
      name: 'writes that failed through it',
      ...{ value: failed, unit: `of ${writes.length}`, note: `longest write ${longest} ms` },
    },
  ];
}

const kills = Number(process.argv[2] ?? 50);
const missing = missingForGo();
if (missing) process.stdout.write(`raft: without hashicorp/raft beside it (no ${missing})\n`);
const go = missing ? undefined : await buildGoPeer();
try {
  const title = 'Raft, three durable peers on loopback, 128-byte commands';
  report(title, await benchCommits(kills >= 50 ? 3000 : 1000, go?.program));
  const catchUps = [await benchCatchUp(128, 50_000), await benchCatchUp(16_384, 2_000)];
  report('Raft, the rest of a life', [...catchUps, ...(await benchTransfers(kills))]);
  report('Raft, kill -9 of the leader until a write', await benchFailovers(kills, go?.program));
} finally {
  await go?.remove();
}
