// Caches of three nodes under writes: `node bench/coherence.ts [seconds]`.
import { loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { ask } from '#test/lab/ask.ts';
import type { LabNode } from '#test/lab/node.ts';
import { openBenchCluster, quantile, settle, withoutGossip, type BenchCluster } from './cluster.ts';
import { fillFilms } from './films.ts';
import { hitRatios, readLookups } from './lookups.ts';
import { report, type Row } from './report.ts';
import { benchStamp } from './stamp.ts';

const films = 500;
/** Films that are written again and again, two by each writer, and read by all readers. */
const writers = 4;
const registersPerWriter = 2;
/** At each node, of each kind: those that name the index they have seen, and those that do not. */
const readersPerNode = 2;

/** One film whose tagline is a number that only grows. */
interface Register {
  readonly id: string;
  /** When the change to this number was acknowledged, in milliseconds of this process. */
  readonly acknowledgedAt: number[];
}

interface Scene {
  readonly nodes: readonly LabNode[];
  readonly token: string;
  readonly registers: readonly Register[];
  /** Films that are only read. */
  readonly others: readonly string[];
  /** The highest index that anybody was told. */
  index: number;
  isOver: boolean;
  readonly seen: Seen;
}

/** What came of it. */
interface Seen {
  writes: number;
  readonly writeTimes: number[];
  readsWithIndex: number;
  /** Of them, those that showed less than what was acknowledged before they were asked. */
  staleWithIndex: number;
  behind: number;
  reads: number;
  /** Of reads without an index that showed what was changed before: how long before, in ms. */
  readonly staleness: number[];
}

const pick = <T>(all: readonly T[]): T => all[Math.floor(Math.random() * all.length)]!;

/** Writes to its registers; `looks`: and then looks everywhere at once what is shown. */
async function write(scene: Scene, registers: readonly Register[], looks: boolean): Promise<void> {
  while (!scene.isOver) {
    const register = pick(registers);
    await set(scene, pick(scene.nodes), register);
    scene.seen.writes += 1;
    if (!looks) continue;
    const all = scene.nodes.flatMap((node) => [true, false].map((named) => ({ node, named })));
    await Promise.all(all.map(({ node, named }) => look(scene, node, { register, named })));
  }
}

/** Gives a register its next number. */
async function set(scene: Scene, node: LabNode, register: Register): Promise<void> {
  const value = register.acknowledgedAt.length;
  const answer = await ask({
    ...{ url: `${node.url}/api/v1/movies/${register.id}`, token: scene.token },
    ...{ method: 'PATCH', json: { tagline: String(value) } },
  });
  if (answer.status !== 200) throw new Error(`write: ${answer.status} ${answer.code}`);
  register.acknowledgedAt.push(answer.endAt);
  scene.index = Math.max(scene.index, answer.index ?? 0);
  scene.seen.writeTimes.push(answer.endAt - answer.callAt);
}

interface Look {
  readonly register: Register;
  /** With the highest index that anybody was told. */
  readonly named: boolean;
}

async function look(scene: Scene, node: LabNode, { register, named }: Look): Promise<void> {
  const { seen } = scene;
  const known = register.acknowledgedAt.length - 1;
  const answer = await ask({
    ...{ url: `${node.url}/api/v1/movies/${register.id}`, token: scene.token },
    headers: named ? { 'x-revenge-index': String(scene.index) } : {},
  });
  if (named && answer.code === 'behind') seen.behind += 1;
  else if (answer.status !== 200) throw new Error(`read: ${answer.status} ${answer.code}`);
  if (answer.status !== 200) return;
  const value = Number((answer.body as { tagline: string }).tagline);
  const isStale = value < known;
  seen[named ? 'readsWithIndex' : 'reads'] += 1;
  if (isStale && named) seen.staleWithIndex += 1;
  else if (isStale) seen.staleness.push(answer.callAt - register.acknowledgedAt[value + 1]!);
}

async function read(scene: Scene, node: LabNode, named: boolean): Promise<void> {
  while (!scene.isOver) await look(scene, node, { register: pick(scene.registers), named });
}

/** Somebody who looks around: most of what is read is written by nobody. */
async function browse(scene: Scene, node: LabNode): Promise<void> {
  while (!scene.isOver) {
    const id = pick(scene.others);
    await ask({ url: `${node.url}/api/v1/movies/${id}`, token: scene.token });
  }
}

async function run(cluster: BenchCluster, seconds: number): Promise<Row[]> {
  const { nodes, sql } = cluster;
  await fillFilms(sql, films);
  const rows = await sql<{ id: string }[]>`select id from movies order by id limit ${films}`;
  const ids = rows.map(({ id }) => id);
  const count = writers * registersPerWriter;
  const scene: Scene = {
    ...{ nodes, token: await cluster.token(), index: 0, isOver: false },
    registers: ids.slice(0, count).map((id) => ({ id, acknowledgedAt: [] })),
    others: ids.slice(count),
    seen: {
      ...{ writes: 0, readsWithIndex: 0, staleWithIndex: 0, behind: 0, reads: 0 },
      ...{ writeTimes: [], staleness: [] },
    },
  };
  // Each has a first value that all nodes show.
  for (const register of scene.registers) await set(scene, nodes[0]!, register);
  scene.seen.writeTimes.splice(0);
  await settle();
  const before = await readLookups(nodes, scene.token);
  const working = [
    ...Array.from({ length: writers }, (_, nth) =>
      write(
        scene,
        scene.registers.slice(nth * registersPerWriter, (nth + 1) * registersPerWriter),
        nth === 0,
      ),
    ),
    ...nodes.flatMap((node) => [
      ...Array.from({ length: readersPerNode }, () => read(scene, node, true)),
      ...Array.from({ length: readersPerNode }, () => read(scene, node, false)),
      browse(scene, node),
    ]),
  ];
  await Promise.race([pause(1_000 * seconds), Promise.all(working)]);
  scene.isOver = true;
  await Promise.all(working);
  const ratios = hitRatios(before, await readLookups(nodes, scene.token));
  return rowsOf(scene, { seconds, ratios });
}

function rowsOf(
  { seen }: Scene,
  { seconds, ratios }: { seconds: number; ratios: Readonly<Record<string, number>> },
): Row[] {
  const { reads, staleness, writes, writeTimes, readsWithIndex, staleWithIndex, behind } = seen;
  const at = (share: number) => quantile(staleness, share);
  const share = (100 * staleness.length) / reads;
  return [
    {
      ...{ name: 'stale reads with index', value: staleWithIndex, unit: '' },
      note: `of ${readsWithIndex}; ${behind} refused as behind`,
    },
    {
      ...{ name: 'stale reads without index', value: share, unit: '%' },
      note: `${staleness.length} of ${reads}`,
    },
    ...(staleness.length === 0
      ? []
      : [
          {
            ...{ name: 'how old those were, p50', value: at(0.5), unit: 'ms' },
            note: `p99 ${at(0.99).toFixed(1)} ms, worst ${at(1).toFixed(1)} ms`,
          },
        ]),
    {
      ...{ name: 'writes', value: writes / seconds, unit: '/s' },
      note: `p50 ${quantile(writeTimes, 0.5).toFixed(1)} ms, p99 ${quantile(writeTimes, 0.99).toFixed(1)} ms`,
    },
    { name: 'hits in memory (L1)', value: 100 * (ratios['l1'] ?? 0), unit: '% of all look-ups' },
    {
      ...{ name: 'hits in Redis (L2)', value: 100 * (ratios['l2'] ?? 0) },
      unit: '% of what L1 did not have',
    },
  ];
}

/** With gossip and without: hints make other nodes know earlier, and are never needed. */
export async function benchCoherence(seconds: number): Promise<boolean> {
  let isCoherent = true;
  for (const hasGossip of [true, false]) {
    await using cluster = await openBenchCluster({
      ...{ nodes: 3, env: hasGossip ? {} : withoutGossip },
    });
    const rows = await run(cluster, seconds);
    const [load = 0] = loadavg();
    const redis = cluster.hasRedis ? '' : ', no Redis on this machine';
    report(
      `three nodes, ${seconds} s of writes, ${hasGossip ? 'with' : 'without'} gossip${redis}, ` +
        `load ${load.toFixed(1)}`,
      rows,
    );
    isCoherent &&= rows[0]?.value === 0;
  }
  report('is a value in memory still true?', benchStamp());
  return isCoherent;
}

if (import.meta.main) {
  const isCoherent = await benchCoherence(Number(process.argv[2] ?? 30));
  if (!isCoherent) process.exitCode = 1;
}
