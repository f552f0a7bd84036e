import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, mkdir, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startBenchNode, type BenchNode } from './node.ts';
import { median, report, type Row } from './report.ts';
import { freePort } from '#test/ports.ts';

const rounds = 5;
const chunkBytes = 2 ** 20;
const ticksPerSecond = 100;

/** What one transfer of the whole file cost. */
interface Transfer {
  readonly megabytesPerSecond: number;
  readonly cpuSecondsPerGigabyte: number;
}

/**
 * One large film by range, from a real node, from a bare server on createReadStream, and from nginx
 * (where there is one): curl fetches, the servers' CPU is what the kernel counted for them.
 */
export async function benchTransfer(megabytes: number): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'revenge-bench-transfer-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const film = await makeFilm(folder, megabytes);
  const node = stack.use(await startBenchNode({ movies: join(folder, 'films') }));
  const bare = stack.use(await startBare(film));
  const nginx = await startNginx(folder, film);
  if (nginx !== undefined) stack.use(nginx);
  const servers = [
    { name: 'node', url: await contentOf(node), pids: () => [node.pid], token: node.token },
    { name: 'bare', ...bare },
    ...(nginx === undefined ? [] : [{ name: 'nginx', ...nginx }]),
  ];
  const found = new Map<string, Transfer[]>(servers.map(({ name }) => [name, []]));
  // In turn, not one after the other: the machine's speed drifts.
  for (let round = 0; round <= rounds; round++) {
    for (const server of servers) {
      const transfer = measure(server, megabytes);
      if (round > 0) found.get(server.name)?.push(transfer);
    }
  }
  return rowsOf(found);
}

function rowsOf(found: ReadonlyMap<string, readonly Transfer[]>): Row[] {
  const of = (name: string, what: keyof Transfer) =>
    median((found.get(name) ?? []).map((transfer) => transfer[what]));
  return ['bare', 'nginx'].flatMap((name) =>
    found.has(name)
      ? [
          {
            name: 'range download',
            value: of('node', 'megabytesPerSecond'),
            unit: 'MB/s',
            baseline: { name, value: of(name, 'megabytesPerSecond') },
          },
          {
            name: 'server CPU',
            value: of('node', 'cpuSecondsPerGigabyte'),
            unit: 's/GB',
            baseline: { name, value: of(name, 'cpuSecondsPerGigabyte') },
          },
        ]
      : [],
  );
}

async function makeFilm(folder: string, megabytes: number): Promise<string> {
  const own = join(folder, 'films', 'Long Film (2001)');
  await mkdir(own, { recursive: true });
  const path = join(own, 'Long Film (2001).mkv');
  await using file = await open(path, 'w');
  for (let at = 0; at < megabytes; at++) await file.write(Buffer.alloc(chunkBytes, at % 251));
  return path;
}

function measure(
  server: { readonly url: string; readonly token?: string; pids(): readonly number[] },
  megabytes: number,
): Transfer {
  const before = cpuSeconds(server.pids());
  const began = performance.now();
  const range = `bytes=0-${megabytes * chunkBytes - 1}`;
  const proof = server.token === undefined ? [] : ['-H', `Authorization: Bearer ${server.token}`];
  const wanted = ['-H', `Range: ${range}`, ...proof, server.url];
  execFileSync('curl', ['-sf', '-o', '/dev/null', ...wanted]);
  const seconds = (performance.now() - began) / 1_000;
  const cpu = cpuSeconds(server.pids()) - before;
  return {
    megabytesPerSecond: megabytes / seconds,
    cpuSecondsPerGigabyte: cpu / (megabytes / 1_024),
  };
}

/** User and system time of processes, from /proc/<pid>/stat (fields 14 and 15, in ticks). */
function cpuSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return sum + (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  }, 0);
}

async function contentOf({ url, sql }: BenchNode): Promise<string> {
  for (let waited = 0; waited < 60_000; waited += 200) {
    const [file] = await sql<{ id: string }[]>`select id from files where role = 'video'`;
    if (file !== undefined) return `${url}/api/v1/playback/files/${file.id}/content`;
    await pause(200);
  }
  throw new Error('the film was not found');
}

async function startBare(film: string) {
  const script = new URL('./bare-file.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, film], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  return { ...ended(child), url: `http://127.0.0.1:${port.toString().trim()}/` };
}

function ended(child: ChildProcess) {
  return {
    pids: () => [child.pid ?? 0],
    async [Symbol.asyncDispose]() {
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    },
  };
}

async function startNginx(folder: string, film: string) {
  try {
    execFileSync('nginx', ['-v'], { stdio: 'ignore' });
  } catch {
    return undefined; // not installed: the comparison is left out, and the report shows it
  }
  const port = await freePort();
  const config = join(folder, 'nginx.conf');
  await writeFile(
    config,
    `daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
     events { worker_connections 64; }
     http { access_log off; sendfile on; client_body_temp_path ${folder}/body;
       proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
       uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
       server { listen 127.0.0.1:${port}; location = /film { alias "${film}"; } } }`,
  );
  const child = spawn('nginx', ['-c', config, '-p', folder], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}/film`;
  for (let tries = 0; tries < 50; tries++) {
    const answer = await fetch(url, { method: 'HEAD' }).catch(() => undefined);
    if (answer?.ok) return { ...ended(child), url };
    await pause(100);
  }
  throw new Error('nginx did not start');
}

if (import.meta.main) report('transfer', await benchTransfer(Number(process.argv[2] ?? 1_024)));
