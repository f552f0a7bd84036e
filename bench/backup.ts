import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { writeWhole } from '#services/backup/file.ts';
import { verifyBackup } from '#services/backup/read.ts';
import { restoreBackup } from '#services/backup/restore.ts';
import { generateKey, type Key, type Lock } from '#services/backup/seal.ts';
import { writeBackup, type Written } from '#services/backup/write.ts';
import { connectPostgres, type Sql } from '#storage/postgres/connect.ts';
import { copyOut, prepareCopy } from '#storage/postgres/copy.ts';
import { startEmbedded } from '#storage/postgres/embedded.ts';
import { createMigrator } from '#storage/postgres/migrate.ts';
import { quiet } from '#test/log.ts';
import { fillFilms } from './films.ts';
import { report, type Row } from './report.ts';

/** Backup and restore of a library of films on a durable PostgreSQL: `node bench/backup.ts [films]`. */
const films = Number(process.argv[2] ?? 200_000);
const megabyte = 1024 * 1024;
const migrationsDir = join(import.meta.dirname, '../migrations');

interface Cost {
  readonly seconds: number;
  /** Of this process, all threads. */
  readonly cpuSeconds: number;
  readonly peakBytes: number;
  readonly longestBlockMs: number;
}

async function measure<T>(work: () => Promise<T>): Promise<{ result: T; cost: Cost }> {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  let peakBytes = 0;
  const watch = setInterval(() => {
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
  }, 20);
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  delay.enable();
  const result = await work();
  delay.disable();
  clearInterval(watch);
  const { user, system } = process.cpuUsage(cpu);
  const cost = {
    seconds: (performance.now() - began) / 1_000,
    cpuSeconds: (user + system) / 1e6,
    peakBytes,
    longestBlockMs: delay.max / 1e6,
  };
  return { result, cost };
}

const noteOf = ({ seconds, cpuSeconds, peakBytes, longestBlockMs }: Cost) =>
  `${seconds.toFixed(1)} s, CPU ${cpuSeconds.toFixed(1)} s, ` +
  `at most ${Math.round(peakBytes / megabyte)} MB resident, ${Math.round(longestBlockMs)} ms blocked`;

/** What PostgreSQL and the driver give: the same rows, counted and thrown away. */
const bare = (sql: Sql, { manifest }: Written) =>
  sql.begin(async (tx) => {
    await prepareCopy(tx);
    let bytes = 0;
    for (const { name, columns } of manifest.tables) {
      for await (const chunk of copyOut(tx, { table: name, columns })) bytes += chunk.length;
    }
    return bytes;
  });

async function backUp(sql: Sql, file: string, lock: Lock | undefined) {
  const what = { sql, readPicture: undefined, application: 'bench', lock };
  const { result, cost } = await measure(() =>
    writeWhole(
      file,
      (sink) => writeBackup(what, sink),
      async () => undefined,
    ),
  );
  return { written: result, cost, bytes: (await stat(file)).size };
}

const contentOf = ({ end }: Written) => end.tables.reduce((sum, { bytes }) => sum + bytes, 0);

async function run(from: Sql, into: Sql, dir: string): Promise<Row[]> {
  await fillFilms(from, films);
  const [plain, sealed] = [join(dir, 'plain.tar.zst'), join(dir, 'sealed.tar.zst.age')];
  const { identity, recipient } = await generateKey();
  const first = await backUp(from, plain, undefined);
  const base = await measure(() => bare(from, first.written));
  const second = await backUp(from, sealed, { recipients: [recipient] });
  const content = contentOf(first.written) / megabyte;
  const rows = first.written.end.tables.reduce((sum, table) => sum + table.rows, 0);
  const rate = ({ seconds }: Cost) => content / seconds;
  const baseline = { name: 'bare COPY', value: rate(base.cost) };
  const row = (name: string, cost: Cost): Row => ({
    ...{ name, value: rate(cost), unit: 'MB/s of rows', note: noteOf(cost), baseline },
  });
  const verified = async (file: string, key: Key | undefined) =>
    (await measure(() => verifyBackup(file, key))).cost;
  const restored = await measure(() =>
    restoreBackup({
      ...{ file: plain, key: undefined, sql: into, migrationsDir, mappings: [] },
      ...{ isReplacing: false, isSigningOut: false, clusterId: undefined },
      ...{ listConnected: async () => [], savePicture: async () => undefined },
    }),
  );
  return [
    { name: 'rows', value: rows, unit: `in ${content.toFixed(0)} MB` },
    { name: 'file', value: first.bytes / megabyte, unit: 'MB', note: `${films} films` },
    row('backup', first.cost),
    row('backup, sealed', second.cost),
    row('verify', await verified(plain, undefined)),
    row('verify, sealed', await verified(sealed, { identities: [identity] })),
    row('restore', restored.cost),
  ];
}

const dataDir = await mkdtemp(join(tmpdir(), 'revenge-bench-backup-'));
const embedded = await startEmbedded({ dataDir, log: quiet, database: 'postgres' });
const connect = (database: string) =>
  connectPostgres({
    ...{ socket: embedded.socket, user: embedded.user, database, log: quiet },
    pool: { max: 3 },
    statementTimeoutMs: 0,
  });
const admin = await connect('postgres');
await admin.sql`create database target`;
const target = await connect('target');
try {
  await createMigrator({ sql: admin.sql, dir: migrationsDir, log: quiet }).up();
  report('backup and restore', await run(admin.sql, target.sql, dataDir));
} finally {
  await admin.close();
  await target.close();
  await embedded.close();
  await rm(dataDir, { recursive: true, force: true });
}
