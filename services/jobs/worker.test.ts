import { expect } from 'chai';
import { gate, never, testJobs } from '#test/jobs.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { problem } from '../errors.ts';
import { defineJob, GiveUpError, on, type JobContext } from './job.ts';
import { writeQueueSetting } from './settings.ts';

const job = defineJob<{ n: number }>('job', { queue: 'library', attempts: 2, timeoutMs: 60_000 });

describe('jobs: worker', () => {
  let db: TestDatabase;
  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());
  beforeEach(() => db.sql`truncate shared.jobs, shared.job_workers, shared.job_queues`);
  const read = async (id: string) => (await db.sql`select * from shared.jobs where id = ${id}`)[0]!;
  const dueNow = (id: string) =>
    db.sql`update shared.jobs set run_at = now() where id = ${id} and state = 'waiting'`;

  it('is woken by the commit, runs the handler, and tells', async () => {
    await using jobs = testJobs(db, { times: never });
    const seen: { payload: object; context: JobContext }[] = [];
    const run = async (payload: { n: number }, context: JobContext) => {
      seen.push({ payload, context });
    };
    await jobs.start([on(job, run)]);
    const id = await db.sql.begin((tx) => jobs.add(tx, job, { n: 7 }));
    expect(await jobs.until({ state: 'completed' })).to.deep.equal({
      jobId: id,
      queue: 'library',
      name: 'job',
      state: 'completed',
    });
    expect(seen[0]!.payload).to.deep.equal({ n: 7 });
    expect(seen[0]!.context).to.include({ jobId: id, attempt: 1 });
    expect(seen[0]!.context.signal.aborted).to.equal(false);
    expect(await read(id!)).to.include({ state: 'completed', attempt: 1, node_id: 'node-a' });
  });

  it('finds by polling what no notification told of', async () => {
    await using jobs = testJobs(db, { times: { ...never, pollMs: 20 } });
    await jobs.start([on(job, async () => undefined)]);
    await db.sql`
      insert into shared.jobs (name, queue, payload, priority, attempts, timeout_ms)
      values ('job', 'library', '{}', 2, 1, 1000)`;
    await jobs.until({ state: 'completed' });
  });

  it('leaves kinds it has no handler for, and refuses two handlers for one', async () => {
    await using jobs = testJobs(db, { times: { ...never, pollMs: 20 } });
    const unknown = defineJob<{ n: number }>('unknown', job.options);
    const id = await jobs.add(db.sql, unknown, { n: 1 });
    await jobs.start([on(job, async () => undefined)]);
    await jobs.add(db.sql, job, { n: 1 });
    await jobs.until({ state: 'completed', name: 'job' });
    expect((await read(id!))['state']).to.equal('waiting');
    const twice = [on(job, async () => undefined), on(job, async () => undefined)];
    expect(() => testJobs(db).work(twice)).to.throw('two handlers for the job job');
    expect(() => jobs.work([])).to.throw('already');
  });

  it('tries again after the pause, then keeps it with the dead; secrets stay out', async () => {
    await using jobs = testJobs(db, { times: { ...never, pollMs: 20 }, random: () => 0.5 });
    const fail = async () => {
      throw new Error('GET http://u:p@host/?apikey=abc failed');
    };
    await jobs.start([on(job, fail)]);
    const id = (await jobs.add(db.sql, job, { n: 1 }))!;
    await jobs.until({ jobId: id, state: 'waiting' });
    const resting = await read(id);
    const [first] = resting['errors'] as { at: string; message: string }[];
    const pauseMs = (resting['run_at'] as Date).getTime() - Date.parse(first!.at);
    expect(pauseMs).to.be.within(9_999, 10_001);
    await dueNow(id);
    await jobs.until({ jobId: id, state: 'dead' });
    const row = await read(id);
    expect(row).to.include({ attempt: 2, state: 'dead' });
    const errors = row['errors'] as { attempt: number; message: string }[];
    expect(errors.map(({ attempt }) => attempt)).to.deep.equal([1, 2]);
    expect(errors[1]!.message).to.equal('GET http://…@host/?… failed');
  });

  it('gives up at once when told to, and waits as long as the other side asks', async () => {
    await using jobs = testJobs(db, { times: never });
    const run = async ({ n }: { n: number }) => {
      if (n === 1) throw new GiveUpError('there is no such file');
      throw problem('too-many-requests', 'slow down', { retryAfterSeconds: 600 });
    };
    await jobs.start([on(job, run)]);
    const hopeless = (await jobs.add(db.sql, job, { n: 1 }))!;
    const patient = (await jobs.add(db.sql, job, { n: 2 }))!;
    await jobs.until({ jobId: hopeless, state: 'dead' });
    await jobs.until({ jobId: patient, state: 'waiting' });
    const row = await read(patient);
    const [error] = row['errors'] as { at: string }[];
    const pauseMs = (row['run_at'] as Date).getTime() - Date.parse(error!.at);
    expect(pauseMs).to.be.within(599_999, 600_001);
  });

  it('aborts a try at its time-out and counts it', async () => {
    await using jobs = testJobs(db, { times: never });
    const short = defineJob<{ n: number }>('short', { ...job.options, timeoutMs: 5, attempts: 1 });
    const run = (_: object, { signal }: JobContext) =>
      new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    await jobs.start([on(short, run)]);
    const id = (await jobs.add(db.sql, short, { n: 1 }))!;
    await jobs.until({ jobId: id, state: 'dead' });
    const [error] = (await read(id))['errors'] as { message: string }[];
    expect(error!.message).to.equal('not done after 5 ms');
  });

  it('leaves a handler alone that does not heed its signal, and goes on', async () => {
    await using jobs = testJobs(db, { times: { ...never, graceMs: 5 } });
    const deaf = defineJob<{ n: number }>('deaf', { ...job.options, timeoutMs: 5, attempts: 1 });
    const { promise: forever, resolve } = gate();
    const outcomes: string[] = [];
    const onFinish = ({ outcome }: { outcome: string }) => void outcomes.push(outcome);
    await using hearing = testJobs(db, { times: { ...never, graceMs: 5 }, onFinish, nodeId: 'b' });
    const workers = await hearing.start([on(deaf, () => forever)]);
    workers.setLimit('library', 1);
    const first = await jobs.add(db.sql, deaf, { n: 1 });
    const second = await jobs.add(db.sql, deaf, { n: 2 });
    await hearing.until({ jobId: first!, state: 'dead' });
    await hearing.until({ jobId: second!, state: 'dead' });
    expect(outcomes).to.deep.equal(['dead', 'dead']);
    resolve();
  });

  it('cancels what waits at once and what runs through its signal', async () => {
    await using jobs = testJobs(db, { times: never });
    const elsewhere = testJobs(db, { nodeId: 'b' });
    const run = (_: object, { signal }: JobContext) =>
      new Promise<void>((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error)),
      );
    const waiting = (await jobs.add(db.sql, job, { n: 1 }, { delayMs: 60_000 }))!;
    await jobs.start([on(job, run)]);
    const running = (await jobs.add(db.sql, job, { n: 1 }))!;
    await jobs.until({ jobId: running, state: 'running' });
    expect(await elsewhere.cancel(waiting)).to.equal(true);
    expect((await read(waiting))['state']).to.equal('cancelled');
    expect(await elsewhere.cancel(running)).to.equal(true);
    await jobs.until({ jobId: running, state: 'cancelled' });
    expect(await read(running)).to.include({ state: 'cancelled', attempt: 1 });
    expect(await elsewhere.cancel(running)).to.equal(false);
  });

  it('finds a cancel and a lost claim in the table when the notification was lost', async () => {
    await using jobs = testJobs(db, { times: { ...never, keepMs: 10 } });
    const reasons: string[] = [];
    const run = (_: object, { signal }: JobContext) =>
      new Promise<void>((resolve) =>
        signal.addEventListener('abort', () => {
          reasons.push((signal.reason as Error).message);
          resolve();
        }),
      );
    const workers = await jobs.start([on(job, run)]);
    const first = (await jobs.add(db.sql, job, { n: 1 }))!;
    await jobs.until({ jobId: first, state: 'running' });
    await db.sql`update shared.jobs set cancel_requested = true`;
    await jobs.until({ jobId: first, state: 'cancelled' });
    const second = (await jobs.add(db.sql, job, { n: 1 }))!;
    await jobs.until({ jobId: second, state: 'running' });
    await db.sql`update shared.jobs set claims = claims + 1 where id = ${second}`;
    while (workers.running('library') > 0) await db.sql`select 1`;
    expect(reasons).to.deep.equal(['the job was cancelled', 'the job is not ours any more']);
    expect((await read(second))['state']).to.equal('running');
  });

  it('gives back a claim whose answer never arrived', async () => {
    // Paused, so that what is given back is seen before it is taken again.
    await writeQueueSetting(db.sql, 'library', { limit: undefined, paused: true });
    await using jobs = testJobs(db, { times: { ...never, beatMs: 10 } });
    await jobs.start([on(job, async () => undefined)]);
    const id = (await jobs.add(db.sql, job, { n: 1 }, { delayMs: 60_000 }))!;
    await db.sql`
      update shared.jobs set state = 'running', attempt = 1, claims = 1, run_at = now(),
        started_at = now() - interval '11 s', worker_id = (select worker_id from shared.job_workers)
      where id = ${id}`;
    for (;;) {
      const row = await read(id);
      if (row['state'] === 'waiting') break;
    }
    expect(await read(id)).to.include({ attempt: 0, claims: 1 });
  });

  it('records progress, throttled, and tells of it', async () => {
    await using jobs = testJobs(db, { times: { ...never, progressMs: 5 } });
    const { promise: stored, resolve } = gate();
    const run = async (_: object, context: JobContext) => {
      for (let n = 0; n <= 500; n++) context.progress(n, 1_000, `item ${n}`);
      await stored;
      context.progress(1_000, 1_000, 'the last word');
    };
    await jobs.start([on(job, run)]);
    const id = (await jobs.add(db.sql, job, { n: 1 }))!;
    await jobs.until({ jobId: id, state: 'running', progress: 0.5 });
    for (;;) {
      const row = await read(id);
      if (row['progress_done'] === 500) break;
    }
    resolve();
    await jobs.until({ jobId: id, state: 'completed' });
    const row = await read(id);
    expect(row).to.include({ progress_done: 1_000, progress_note: 'the last word' });
    expect(jobs.changes.filter(({ progress }) => progress !== undefined)).to.have.length.below(5);
  });

  it('follows its limits while it runs: 10, 2, 0, 10', async () => {
    await using jobs = testJobs(db, { times: never });
    const gates: (() => void)[] = [];
    let most = 0;
    let changed = gate();
    const run = async () => {
      const { promise, resolve } = gate();
      gates.push(resolve);
      most = Math.max(most, gates.length);
      changed.resolve();
      await promise;
    };
    const until = async (running: number) => {
      for (; gates.length !== running; changed = gate()) await changed.promise;
    };
    const finish = async (count: number) => {
      for (const resolve of gates.splice(0, count)) resolve();
      await new Promise((resolve) => setImmediate(resolve));
    };
    const workers = await jobs.start([on(job, run)]);
    const list = Array.from({ length: 60 }, (_, n) => ({ payload: { n } }));
    await jobs.addMany(db.sql, job, list);
    const running = async () =>
      (await db.sql`select from shared.jobs where state = 'running'`).length;

    await until(10);
    expect(await running()).to.equal(10);
    workers.setLoad('watching');
    expect(workers.limit('library')).to.equal(2);
    most = 0;
    await finish(9);
    await until(2);
    while (await running().then((count) => count !== 2));
    expect(most).to.equal(2);
    workers.setLimit('library', 0);
    await finish(2);
    while (await running().then((count) => count !== 0));
    expect(workers.running('library')).to.equal(0);
    workers.setLoad('idle');
    workers.setLimit('library', undefined);
    await until(10);
    most = 0;
    for (let left = 39; left > 0; left -= 10) {
      await finish(10);
      await until(Math.min(10, left));
    }
    expect(most).to.be.at.most(10);
    await finish(10);
  });

  it('hears of a pause set on another node', async () => {
    await using jobs = testJobs(db, { times: never });
    const workers = await jobs.start([on(job, async () => undefined)]);
    await writeQueueSetting(db.sql, 'library', { limit: 3, paused: true });
    while (workers.limit('library') !== 0) await db.sql`select 1`;
    const id = (await jobs.add(db.sql, job, { n: 1 }))!;
    await db.sql`select 1`;
    expect((await read(id))['state']).to.equal('waiting');
    await writeQueueSetting(db.sql, 'library', { limit: 3, paused: false });
    await jobs.until({ jobId: id, state: 'completed' });
    expect(workers.limit('library')).to.equal(3);
    workers.setLoad('watching');
    expect(workers.limit('library')).to.equal(1);
  });

  it('counts what there is', async () => {
    await using jobs = testJobs(db);
    await jobs.add(db.sql, job, { n: 1 });
    await jobs.add(db.sql, job, { n: 2 }, { delayMs: 60_000 });
    await db.sql`update shared.jobs set run_at = run_at - interval '2 s' where run_at <= now()`;
    const [depth] = await jobs.stats();
    expect(depth).to.include({ queue: 'library', waiting: 1, scheduled: 1, running: 0, dead: 0 });
    expect(depth!.oldestWaitMs).to.be.at.least(2_000);
  });
});
