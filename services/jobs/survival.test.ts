import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { connectPostgres } from '#storage/postgres/connect.ts';
import { gate, never, testJobs } from '#test/jobs.ts';
import { quiet } from '#test/log.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { severablePostgres } from '#test/severed.ts';
import { defineJob, on } from './job.ts';

const job = defineJob<object>('job', { queue: 'library', attempts: 1, timeoutMs: 600_000 });
const victim = fileURLToPath(import.meta.resolve('#test/jobs-victim.ts'));

describe('jobs: survival', () => {
  let db: TestDatabase;
  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());
  beforeEach(() => db.sql`truncate shared.jobs, shared.job_workers`);
  const read = async () => (await db.sql`select * from shared.jobs order by id`)[0]!;

  async function startVictim(nodeId: string): Promise<ChildProcess> {
    const { socket, database, user } = db.address;
    const args = [victim, socket, database, user, nodeId];
    return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  }
  async function said(child: ChildProcess, wanted: string): Promise<void> {
    for await (const line of createInterface(child.stdout!)) if (line === wanted) return;
    throw new Error(`the victim ended without saying ${wanted}`);
  }
  async function kill(child: ChildProcess): Promise<void> {
    if (child.signalCode !== null || child.exitCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }

  it('runs elsewhere what a node held when it was killed with -9', async () => {
    const child = await startVictim('victim');
    try {
      const jobs = testJobs(db);
      const id = await jobs.add(db.sql, job, {});
      await said(child, 'holding');
      await kill(child);
      expect(await read()).to.include({ id, state: 'running', node_id: 'victim' });
      const silentMs = 300;
      await using other = testJobs(db, { nodeId: 'b', times: { beatMs: 20, silentMs } });
      await other.start([on(job, async () => undefined)]);
      await other.until({ jobId: id!, state: 'completed' });
      expect(await read()).to.include({ attempt: 1, rescues: 1, node_id: 'b' });
      const nodes = await db.sql`select node_id from shared.job_workers`;
      expect(nodes.map((row) => row['node_id'] as string)).to.deep.equal(['b']);
    } finally {
      await kill(child);
    }
  });

  it('takes the cluster at its word that a node is gone, but not against its own beats', async () => {
    const child = await startVictim('victim');
    try {
      const times = { beatMs: 20, goneMs: 300 };
      await using leader = testJobs(db, {
        ...{ nodeId: 'b', times, silentNodes: () => ['victim'] },
      });
      const id = await leader.add(db.sql, job, {});
      await said(child, 'holding');
      const finishes: string[] = [];
      await leader.start([on(job, async () => void finishes.push('done'))]);
      // It lives, and says so in the database: that the cluster does not hear it changes nothing.
      const [first] = await db.sql`select beat_at from shared.job_workers where node_id = 'victim'`;
      const beats = async () =>
        (
          await db.sql`select 1 from shared.job_workers where node_id = 'victim'
          and beat_at > ${first!['beat_at'] as Date} + interval '1 second'`
        ).length;
      while ((await beats()) === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      expect(await read()).to.include({ state: 'running', node_id: 'victim' });
      await kill(child);
      await leader.until({ jobId: id!, state: 'completed' });
      // Of the usual half minute nothing like that was needed: nobody else may forget it sooner.
      expect(await read()).to.include({ rescues: 1, node_id: 'b' });
      expect(finishes).to.deep.equal(['done']);
    } finally {
      await kill(child);
    }
  });

  it('has its jobs back at once when a killed node starts again', async () => {
    const child = await startVictim('node-a');
    try {
      await using jobs = testJobs(db, { times: never });
      const id = await jobs.add(db.sql, job, {});
      await said(child, 'holding');
      await kill(child);
      await jobs.start([on(job, async () => undefined)]);
      await jobs.until({ jobId: id!, state: 'completed' });
    } finally {
      await kill(child);
    }
  });

  it('outlives an outage of PostgreSQL: what ended meanwhile is written afterwards', async () => {
    await using way = await severablePostgres(db.address.socket);
    const address = { ...db.address, socket: way.socket };
    await using cuttable = await connectPostgres({ ...address, pool: { max: 3 }, log: quiet });
    // Long enough that a busy machine is not taken for a dead one.
    const times = { pollMs: 20, keepMs: 20, beatMs: 20, silentMs: 2_000 };
    const finished: string[] = [];
    const onFinish = ({ jobId, outcome }: { jobId: string; outcome: string }) =>
      void finished.push(`${jobId} ${outcome}`);
    await using jobs = testJobs(cuttable, { times, onFinish });
    const goOn = gate();
    await jobs.start([on(job, () => goOn.promise)]);
    const first = (await jobs.add(cuttable.sql, job, {}))!;
    await jobs.until({ jobId: first, state: 'running' });
    await way.cut();
    goOn.resolve();
    while (finished.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect((await read())['state']).to.equal('running');
    const second = (await jobs.add(db.sql, job, {}))!;
    await way.mend();
    await jobs.until({ jobId: first, state: 'completed' });
    await jobs.until({ jobId: second, state: 'completed' });
    expect(finished).to.deep.equal([`${first} completed`, `${second} completed`]);
    expect(await read()).to.include({ state: 'completed', attempt: 1, rescues: 0 });
  });

  it('hears notifications again after an outage', async () => {
    await using way = await severablePostgres(db.address.socket);
    const address = { ...db.address, socket: way.socket };
    await using cuttable = await connectPostgres({ ...address, pool: { max: 3 }, log: quiet });
    const listening = async () =>
      (
        await db.sql`
        select from pg_stat_activity
        where datname = ${db.name} and query ilike 'listen%' and state = 'idle'`
      ).length;
    await using jobs = testJobs(cuttable, { times: { ...never, pollMs: 500 } });
    await jobs.start([on(job, async () => undefined)]);
    for (let round = 0; round < 2; round++) {
      while ((await listening()) !== 1);
      await way.cut();
      while ((await listening()) !== 0);
      const id = (await jobs.add(db.sql, job, {}))!;
      await way.mend();
      await jobs.until({ jobId: id, state: 'completed' });
    }
    while ((await listening()) !== 1);
  });

  it('starts when PostgreSQL does, and stops while it is away', async () => {
    await using way = await severablePostgres(db.address.socket);
    await way.cut();
    const address = { ...db.address, socket: way.socket };
    await using cuttable = await connectPostgres({ ...address, pool: { max: 2 }, log: quiet });
    const jobs = testJobs(cuttable, { times: { ...never, pollMs: 20 } });
    const id = (await jobs.add(db.sql, job, {}))!;
    const workers = jobs.work([on(job, async () => undefined)]);
    await way.mend();
    await workers.ready;
    await jobs.until({ jobId: id, state: 'completed' });
    await way.cut();
    await workers.stop({ softMs: 0 });

    const early = testJobs(cuttable, { times: never }).work([]);
    await early.stop({ softMs: 0 });
    await early.ready;
  });
});
