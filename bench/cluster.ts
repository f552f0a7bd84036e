import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connectPostgres, type Sql } from '#storage/postgres/connect.ts';
import {
  allVote,
  createLabCluster,
  found,
  leaderOf,
  observerOf,
  signIn,
  type LabCluster,
} from '#test/lab/cluster.ts';
import { loopback } from '#test/lab/ground.ts';
import { makeAdministrator, type LabNode } from '#test/lab/node.ts';
import { startPostgres, startRedis } from '#test/lab/services.ts';
import { openRun } from '#test/lab/sweep.ts';
import { quiet } from '#test/log.ts';
import { freePorts } from '#test/ports.ts';

/** Real nodes that share a PostgreSQL and, where the machine has one, a Redis. */
export interface BenchCluster extends AsyncDisposable {
  readonly nodes: readonly LabNode[];
  /** Where all of it lies. */
  readonly dir: string;
  /** In the database of all of them. */
  readonly sql: Sql;
  readonly hasRedis: boolean;
  /** A bearer token of the administrator, good for some minutes. */
  readonly token: () => Promise<string>;
  leader(): Promise<LabNode>;
}

export interface BenchClusterWish {
  /** 1: a node alone, that has never been opened to others. */
  readonly nodes: number;
  readonly env?: Readonly<Record<string, string>>;
}

const password = 'a password for the bench';
const votersMaxMs = 120_000;
/** Such an address is nobody's (RFC 5737): gossip does not open there, and nodes do without it. */
export const withoutGossip = { REVENGE_CLUSTER_GOSSIP_BIND_ADDR: '192.0.2.1:7002' };

const environment = {
  REVENGE_LOG_LEVEL: 'warn',
  // What is measured is the work, not the limit on it.
  REVENGE_SERVER_RATE_LIMIT_PER_ADDRESS: '0',
  REVENGE_SERVER_RATE_LIMIT_PER_USER: '0',
};

/** Starts them, and waits until all vote. Takes half a minute. */
export async function openBenchCluster(wish: BenchClusterWish): Promise<BenchCluster> {
  await using stack = new AsyncDisposableStack();
  const run = await openRun();
  stack.defer(() => run.clear());
  const postgres = stack.use(await startPostgres(join(run.dir, 'postgres'), quiet));
  const [port = 0] = await freePorts(1);
  const onStarted = (pid: number) => run.started(pid);
  const redis = await startRedis({
    ...{ address: '127.0.0.1', port, dir: join(run.dir, 'redis'), onStarted },
  });
  if (redis) stack.use(redis);
  const cluster = await createLabCluster({
    ...{ dir: run.dir, ground: loopback(wish.nodes), password, onStarted },
    env: {
      ...environment,
      REVENGE_DATABASE_URL: postgres.url,
      ...(redis ? { REVENGE_CACHE_URL: redis.url } : {}),
      ...wish.env,
    },
  });
  stack.defer(async () => void (await Promise.all(cluster.nodes.map((node) => node.kill()))));
  await begin(cluster);
  const { sql, close } = await connectPostgres({
    ...{ socket: postgres.socket, database: 'revenge', user: postgres.user },
    // Films are made in one statement.
    ...{ pool: { max: 2 }, statementTimeoutMs: 0, log: quiet },
  });
  stack.defer(close);
  const token = () => signIn(cluster.nodes, password);
  const rest = stack.move();
  return {
    ...{ nodes: cluster.nodes, dir: run.dir, sql, hasRedis: redis !== undefined, token },
    async leader() {
      const now = await token();
      return leaderOf(
        cluster,
        observerOf(() => now),
      );
    },
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

async function begin(cluster: LabCluster): Promise<void> {
  const [first] = cluster.nodes;
  if (cluster.nodes.length === 1 && first) {
    first.start();
    await first.ready();
    await makeAdministrator(first, cluster.wish);
    return;
  }
  await found(cluster);
  const token = await signIn(cluster.nodes, password);
  await allVote(
    cluster,
    observerOf(() => token),
    votersMaxMs,
  );
}

/** The value below which this share of them lies; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** Lets what a start or a fill has left behind come to rest. */
export const settle = (): Promise<void> => pause(3_000);
