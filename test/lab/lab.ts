import { mkdir, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connectPostgres, type Sql } from '#storage/postgres/connect.ts';
import { seeded } from '../faults/moments.ts';
import { quiet } from '../log.ts';
import { ask } from './ask.ts';
import { allVote, found, leaderOf, noteInLogs, observerOf } from './cluster.ts';
import { signIn, type LabCluster, type Observer } from './cluster.ts';
import { converge, madeNames, readAll } from './ending.ts';
import type { NamedFault } from './faults.ts';
import type { Layout, Stage } from './faults/fault.ts';
import { startBalancer, type Balancer } from './balancer.ts';
import { makeFilms, takeIn, type Film } from './films.ts';
import { judge } from './judge.ts';
import { layOut, type Laid } from './layout.ts';
import { watchLeaders, type Leaders } from './leaders.ts';
import { watchMemory, type MemoryLog } from './memory.ts';
import { createRecording, summarize, type Condition, type Recording } from './record.ts';
import { openRun } from './sweep.ts';
import { tidyUp } from './tidy.ts';
import { failuresOf, type Round } from './verdict.ts';
import { filmsFor, startWorkers } from './workers.ts';

export interface LabOptions {
  readonly nodes: number;
  /** What the faults to come need laid out; most of it takes root. */
  readonly needs: readonly Layout[];
  readonly say: (line: string) => void;
  /** Clients ask one address in front of all nodes, and not each of them. */
  readonly isBalanced?: boolean;
  /** Where to write down all that clients did and saw; undefined: nowhere. */
  readonly recordings?: string | undefined;
}

/** A cluster of real nodes with films, to be broken again and again. */
export interface Lab extends AsyncDisposable {
  readonly dir: string;
  /** Seconds from the first start until all voted. */
  readonly secondsToVoters: number;
  readonly memory: MemoryLog;
  round(fault: NamedFault, how: How): Promise<Round>;
}

const password = 'a password for the lab';
const votersMaxMs = 120_000;
const quickMs = 1_500;
const memoryEveryMs = 10_000;

/** Starts PostgreSQL, Redis and the nodes, and gives them films. Takes half a minute. */
export async function openLab(options: LabOptions): Promise<Lab> {
  await using stack = new AsyncDisposableStack();
  const run = await openRun();
  stack.defer(() => run.clear());
  const begin = performance.now();
  const needs = new Set(options.needs);
  const laid = await layOut({ run, nodes: options.nodes, needs, password }, stack);
  const { cluster, postgres } = laid;
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
    ...{ socket: postgres.socket, database: 'revenge', user: postgres.user },
    ...{ pool: { max: 1 }, log: quiet },
  });
  stack.defer(close);
  const leaders = watchLeaders([...cluster.nodes, ...cluster.spares]);
  const memory = watchMemory(cluster.nodes, memoryEveryMs);
  stack.defer(() => memory.stop());
  const addresses = cluster.nodes.map(({ url }) => new URL(url).host);
  const onStarted = (pid: number) => run.started(pid);
  const balancer = options.isBalanced
    ? stack.use(await startBalancer({ dir: run.dir, nodes: addresses, onStarted }))
    : undefined;
  const rest = stack.move();
  const scene = { ...laid, balancer, dir: run.dir, observer, films, content, sql, leaders };
  return {
    ...{ dir: run.dir, secondsToVoters, memory },
    async round(fault, how) {
      token = await signIn(cluster.nodes, password);
      return round({ ...scene, token, recordings: options.recordings }, fault, how);
    },
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
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

interface Scene extends Laid {
  readonly balancer: Balancer | undefined;
  readonly dir: string;
  readonly recordings: string | undefined;
  readonly observer: Observer;
  readonly token: string;
  readonly films: readonly Film[];
  readonly content: Buffer;
  readonly sql: Sql;
  readonly leaders: Leaders;
}

interface How {
  readonly seed: number;
  readonly outageMs: number;
}

/** Before the fault, and after it, in milliseconds. */
const quietMs = 3_000;
const votersBackMs = 60_000;

const crashesOf = ({ nodes, spares }: LabCluster): number =>
  [...nodes, ...spares].reduce((sum, node) => sum + node.crashes(), 0);

async function round(scene: Scene, named: NamedFault, how: How): Promise<Round> {
  const { cluster, observer } = scene;
  const { nodes } = cluster;
  const { seed, outageMs } = how;
  await allVote(cluster, observer, votersBackMs);
  const random = seeded(seed);
  const leader = nodes.indexOf(await leaderOf(cluster, observer));
  const victim = chooseVictim(named, { leader, count: nodes.length, random });
  const before = await observer.status(nodes[leader]!);
  const crashesBefore = crashesOf(cluster);
  const recording = createRecording(nodes.length);
  const notes: string[] = [];
  const cast: Cast = { victim, outageMs, recording, random, notes };
  await noteInLogs(nodes, `${named.name} at n${victim + 1}, seed ${seed}`);
  const failures = await suffer(scene, named, cast);
  if (failures.length > 0) {
    await tidyUp(scene).catch((error: unknown) => failures.push(`beyond help: ${String(error)}`));
  }
  const { convergedMs, after } = await converge(scene);
  const last = await readAll(scene, recording).catch((error: unknown) => {
    failures.push(String(error));
    return [];
  });
  await keepRecording(scene.recordings, { recording, name: `${named.name}-${seed}` });
  const outcome = {
    classes: summarize(recording),
    judgement: judge(recording, { made: await madeNames(scene.sql), last }),
    ...{ convergedMs, outageMs, isBalanced: scene.balancer !== undefined },
    wasLeader: !named.fault.isGlobal && victim === leader,
    terms: [before.term, after?.term ?? before.term] as const,
    twoLeaders: await scene.leaders.contradictions(),
    crashes: crashesOf(cluster) - crashesBefore,
  };
  failures.push(...failuresOf(named, outcome));
  const whom = named.fault.isGlobal ? 'all' : nodes[victim]!.name;
  const load = Math.round(loadavg()[0] ?? 0);
  return { ...outcome, fault: named.name, seed, notes, failures, victim: whom, load };
}

interface Cast {
  readonly victim: number;
  readonly outageMs: number;
  readonly recording: Recording;
  readonly random: () => number;
  readonly notes: string[];
}

/** Clients at work, and the fault among them; resolves to why it did not go as planned. */
async function suffer(scene: Scene, named: NamedFault, cast: Cast): Promise<string[]> {
  const { token, films, content } = scene;
  const { recording, random } = cast;
  const { nodes } = scene.cluster;
  const urlOf = (nth: number) => scene.balancer?.url ?? nodes[nth]!.url;
  const place = { nodes: nodes.length, urlOf };
  const workers = startWorkers({ ...place, token, films, content, recording, random });
  try {
    await pause(quietMs);
    await named.fault.run(stageOf(scene, cast));
    await noteInLogs(nodes, `${named.name} is over`);
    await pause(quietMs);
    return [];
  } catch (error) {
    const { cause } = error as Error;
    const why = cause instanceof Error ? `${String(error)}: ${cause.message}` : String(error);
    return [`the fault did not go as planned: ${why}`];
  } finally {
    scene.ground.links?.heal();
    recording.endedAt = performance.now();
    await workers.stop();
  }
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

function stageOf(scene: Scene, { victim, outageMs, recording, random, notes }: Cast): Stage {
  const { cluster, ground, observer, token, postgres, redis, dir } = scene;
  return {
    ...{ dir, nodes: cluster.nodes, spares: cluster.spares, victim, postgres, redis, outageMs },
    ...{ links: ground.links, readdress: ground.readdress, random },
    films: scene.films.map(({ id }) => id),
    note: (node: number, condition: Condition) =>
      void recording.conditions[node]?.push({ condition, since: performance.now() }),
    tell: (line) => void notes.push(line),
    status: (node) => observer.status(node),
    allVote: (nodes) => allVote({ nodes }, observer, votersMaxMs),
    ask: (node, path, wish) => ask({ url: node.url + path, token, ...wish }),
    async listen(node, path, signal) {
      const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' };
      const answer = await fetch(node.url + path, { headers, signal }).catch(() => undefined);
      return answer?.status ?? 0;
    },
    async transfer() {
      const { url } = await leaderOf(cluster, observer);
      const path = `${url}/api/v1/cluster/transfer`;
      const { status, code } = await ask({ url: path, token, method: 'POST', json: {} });
      if (status !== 200) throw new Error(`leadership is not handed on: ${status} ${code}`);
    },
  };
}
