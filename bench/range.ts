import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalClock } from '#cluster/clock.ts';
import { createWrite } from '#node/write.ts';
import { createPlayback } from '#services/playback/index.ts';
import { createCache } from '#storage/cache/index.ts';
import { createMedia } from '#storage/media/index.ts';
import { specOf, testApi } from '#test/http.ts';
import { libraryRows } from '#test/library-rows.ts';
import { quiet } from '#test/log.ts';
import { stopTestPostgres, testDatabase } from '#test/postgres.ts';
import { median, report } from './report.ts';

/**
 * Sending originals: the whole HTTP layer with playback, beside a bare server that does nothing but
 * `createReadStream` with the same 1 MiB reads. `node bench/range.ts [megabytes]`.
 */
const sizeBytes = Number(process.argv[2] ?? 512) * 1024 * 1024;
const rounds = 7;
const seeks = 300;
const chunkBytes = 1024 * 1024;

const root = await mkdtemp(join(tmpdir(), 'revenge-bench-range-'));
const path = join(root, 'film.mkv');
const file = await open(path, 'w');
for (let at = 0; at < sizeBytes; at += chunkBytes)
  await file.write(Buffer.alloc(chunkBytes, at % 251));
await file.close();

const bare = createServer((request, response) => {
  const [, start = '0', end = ''] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? [];
  const last = end === '' ? sizeBytes - 1 : Number(end);
  response.writeHead(206, { 'content-length': last - Number(start) + 1 });
  const options = { start: Number(start), end: last, highWaterMark: chunkBytes };
  createReadStream(path, options).pipe(response);
});
await new Promise<void>((resolve) => bare.listen(0, '127.0.0.1', resolve));
const bareUrl = `http://127.0.0.1:${(bare.address() as AddressInfo).port}/`;

try {
  await using db = await testDatabase();
  await using media = createMedia({
    log: quiet,
    processes: 1,
    idleMs: 60_000,
    perMountLimit: 4,
    now: Date.now,
  });
  const clock = createLocalClock({ epoch: 1 });
  const { sql } = db;
  const write = createWrite({ sql, invalidate: (tags) => clock.invalidate(tags) });
  const cache = createCache({ clock, log: quiet, now: Date.now, l1MaxBytes: 1_000_000 });
  const playback = createPlayback({
    store: { sql, write },
    ...{ cache, media, now: Date.now, log: quiet },
    signingKey: Buffer.alloc(32, 7),
  });
  await using api = await testApi({ handlers: playback.handlers, spec: specOf('playback') });
  const library = await libraryRows(sql, root);
  const fileId = await library.addFile({ path: 'film.mkv', role: 'video', sizeBytes });
  const url = `${api.url}/api/v1/playback/files/${fileId}/content`;

  const whole = { ours: [] as number[], bare: [] as number[] };
  const first = { ours: [] as number[], bare: [] as number[] };
  await fetchRange(url, 'bytes=0-0');
  for (let round = 0; round < rounds; round++) {
    whole.bare.push(rate(await fetchRange(bareUrl, 'bytes=0-')));
    whole.ours.push(rate(await fetchRange(url, 'bytes=0-')));
  }
  for (let seek = 0; seek < seeks; seek++) {
    const start = (seek * 7_919 * 4_096) % (sizeBytes - 65_536);
    const range = `bytes=${start}-${start + 65_535}`;
    first.bare.push((await fetchRange(bareUrl, range)).firstMs);
    first.ours.push((await fetchRange(url, range)).firstMs);
  }
  report(`Sending a file of ${sizeBytes / 1024 / 1024} MiB over loopback`, [
    {
      name: 'whole file',
      value: median(whole.ours),
      unit: 'MB/s',
      baseline: { name: 'a bare createReadStream', value: median(whole.bare) },
    },
    {
      name: 'seek, to the first byte (median)',
      value: median(first.ours),
      unit: 'ms',
      baseline: { name: 'a bare createReadStream', value: median(first.bare) },
    },
  ]);
} finally {
  await new Promise((resolve) => bare.close(resolve));
  await stopTestPostgres();
  await rm(root, { recursive: true });
}

interface Fetched {
  readonly receivedBytes: number;
  readonly firstMs: number;
  readonly totalMs: number;
}

function fetchRange(url: string, range: string): Promise<Fetched> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const headers = { range, authorization: 'Bearer playback.read' };
    const request = get(url, { headers }, (response) => {
      let receivedBytes = 0;
      let firstMs = 0;
      response.on('data', (chunk: Buffer) => {
        firstMs ||= performance.now() - began;
        receivedBytes += chunk.length;
      });
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode !== 206) reject(new Error(`status ${response.statusCode}`));
        else resolve({ receivedBytes, firstMs, totalMs: performance.now() - began });
      });
    });
    request.on('error', reject);
  });
}

function rate({ receivedBytes, totalMs }: Fetched): number {
  return receivedBytes / 1_000 / totalMs;
}
