// A first scan by one node and by three: `node bench/cluster-scan.ts [files]`.
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ask } from '#test/lab/ask.ts';
import type { LabNode } from '#test/lab/node.ts';
import { openBenchCluster, settle, type BenchCluster } from './cluster.ts';
import { cpuSeconds, roles, type Role } from './cpu.ts';
import { report, type Row } from './report.ts';
import { makeTree } from './scan.ts';

/** A directory younger than this when it is read is read again: the tree must be older. */
const settleMs = 2_500;
const filesPerFilm = 5;
const scanMaxMs = 30 * 60_000;
const lookMs = 500;

interface Tree {
  readonly folder: string;
  readonly files: number;
}

/** How a scan went; seconds since it was asked for. */
interface Scanned {
  readonly seconds: number;
  /** Until each video was looked into as well. */
  readonly probedSeconds: number;
  readonly killedAt: number | undefined;
  readonly cpu: Record<Role, number>;
  /** Directory jobs by node. */
  readonly shares: readonly number[];
  /** What is not as it should be; empty: each row is there, once. */
  readonly faults: readonly string[];
}

async function startScan({ nodes, token }: BenchCluster, folder: string): Promise<void> {
  const json = { kind: 'movie', name: 'Films', paths: [folder], scanIntervalMinutes: 0 };
  const url = `${nodes[0]!.url}/api/v1/libraries`;
  const answer = await ask({ url, token: await token(), method: 'POST', json });
  if (answer.status !== 201) throw new Error(`no library: ${answer.status} ${answer.code}`);
}

interface Progress {
  readonly state: string;
  readonly read: number;
  readonly left: number;
  readonly scanNode: string | null;
}

async function progressOf({ sql }: BenchCluster): Promise<Progress> {
  const [row] = await sql<Progress[]>`
    select s.state, coalesce((s.counters ->> 'directoriesRead')::int, 0) as read,
      (select count(*)::int from shared.jobs j
        where j.name = 'library.probe' and j.state in ('waiting', 'running')) as left,
      (select node_id from shared.jobs j
        where j.name = 'LibraryScan' and j.state = 'running' limit 1) as "scanNode"
    from library_scans s order by s.id desc limit 1`;
  return row!;
}

type Ids = ReadonlyMap<string, LabNode>;

/** Asked before: it takes a while on a machine that is busy. */
async function idsOf(nodes: readonly LabNode[]): Promise<Ids> {
  const pairs = nodes.map(async (node) => {
    const { nodeId } = await node.command<{ nodeId: string }>('cluster', 'status');
    return [nodeId, node] as const;
  });
  return new Map(await Promise.all(pairs));
}

async function scan(cluster: BenchCluster, tree: Tree, isKilling: boolean): Promise<Scanned> {
  const ids = await idsOf(cluster.nodes);
  await settle();
  const before = cpuSeconds(cluster.dir);
  const begun = performance.now();
  const seconds = () => (performance.now() - begun) / 1000;
  await startScan(cluster, tree.folder);
  const half = tree.files / filesPerFilm / 2;
  let killedAt: number | undefined;
  let scannedAt: number | undefined;
  let cpu: Record<Role, number> = before;
  for (;;) {
    if (performance.now() - begun > scanMaxMs) throw new Error('the scan takes too long');
    await pause(lookMs);
    const { state, read, left, scanNode } = await progressOf(cluster);
    if (state === 'failed' || state === 'cancelled') throw new Error(`the scan is ${state}`);
    if (isKilling && killedAt === undefined && read >= half && scanNode !== null) {
      // The one that runs it: the others have to notice, and to go on.
      await ids.get(scanNode)?.kill();
      killedAt = seconds();
    }
    if (state === 'completed' && scannedAt === undefined) {
      scannedAt = seconds();
      cpu = cpuSeconds(cluster.dir);
    }
    if (scannedAt !== undefined && left === 0) break;
  }
  // What a node has used that was killed is not known any more.
  const used = Object.fromEntries(
    roles.map((role) => [role, Math.max(0, cpu[role] - before[role])]),
  );
  return {
    ...{ seconds: scannedAt, probedSeconds: seconds(), killedAt },
    cpu: used as Record<Role, number>,
    shares: await sharesOf(cluster),
    faults: await faultsOf(cluster, tree),
  };
}

async function sharesOf({ sql }: BenchCluster): Promise<number[]> {
  const rows = await sql<{ count: number }[]>`
    select count(*)::int as count from shared.jobs
    where name = 'library.read' and state = 'completed' group by node_id order by 1 desc`;
  return rows.map(({ count }) => count);
}

/** Every file of the tree and every film has one row, and nothing is left to do. */
async function faultsOf({ sql }: BenchCluster, { files }: Tree): Promise<string[]> {
  const films = files / filesPerFilm;
  const expected = {
    files: files,
    'paths of files': files,
    films: films,
    'titles of films': films,
    'files of no film': 0,
    'files missing': 0,
    'videos not looked into': 0,
    directories: films + 1,
    'directories left to do': 0,
    'dead jobs': 0,
  };
  const [found] = await sql<[Record<keyof typeof expected, number>]>`
    select (select count(*)::int from files) as "files",
      (select count(distinct path)::int from files) as "paths of files",
      (select count(*)::int from movies) as "films",
      (select count(distinct title)::int from movies) as "titles of films",
      (select count(*)::int from files where item_id is null) as "files of no film",
      (select count(*)::int from files where missing_since is not null) as "files missing",
      (select count(*)::int from files where probe_state = 'due') as "videos not looked into",
      (select count(*)::int from directories) as "directories",
      (select count(*)::int from directories where is_due or not is_settled)
        as "directories left to do",
      (select count(*)::int from shared.jobs where state = 'dead') as "dead jobs"`;
  return Object.entries(expected).flatMap(([what, count]) => {
    const is = found[what as keyof typeof expected];
    return is === count ? [] : [`${what}: ${is} instead of ${count}`];
  });
}

interface Run {
  readonly name: string;
  readonly nodes: number;
  readonly isKilling: boolean;
}

const runs: readonly Run[] = [
  { name: 'one node', nodes: 1, isKilling: false },
  { name: 'three nodes', nodes: 3, isKilling: false },
  { name: 'three nodes, the one that runs it killed half-way', nodes: 3, isKilling: true },
];

async function scanOnce({ nodes, isKilling }: Run, tree: Tree): Promise<Scanned> {
  await using cluster = await openBenchCluster({ nodes });
  return await scan(cluster, tree, isKilling);
}

/** Prints each scan as it ends; resolves to whether every row was there, once. */
export async function benchClusterScan(tree: Tree): Promise<boolean> {
  const rows: Row[] = [];
  const faults: string[] = [];
  let one: Scanned | undefined;
  for (const each of runs) {
    const scanned = await scanOnce(each, tree);
    one ??= scanned;
    rows.push(...rowsOf(each.name, { scanned, one, files: tree.files }));
    faults.push(...scanned.faults.map((fault) => `${each.name}: ${fault}`));
  }
  report(`a first scan of ${tree.files} files, load ${loadavg()[0]?.toFixed(1)}`, rows);
  const verdict = faults.length === 0 ? 'each row is there, once' : faults.join('\n  ');
  process.stdout.write(`  ${verdict}\n`);
  return faults.length === 0;
}

interface Compared {
  readonly scanned: Scanned;
  readonly one: Scanned;
  readonly files: number;
}

function rowsOf(name: string, { scanned, one, files }: Compared): Row[] {
  const { seconds, probedSeconds, killedAt, cpu, shares } = scanned;
  const baseline = (of: number) => ({ name: 'one node', value: files / of });
  const used = roles.map((role) => `${role} ${cpu[role].toFixed(0)}`).join(', ');
  const killed = killedAt === undefined ? '' : `; killed after ${killedAt.toFixed(0)} s`;
  const jobs = shares.length === 0 ? '' : `; directory jobs by node ${shares.join(', ')}`;
  return [
    {
      ...{ name: `${name}: in the catalogue`, value: files / seconds, unit: 'files/s' },
      baseline: baseline(one.seconds),
      note: `${seconds.toFixed(0)} s${killed}${jobs}; seconds of processor: ${used}`,
    },
    {
      ...{ name: `${name}: and looked into`, value: files / probedSeconds, unit: 'files/s' },
      baseline: baseline(one.probedSeconds),
      note: `${probedSeconds.toFixed(0)} s`,
    },
  ];
}

if (import.meta.main) {
  const folder = await mkdtemp(join(tmpdir(), 'revenge-bench-cluster-scan-'));
  try {
    const files = await makeTree(folder, Number(process.argv[2] ?? 100_000), { areEmpty: true });
    await pause(settleMs);
    if (!(await benchClusterScan({ folder, files }))) process.exitCode = 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
