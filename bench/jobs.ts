import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PgBoss } from 'pg-boss';
import { createJobs, type Workers } from '#services/jobs/index.ts';
import { defineJob, on } from '#services/jobs/job.ts';
import { createBell } from '#services/jobs/wake.ts';
import { connectPostgres, type Queryable, type Sql } from '#storage/postgres/connect.ts';
import { startEmbedded } from '#storage/postgres/embedded.ts';
import { createMigrator } from '#storage/postgres/migrate.ts';
import { quiet } from '#test/log.ts';
import { median, report, type Row } from './report.ts';

/**
 * Our queue against pg-boss through postgres.js, both on one durable PostgreSQL in one run:
 * `node bench/jobs.ts [jobs]`. pg-boss is driven by the worker loop that we would have to write
 * around it: one fetch for the free slots, outcomes written together, woken by its notification.
 */
const count = Number(process.argv[2] ?? 5_000);
const rounds = 3;
const producers = 16;

/** What is measured of either queue. */
interface Contender {
  readonly name: string;
  add(tx: Queryable, onDone: () => void): Promise<void>;
  addMany(tx: Queryable, jobs: number, onDone: () => void): Promise<void>;
  /** Starts working with a limit; `stop` ends it. */
  work(limit: number): Promise<{ stop(): Promise<void> }>;
  close(): Promise<void>;
}

async function contendOurs(sql: Sql): Promise<Contender> {
  let done = () => {};
  const job = defineJob<{ n: number }>('bench', {
    queue: 'library',
    attempts: 3,
    timeoutMs: 60_000,
  });
  return {
    name: 'ours',
    async add(tx, onDone) {
      done = onDone;
      await create(sql).add(tx as Sql, job, { n: 1 });
    },
    async addMany(tx, jobs, onDone) {
      done = onDone;
      const list = Array.from({ length: jobs }, (_, n) => ({ payload: { n } }));
      await create(sql).addMany(tx as Sql, job, list);
    },
    async work(limit) {
      const workers: Workers = create(sql).work([on(job, async () => done())]);
      await workers.ready;
      workers.setLimit('library', limit);
      return { stop: () => workers.stop({ softMs: 0 }) };
    },
    close: async () => undefined,
  };
}

const create = (sql: Sql) =>
  createJobs({
    sql,
    write: (work) =>
      sql.begin((tx) =>
        work(
          tx,
          () => undefined,
          () => undefined,
        ),
      ) as never,
    log: quiet,
    now: Date.now,
    random: Math.random,
    nodeId: 'bench',
    events: { publish: () => undefined },
  });

/** The one statement executor pg-boss asks for, on postgres.js. */
const executor = (sql: Queryable) => ({
  executeSql: async (text: string, values?: unknown[]) => ({
    rows: [...(await sql.unsafe(text, values as never[]))] as never[],
  }),
});

async function contendBoss(sql: Sql, installer: Sql): Promise<Contender> {
  const { PgBoss } = await import('pg-boss'); // late: the memory it costs is measured apart
  const options = { schema: 'jobs', supervise: false, schedule: false, migrate: true };
  const install = new PgBoss({ ...options, db: executor(installer) });
  await install.start();
  await install.createQueue('library', { policy: 'exclusive', notify: true, retryLimit: 2 });
  await install.stop();
  const boss = new PgBoss({ ...options, migrate: false, db: executor(sql) });
  await boss.start();
  let done = () => {};
  const options_ = () => ({ singletonKey: randomUUID(), expireInSeconds: 60 });
  return {
    name: 'pg-boss',
    async add(tx, onDone) {
      done = onDone;
      await boss.send('library', { n: 1 }, { ...options_(), db: executor(tx) });
    },
    async addMany(tx, jobs, onDone) {
      done = onDone;
      const list = Array.from({ length: jobs }, (_, n) => ({ data: { n }, ...options_() }));
      await boss.insert('library', list, { db: executor(tx) });
    },
    work: async (limit) => loopBoss(boss, sql, { limit, run: () => done() }),
    close: () => boss.stop({ graceful: false }),
  };
}

async function loopBoss(boss: PgBoss, sql: Sql, worker: { limit: number; run: () => void }) {
  const bell = createBell();
  let stopped = false;
  let running = 0;
  let finished: string[] = [];
  let settling: Promise<void> | undefined;
  const settle = async () => {
    for (; finished.length > 0;) {
      const ids = finished;
      finished = [];
      await boss.complete('library', ids);
    }
    settling = undefined;
  };
  const run = async (id: string) => {
    await Promise.resolve().then(worker.run);
    running--;
    finished.push(id);
    settling ??= Promise.resolve().then(settle);
    bell.ring();
  };
  const listening = await sql.listen(bossChannel, () => bell.ring());
  const loop = (async () => {
    while (!stopped) {
      const free = worker.limit - running;
      const jobs = free > 0 ? await boss.fetch('library', { batchSize: free }) : [];
      running += jobs.length;
      for (const { id } of jobs) void run(id);
      if (jobs.length < free || free <= 0) await bell.wait(1_000);
    }
  })();
  return {
    async stop() {
      stopped = true;
      bell.ring();
      await loop;
      await settling;
      await listening.unlisten();
    },
  };
}

/** How pg-boss 12 names the channel of the schema `jobs` (plans.js, notifyChannelSql). */
const bossChannel = `pgboss_${createHash('sha224').update('jobs').digest('hex').slice(0, 24)}`;

async function perSecond(jobs: number, work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return (jobs / (performance.now() - began)) * 1_000;
}

async function single(contender: Contender, sql: Sql): Promise<number> {
  const jobs = Math.min(count, 2_000);
  let left = jobs;
  return perSecond(jobs, async () => {
    const producer = async () => {
      while (left-- > 0) await sql.begin((tx) => contender.add(tx, () => {}));
    };
    await Promise.all(Array.from({ length: producers }, producer));
  });
}

const bulk = (contender: Contender, sql: Sql) =>
  perSecond(count, () => sql.begin((tx) => contender.addMany(tx, count, () => {})));

async function throughput(contender: Contender, sql: Sql, limit: number): Promise<number> {
  const all = Promise.withResolvers<void>();
  let left = count;
  await contender.addMany(sql, count, () => {
    if (--left === 0) all.resolve();
  });
  return perSecond(count, async () => {
    const worker = await contender.work(limit);
    await all.promise;
    await worker.stop();
  });
}

async function latency(contender: Contender, sql: Sql): Promise<number[]> {
  const worker = await contender.work(10);
  const times: number[] = [];
  for (let n = 0; n < 200; n++) {
    const started = Promise.withResolvers<void>();
    let began = 0;
    await sql
      .begin((tx) => contender.add(tx, () => started.resolve()))
      .then(() => (began = performance.now()));
    await started.promise;
    times.push(Math.max(0, performance.now() - began));
  }
  await worker.stop();
  return times.sort((a, b) => a - b);
}

/** Memory a process has after importing a module and what it needs, in MB. */
function memory(...specifiers: string[]): number {
  const imports = specifiers.map((specifier) => `await import(${JSON.stringify(specifier)});`);
  const script = `${imports.join('')} gc(); gc();
    process.stdout.write(String(process.memoryUsage().rss / 1e6))`;
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const run = () =>
    Number(
      execFileSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', script], { cwd }),
    );
  return median([run(), run(), run(), run(), run()]);
}

async function clear(sql: Sql): Promise<void> {
  await sql`truncate shared.jobs`;
  await sql`delete from jobs.job`;
}

async function compare(sql: Sql, ours: Contender, boss: Contender): Promise<Row[]> {
  const rows: Row[] = [];
  const measure = async (name: string, unit: string, of: (who: Contender) => Promise<number>) => {
    const figures = new Map<Contender, number[]>([
      [ours, []],
      [boss, []],
    ]);
    for (let round = 0; round < rounds; round++) {
      for (const [who, list] of figures) {
        await clear(sql);
        list.push(await of(who));
      }
    }
    const value = median(figures.get(ours) ?? []);
    const baseline = { name: 'pg-boss', value: median(figures.get(boss) ?? []) };
    rows.push({ name, value, unit, baseline });
  };
  await measure('enqueue, one per transaction, 16 at a time', '/s', (who) => single(who, sql));
  await measure(`enqueue, ${count} in one transaction`, '/s', (who) => bulk(who, sql));
  await measure('worked off at limit 10', '/s', (who) => throughput(who, sql, 10));
  await measure('worked off at limit 50', '/s', (who) => throughput(who, sql, 50));
  const at = (share: number) => async (who: Contender) => {
    const times = await latency(who, sql);
    return times[Math.floor(times.length * share)] ?? Number.NaN;
  };
  await measure('commit to start, median', 'ms', at(0.5));
  await measure('commit to start, 95 %', 'ms', at(0.95));
  return rows;
}

const dataDir = await mkdtemp(join(tmpdir(), 'revenge-bench-jobs-'));
const embedded = await startEmbedded({ dataDir, log: quiet });
const address = { socket: embedded.socket, database: 'postgres', user: embedded.user };
const database = await connectPostgres({ ...address, pool: { max: producers }, log: quiet });
const installer = await connectPostgres({ ...address, pool: { max: 1 }, log: quiet });
try {
  const { sql } = database;
  await createMigrator({ sql, dir: join(import.meta.dirname, '../migrations'), log: quiet }).up();
  const ours = await contendOurs(sql);
  const boss = await contendBoss(sql, installer.sql);
  const rows = await compare(sql, ours, boss);
  await boss.close();
  const ourModules = ['#storage/postgres/connect.ts', '#services/jobs/index.ts'];
  const value = memory(...ourModules);
  const baseline = { name: 'with pg-boss beside it', value: memory(...ourModules, 'pg-boss') };
  rows.push({ name: 'memory of a process with the queue loaded', value, unit: 'MB', baseline });
  report('jobs', rows);
} finally {
  await installer.close();
  await database.close();
  await embedded.close();
  await rm(dataDir, { recursive: true, force: true });
}
