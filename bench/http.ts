import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import autocannon from 'autocannon';
import { lookEveryMs } from '#node/memory.ts';
import { fillFilms } from './films.ts';
import { post, startBenchNode, type BenchNode } from './node.ts';
import { report, type Row } from './report.ts';
import { makeTree } from './scan.ts';

const seconds = 5;
const connections = 16;
const restMs = 30_000;

interface Load {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/** One question, asked in several spellings so that no cache answers them all. */
interface Question {
  readonly name: string;
  readonly paths: readonly string[];
}

/**
 * List, search-as-you-type and detail over `count` films, idle and while a scan runs, each against a
 * bare Express handler that returns the same bytes; and the memory of the node after it all.
 */
export async function benchHttp(count: number, scanFolder: string): Promise<Row[]> {
  await using node = await startBenchNode();
  await fillFilms(node.sql, count);
  await rebuildSearch(node, count);
  const questions = await prepare(node);
  const rows = memoryRows(node, `with ${count} films, right after indexing them`);
  await pause(2 * lookEveryMs + restMs);
  rows.push(...memoryRows(node, `with ${count} films, at rest`));
  for (const question of questions) rows.push(...(await compare(node, question, 'idle')));
  await startScan(node, scanFolder);
  for (const question of questions) rows.push(...(await compare(node, question, 'scanning')));
  rows.push(...memoryRows(node, 'right after the load'));
  await pause(restMs);
  rows.push(...memoryRows(node, `${restMs / 1_000} s later`));
  return rows;
}

function memoryRows(node: BenchNode, when: string): Row[] {
  const { api, media } = node.memory();
  const inMegabytes = (bytes: number) => ({ value: bytes / 2 ** 20, unit: 'MB' });
  return [
    { name: `memory ${when}, API process`, ...inMegabytes(api) },
    { name: `memory ${when}, media processes`, ...inMegabytes(media) },
  ];
}

async function prepare(node: BenchNode): Promise<Question[]> {
  const ids = await node.sql<{ id: string }[]>`select id from movies order by id limit 500`;
  const letters = ['si', 'sil', 'silent r', 'golden', 'fro', 'forst shad', 'harbor 12', 'crown'];
  return [
    { name: 'list', paths: ['/api/v1/movies?limit=50'] },
    {
      name: 'list, filtered and sorted',
      paths: ['Drama', 'Comedy', 'Horror'].flatMap((genre) =>
        ['added', 'year'].map((sort) => `/api/v1/movies?genre=${genre}&sort=${sort}`),
      ),
    },
    {
      name: 'search as you type',
      paths: letters.map((text) => `/api/v1/search/suggest?q=${encodeURIComponent(text)}`),
    },
    { name: 'detail', paths: ids.map(({ id }) => `/api/v1/movies/${id}`) },
  ];
}

async function compare(node: BenchNode, { name, paths }: Question, state: string): Promise<Row[]> {
  const headers = { authorization: `Bearer ${node.token}` };
  const [first = ''] = paths;
  const answer = await fetch(node.url + first, { headers });
  const body = await answer.text();
  if (!answer.ok) throw new Error(`${first}: ${answer.status} ${body}`);
  const bare = await bareLoad(body);
  const ours = await load(node.url, { paths, headers });
  const baseline = { name: 'bare Express, same bytes', value: bare.perSecond };
  const note = `p50 ${ours.p50} ms, p99 ${ours.p99} ms; bare p50 ${bare.p50}, p99 ${bare.p99}`;
  return [{ name: `${name}, ${state}`, value: ours.perSecond, unit: 'req/s', baseline, note }];
}

async function load(
  url: string,
  { paths, headers }: { paths: readonly string[]; headers: Record<string, string> },
): Promise<Load> {
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    requests: paths.map((path) => ({ method: 'GET' as const, path, headers })),
  });
  if (result.non2xx > 0) throw new Error(`${result.non2xx} answers were not 2xx`);
  const { requests, latency } = result;
  return { perSecond: requests.average, p50: latency.p50, p99: latency.p99 };
}

async function bareLoad(body: string): Promise<Load> {
  const script = new URL('./bare.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    child.stdin.end(body);
    const [port] = (await once(child.stdout, 'data')) as [Buffer];
    const url = `http://127.0.0.1:${port.toString().trim()}`;
    return await load(url, { paths: ['/'], headers: {} });
  } finally {
    child.kill('SIGKILL');
  }
}

async function rebuildSearch(node: BenchNode, count: number): Promise<void> {
  await post(node, '/api/v1/admin/search/rebuild', {});
  const deadline = Date.now() + 600_000;
  for (;;) {
    const [row] = await node.sql<{ found: number }[]>`
      select count(*) as found from shared.search_documents`;
    if ((row?.found ?? 0) >= count) break;
    if (Date.now() > deadline) throw new Error('the search index was not rebuilt in time');
    await new Promise((done) => setTimeout(done, 1_000));
  }
  await node.sql`vacuum analyze shared.search_documents`;
  await node.sql`vacuum analyze shared.search_words`;
}

async function startScan(node: BenchNode, folder: string): Promise<void> {
  const body = { kind: 'movie', name: 'Scanned', paths: [folder] };
  await post(node, '/api/v1/libraries', body);
}

if (import.meta.main) {
  const folder = await mkdtemp(join(tmpdir(), 'revenge-bench-http-'));
  try {
    const films = Number(process.argv[2] ?? 200_000);
    await makeTree(folder, Math.max(500, films / 4));
    report(`API over ${films} films`, await benchHttp(films, folder));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
