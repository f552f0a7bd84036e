import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connectPostgres, type Sql } from '#storage/postgres/connect.ts';
import { seeded } from '../faults/moments.ts';
import { quiet } from '../log.ts';
import { ask } from './ask.ts';
import { allVote, createLabCluster, found, leaderOf, noteInLogs, observerOf } from './cluster.ts';
import { signIn, until, type ClusterStatus, type LabCluster, type Observer } from './cluster.ts';
import type { NamedFault, Stage } from './faults.ts';
import { makeFilms, takeIn, type Film } from './films.ts';
import { hosts, loopback, type Ground } from './ground.ts';
import { judge, type Judgement, type Made } from './judge.ts';
import { freePorts } from '../ports.ts';
import { createRecording, summarize } from './record.ts';
import type { ClassSummary, Condition, Recording, RegisterRead } from './record.ts';
import { startPostgres, startRedis, type SharedPostgres, type SharedRedis } from './services.ts';
import { openRun, type Run } from './sweep.ts';
import { filmsFor, startWorkers } from './workers.ts';

export interface LabOptions {
  readonly nodes: number;
  /** Each node has a network of its own, which can be cut. Needs root. */
  readonly hasHosts: boolean;
  /** Raft's folders are small file systems that can be filled. Needs root. */
  readonly hasSmallDisks: boolean;
  readonly say: (line: string) => void;
  /** Where to write down all that clients did and saw; undefined: nowhere. */
  readonly recordings?: string | undefined;
}

/** A cluster of real nodes with films, to be broken again and again. */
export interface Lab extends AsyncDisposable {
  readonly dir: string;
  /** Seconds from the first start until all voted. */
  readonly secondsToVoters: number;
  round(fault: NamedFault, options: { seed: number; outageMs: number }): Promise<Round>;
}

/** What came of one fault. */
export interface Round {
  readonly fault: string;
  readonly seed: number;
  readonly outageMs: number;
  readonly victim: string;
  readonly wasLeader: boolean;
  readonly classes: readonly ClassSummary[];
  readonly judgement: Judgement;
  /** Milliseconds from the fault's end until all nodes knew the same; undefined: not in time. */
  readonly convergedMs: number | undefined;
  readonly terms: readonly [before: number, after: number];
  /** Why it is not passed; empty: it is. */
  readonly failures: readonly string[];
}

const password = 'a password for the lab';
const votersMaxMs = 120_000;
const diskMegabytes = 64;
const quickMs = 1_500;

/** Starts PostgreSQL, Redis and the nodes, and gives them films. Takes half a minute. */
export async function openLab(options: LabOptions): Promise<Lab> {
  await using stack = new AsyncDisposableStack();
  const run = await openRun();
  stack.defer(() => run.clear());
  const begin = performance.now();
  const ground = stack.use(options.hasHosts ? hosts(options.nodes) : loopback(options.nodes));
  run.made(ground.leftovers);
  const shared = await startShared(run, ground, stack);
  const cluster = await createCluster(run, ground, shared);
  stack.defer(async () => void (await Promise.all(cluster.nodes.map((node) => node.kill()))));
  if (options.hasSmallDisks) await mountDisks(run, cluster);
  options.say(`starting ${options.nodes} nodes in ${run.dir} …`);
  await found(cluster);
  let token = await signIn(cluster.nodes, password);
  const observer = observerOf(() => token);
  // Votes come after ten quiet seconds; here nobody has to get used to anybody.
  await hasten(cluster, token, quickMs);
  await allVote(cluster, observer, votersMaxMs);
  const secondsToVoters = (performance.now() - begin) / 1000;
  await hasten(cluster, token, undefined);
  options.say(`${options.nodes} voters after ${secondsToVoters.toFixed(1)} s; making films …`);
  const count = filmsFor(options.nodes);
  const { folder, content } = await makeFilms(run.dir, count);
  const films = await takeIn({ url: cluster.nodes[0]!.url, token }, { folder, count });
  const { sql, close } = await connectPostgres({
    ...{ socket: shared.postgres.socket, database: 'revenge', user: shared.postgres.user },
    ...{ pool: { max: 1 }, log: quiet },
  });
  stack.defer(close);
  const rest = stack.move();
  return {
    dir: run.dir,
    secondsToVoters,
    async round(fault, how) {
      token = await signIn(cluster.nodes, password);
      const scene = { cluster, ground, observer, token, films, content, sql, ...shared };
      return round({ ...scene, recordings: options.recordings }, fault, how);
    },
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

interface SharedServices {
  readonly postgres: SharedPostgres;
  readonly redis: SharedRedis | undefined;
}

async function startShared(
  run: Run,
  { address }: Ground,
  stack: AsyncDisposableStack,
): Promise<SharedServices> {
  const postgres = stack.use(await startPostgres(join(run.dir, 'postgres'), quiet));
  const [port = 0] = await freePorts(1);
  const onStarted = (pid: number) => run.started(pid);
  const redis = await startRedis({ address, port, dir: join(run.dir, 'redis'), onStarted });
  if (redis) stack.use(redis);
  return { postgres, redis };
}

const createCluster = (
  run: Run,
  ground: Ground,
  { postgres, redis }: SharedServices,
): Promise<LabCluster> =>
  createLabCluster({
    ...{ dir: run.dir, ground, password, onStarted: (pid) => run.started(pid) },
    env: {
      REVENGE_DATABASE_URL: postgres.url,
      ...(redis ? { REVENGE_CACHE_URL: redis.url } : {}),
      REVENGE_SERVER_RATE_LIMIT_PER_ADDRESS: '0',
      REVENGE_SERVER_RATE_LIMIT_PER_USER: '0',
    },
  });

async function mountDisks(run: Run, { nodes }: LabCluster): Promise<void> {
  for (const { dataDir } of nodes) {
    const path = join(dataDir, 'raft');
    await mkdir(path, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskMegabytes}m`, 'tmpfs', path]);
    run.mounted(path);
  }
}

/** How long a newcomer has to be well before it votes; undefined: as long as usual. */
async function hasten({ nodes }: LabCluster, token: string, quick: number | undefined) {
  const url = `${nodes[0]!.url}/api/v1/cluster/autopilot`;
  const { body } = await ask({ url, token });
  const json = { ...(body as object), stabilizationMs: quick ?? 10_000 };
  const { status, code } = await ask({ url, token, method: 'PUT', json });
  if (status !== 200)
    throw new Error(`the autopilot does not take its settings: ${status} ${code}`);
}

async function keepRecording(
  dir: string | undefined,
  { recording, name }: { recording: Recording; name: string },
): Promise<void> {
  if (dir === undefined) return;
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, `${name}.json`), JSON.stringify(recording));
}

interface Scene extends SharedServices {
  readonly recordings: string | undefined;
  readonly cluster: LabCluster;
  readonly ground: Ground;
  readonly observer: Observer;
  readonly token: string;
  readonly films: readonly Film[];
  readonly content: Buffer;
  readonly sql: Sql;
}

interface How {
  readonly seed: number;
  readonly outageMs: number;
}

/** Before the fault, and after it, in milliseconds. */
const quietMs = 3_000;
const convergeMaxMs = 30_000;
const votersBackMs = 60_000;

async function round(scene: Scene, named: NamedFault, { seed, outageMs }: How): Promise<Round> {
  const { cluster, observer, token, films, content } = scene;
  const { nodes } = cluster;
  await allVote(cluster, observer, votersBackMs);
  const random = seeded(seed);
  const leader = nodes.indexOf(await leaderOf(cluster, observer));
  const victim = chooseVictim(named, { leader, count: nodes.length, random });
  const before = await observer.status(nodes[leader]!);
  const recording = createRecording(nodes.length);
  const urls = nodes.map(({ url }) => url);
  const workers = startWorkers({ urls, token, films, content, recording, random });
  await noteInLogs(nodes, `${named.name} at n${victim + 1}, seed ${seed}`);
  const failures: string[] = [];
  try {
    await pause(quietMs);
    await named.fault.run(stageOf(scene, { victim, outageMs, recording }));
    await noteInLogs(nodes, `${named.name} is over`);
    await pause(quietMs);
  } catch (error) {
    failures.push(`the fault did not go as planned: ${String(error)}`);
  } finally {
    recording.endedAt = performance.now();
    await workers.stop();
  }
  const { convergedMs, after } = await converge(scene);
  const last = await readAll(scene, recording);
  await keepRecording(scene.recordings, { recording, name: `${named.name}-${seed}` });
  const judgement = judge(recording, { made: await madeNames(scene.sql), last });
  const classes = summarize(recording);
  const wasLeader = !named.fault.isGlobal && victim === leader;
  const terms = [before.term, after?.term ?? before.term] as const;
  const outcome = { classes, judgement, convergedMs, outageMs, wasLeader, terms };
  failures.push(...failuresOf(named, outcome));
  const whom = named.fault.isGlobal ? 'all' : nodes[victim]!.name;
  return { ...outcome, fault: named.name, seed, failures, victim: whom };
}

function chooseVictim(
  { whom }: NamedFault,
  { leader, count, random }: { leader: number; count: number; random: () => number },
): number {
  if (typeof whom === 'number') return whom % count;
  if (whom === 'leader') return leader;
  if (whom === 'anyone') return Math.floor(random() * count);
  return (leader + 1 + Math.floor(random() * (count - 1))) % count;
}

function stageOf(
  scene: Scene,
  { victim, outageMs, recording }: { victim: number; outageMs: number; recording: Recording },
): Stage {
  const { cluster, ground, observer, token, postgres, redis } = scene;
  return {
    ...{ nodes: cluster.nodes, victim, postgres, redis, links: ground.links, outageMs },
    note: (node: number, condition: Condition) =>
      void recording.conditions[node]?.push({ condition, since: performance.now() }),
    async transfer() {
      const { url } = await leaderOf(cluster, observer);
      const path = `${url}/api/v1/cluster/transfer`;
      const { status, code } = await ask({ url: path, token, method: 'POST', json: {} });
      if (status !== 200) throw new Error(`leadership is not handed on: ${status} ${code}`);
    },
  };
}

/** Waits until all nodes are at one index with one hash. */
async function converge({ cluster, observer }: Scene) {
  const begin = performance.now();
  let after: ClusterStatus | undefined;
  try {
    await until('the same state on all nodes', convergeMaxMs, async () => {
      const all = await Promise.all(cluster.nodes.map((node) => observer.status(node)));
      after = all[0];
      const isSame = all.every(
        ({ hash, index, commit, applied }) =>
          hash === after?.hash && index === after.index && applied === commit,
      );
      return isSame || undefined;
    });
    return { convergedMs: Math.round(performance.now() - begin), after };
  } catch {
    return { convergedMs: undefined, after }; // the round fails by it, with its name
  }
}

const readTries = 50;

/** Every register at every node, with the highest index that anybody was told. */
async function readAll({ cluster, token }: Scene, { writes }: Recording): Promise<RegisterRead[]> {
  const index = Math.max(0, ...writes.map((write) => write.index ?? 0));
  const registers = [...new Set(writes.map(({ register }) => register))];
  const reads = cluster.nodes.flatMap(({ url }, node) =>
    registers.map(async (register) => {
      for (let tried = 0; tried < readTries; tried += 1, await pause(100)) {
        const answer = await ask({
          ...{ url: `${url}/api/v1/movies/${register}`, token },
          headers: { 'x-revenge-index': String(index) },
        });
        if (answer.status !== 200) continue;
        const value = (answer.body as { tagline: string | null }).tagline;
        const { callAt, endAt } = answer;
        return { register, value, node, callAt, endAt, index };
      }
      throw new Error(`n${node + 1} does not show ${register} when all is over`);
    }),
  );
  return Promise.all(reads);
}

async function madeNames(sql: Sql): Promise<Made> {
  const rows = await sql<{ name: string; count: number }[]>`
    select details->>'name' as name, count(*)::int as count from shared.activity
    where action = 'apikey.created' group by 1`;
  return new Map(rows.map(({ name, count }) => [name, count]));
}

type Outcome = Omit<Round, 'fault' | 'seed' | 'failures' | 'victim'>;

/** What a client may have to wait for a write when one node is lost: an election and a little. */
const writeGapMs = 3_000;
/** `cluster.max_staleness`, and what it takes to notice and to answer on a busy machine. */
const oldestMs = 12_000;

function failuresOf({ fault }: NamedFault, outcome: Outcome): string[] {
  const { classes, judgement, convergedMs, outageMs } = outcome;
  const found: string[] = [];
  const say = (count: number, what: string) => {
    if (count > 0) found.push(`${count} ${what}`);
  };
  say(judgement.lost.length, 'acknowledged changes are lost');
  say(judgement.doubled.length, 'changes happened twice under one key');
  say(judgement.stale.length, 'reads are older than the index they named');
  say(judgement.unseen.length, 'clients do not see their own progress');
  say(judgement.unordered.length, 'contradictions: not linearizable');
  say(judgement.wrongBytes, 'ranges are not the film’s bytes');
  if (judgement.oldestReadMs > oldestMs) {
    found.push(`a read without an index was ${Math.round(judgement.oldestReadMs)} ms old`);
  }
  if (!fault.isGlobal && !outcome.wasLeader && outcome.terms[0] !== outcome.terms[1]) {
    found.push('another term began, though the leader was well');
  }
  if (convergedMs === undefined) found.push(`the nodes do not agree within ${convergeMaxMs} ms`);
  const mayWaitMs = (fault.stopsWrites ? outageMs : 0) + (fault.gapMs ?? writeGapMs);
  for (const each of classes) {
    const isChange = each.class === 'write' || each.class === 'append';
    // Who changes something tries again under its key; what counts for it is how long it waits.
    if (isChange && each.gapMs > mayWaitMs) {
      found.push(`no ${each.class} for ${each.gapMs} ms`);
    }
    if (!isChange && !fault.stopsReads) say(each.failed, `failed: ${each.class}`);
  }
  return found;
}
