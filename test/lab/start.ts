// Three nodes on one machine, for who wants to see a cluster: `npm run cluster`.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { quiet } from '../log.ts';
import { allVote, createLabCluster, found, observerOf, portsFor } from './cluster.ts';
import { signIn, startAgain, type LabCluster } from './cluster.ts';
import { loopback } from './ground.ts';
import type { LabNode } from './node.ts';
import { freePorts } from '../ports.ts';
import { startPostgres, startRedis } from './services.ts';
import { openRun } from './sweep.ts';

const help = `npm run cluster -- [--nodes 3] [--data DIR]

Starts nodes that are one cluster, on this machine and for it alone. They share a PostgreSQL that
comes with the project, and a Redis where redis-server is installed. Ctrl-C ends them all.

  --nodes N    how many, 1 to 7 (3)
  --data DIR   keep everything there, to go on with another time; otherwise all is gone at the end
  --movies DIR make a film library of this folder (may be repeated)
`;

const say = (line: string) => void process.stdout.write(`${line}\n`);

const kept = z.object({
  password: z.string(),
  redisPort: z.number(),
  ports: z.array(
    z.object({ api: z.number(), raft: z.number(), rpc: z.number(), gossip: z.number() }),
  ),
});
type Kept = z.infer<typeof kept>;

const keptFile = 'cluster.json';
const votersMaxMs = 90_000;

/** How the cluster in this folder was made, if there is one. */
async function readKept(dir: string): Promise<Kept | undefined> {
  const file = join(dir, keptFile);
  return existsSync(file) ? kept.parse(JSON.parse(await readFile(file, 'utf8'))) : undefined;
}

async function makeKept(count: number): Promise<Kept> {
  const [redisPort = 0] = await freePorts(1);
  return {
    password: randomBytes(9).toString('base64url'),
    redisPort,
    ports: await portsFor(loopback(count), true),
  };
}

interface Options {
  readonly nodes: number;
  readonly data: string | undefined;
  readonly movies: readonly string[];
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      nodes: { type: 'string', default: '3' },
      data: { type: 'string' },
      movies: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    say(help);
    process.exit(0);
  }
  const nodes = Number(values.nodes);
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > 7) throw new Error('--nodes: 1 to 7');
  const { data, movies } = values;
  return { nodes, data: data && resolve(data), movies: movies.map((each) => resolve(each)) };
}

/** Two of them: the first Ctrl-C ends the nodes softly, the second does not wait. */
function untilInterrupted(): Promise<void> {
  return new Promise((stop) => {
    let count = 0;
    const heard = () => {
      count += 1;
      if (count > 2) process.exit(130);
      stop();
    };
    process.on('SIGINT', heard);
    process.on('SIGTERM', heard);
  });
}

async function main(): Promise<void> {
  const options = readOptions();
  const interrupted = untilInterrupted();
  await using stack = new AsyncDisposableStack();
  const run = await openRun();
  stack.defer(() => run.clear());
  if (options.data !== undefined) await mkdir(options.data, { recursive: true });
  const dir = options.data === undefined ? run.dir : await realpath(options.data);
  const before = await readKept(dir);
  const how = before ?? (await makeKept(options.nodes));
  await writeFile(join(dir, keptFile), JSON.stringify(how), { mode: 0o600 });

  say('starting PostgreSQL …');
  const postgres = stack.use(await startPostgres(join(dir, 'postgres'), quiet));
  const onStarted = (pid: number) => run.started(pid);
  const redis = await startRedis({
    ...{ address: '127.0.0.1', port: how.redisPort, dir: join(dir, 'redis'), onStarted },
  });
  if (redis) stack.use(redis);
  say(redis ? 'Redis runs' : 'no redis-server on this machine: the nodes do without it');
  const ground = loopback(how.ports.length);
  const cluster = await createLabCluster({
    ...{ dir, ground, password: how.password, ports: how.ports, onStarted },
    env: {
      REVENGE_DATABASE_URL: postgres.url,
      ...(redis ? { REVENGE_CACHE_URL: redis.url } : {}),
    },
  });
  stack.defer(async () => void (await Promise.all(cluster.nodes.map((node) => node.stop()))));
  const wasUp = await Promise.race([
    bringUp(cluster, { isNew: before === undefined, movies: options.movies }),
    interrupted.then(() => undefined),
  ]);
  if (wasUp !== undefined) {
    say(welcome(cluster, { dir, seconds: wasUp }));
    const ending = new AbortController();
    const watching = cluster.nodes.map((node) => keepUp(node, ending.signal));
    await interrupted;
    ending.abort();
    say('\nending all of them …');
    await Promise.all(watching);
  }
}

const restMs = 15_000;

/** A node that ended is left so for a while, to see how the others do without it. */
async function keepUp(node: LabNode, signal: AbortSignal): Promise<void> {
  const stopped = once(signal, 'abort');
  for (;;) {
    await Promise.race([node.exited(), stopped]);
    if (signal.aborted) return;
    say(`${node.name} has ended; it is started again in ${restMs / 1000} s`);
    await Promise.race([pause(restMs, undefined, { ref: false }), stopped]);
    if (signal.aborted) return;
    node.start();
    say(`${node.name} starts again: pid ${node.pid()}`);
  }
}

/** Resolves to the seconds it took. */
async function bringUp(
  cluster: LabCluster,
  { isNew, movies }: { isNew: boolean; movies: readonly string[] },
): Promise<number> {
  const begin = performance.now();
  const count = cluster.nodes.length;
  say(isNew ? `founding a cluster of ${count} …` : `starting the ${count} nodes again …`);
  await (isNew ? found(cluster) : startAgain(cluster));
  const token = await signIn(cluster.nodes, cluster.wish.password);
  await allVote(
    cluster,
    observerOf(() => token),
    votersMaxMs,
  );
  const seconds = (performance.now() - begin) / 1000;
  if (isNew && movies.length > 0) {
    await cluster.nodes[0]?.command('library', 'create', 'Films', ...movies);
  }
  return seconds;
}

function welcome(
  { nodes, wish }: LabCluster,
  { dir, seconds }: { dir: string; seconds: number },
): string {
  const [first, second] = nodes;
  const revenge = `npx revenge --data ${first?.dataDir}`;
  const kill = second ?? first;
  return [
    '',
    `${nodes.length} nodes are one cluster, after ${seconds.toFixed(1)} s:`,
    ...nodes.map((node) => `  ${node.name}  ${node.url}  pid ${node.pid()}  ${node.dataDir}`),
    `Sign in as admin, password ${wish.password}; ${first?.url}/api/docs lists what can be asked.`,
    `Their logs are in ${join(dir, 'logs')}.`,
    '',
    'What to try, in another terminal:',
    `  ${revenge} cluster status --watch`,
    `  kill -9 ${kill?.pid()}   # ends ${kill?.name}: the others go on`,
    `  kill -STOP ${first?.pid()}; sleep 10; kill -CONT ${first?.pid()}   # a node that hangs`,
    `  ${revenge} cluster transfer   # another one leads`,
    '',
    `What ends is started again after ${restMs / 1000} s.`,
    'Ctrl-C ends all of them.',
  ].join('\n');
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
