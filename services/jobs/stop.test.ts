import { expect } from 'chai';
import { gate, never, testJobs } from '#test/jobs.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { defineJob, on, type JobContext } from './job.ts';

const job = defineJob<{ n: number }>('job', { queue: 'library', attempts: 2, timeoutMs: 60_000 });

/** Runs until its signal says otherwise. */
const endless = (_: object, { signal }: JobContext) =>
  new Promise<void>((_resolve, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason as Error)),
  );

describe('jobs: stop', () => {
  let db: TestDatabase;
  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());
  beforeEach(() => db.sql`truncate shared.jobs, shared.job_workers`);
  const states = async () =>
    (await db.sql`select state, attempt, errors from shared.jobs order by id`).map((row) => ({
      state: row['state'] as string,
      attempt: row['attempt'] as number,
      errors: (row['errors'] as unknown[]).length,
    }));

  it('lets what runs finish', async () => {
    await using jobs = testJobs(db, { times: never });
    const { promise, resolve } = gate();
    const workers = await jobs.start([on(job, () => promise)]);
    const id = (await jobs.add(db.sql, job, { n: 1 }))!;
    await jobs.until({ jobId: id, state: 'running' });
    const stopped = workers.stop();
    const late = (await jobs.add(db.sql, job, { n: 2 }))!;
    resolve();
    await stopped;
    expect(await states()).to.deep.equal([
      { state: 'completed', attempt: 1, errors: 0 },
      { state: 'waiting', attempt: 0, errors: 0 },
    ]);
    expect(late).to.be.a('string');
    expect(await db.sql`select from shared.job_workers`).to.have.length(0);
  });

  it('gives back what does not finish, without counting the try', async () => {
    await using jobs = testJobs(db, { times: never });
    const workers = await jobs.start([on(job, endless)]);
    const id = (await jobs.add(db.sql, job, { n: 1 }))!;
    await jobs.until({ jobId: id, state: 'running' });
    await workers.stop({ softMs: 1 });
    expect(await states()).to.deep.equal([{ state: 'waiting', attempt: 0, errors: 0 }]);
    await using next = testJobs(db, { times: never });
    await next.start([on(job, async () => undefined)]);
    await next.until({ jobId: id, state: 'completed' });
    expect((await states())[0]).to.include({ attempt: 1 });
  });

  it('is hastened by a second call', async () => {
    await using jobs = testJobs(db, { times: never });
    const workers = await jobs.start([on(job, endless)]);
    const id = (await jobs.add(db.sql, job, { n: 1 }))!;
    await jobs.until({ jobId: id, state: 'running' });
    const first = workers.stop({ softMs: 3_600_000 });
    await workers.stop({ softMs: 0 });
    await first;
    expect(await states()).to.deep.equal([{ state: 'waiting', attempt: 0, errors: 0 }]);
  });

  it('does not wait for the deaf: their jobs go back as well', async () => {
    await using jobs = testJobs(db, { times: { ...never, graceMs: 10 } });
    const { promise, resolve } = gate();
    const workers = await jobs.start([on(job, () => promise)]);
    const id = (await jobs.add(db.sql, job, { n: 1 }))!;
    await jobs.until({ jobId: id, state: 'running' });
    await workers.stop({ softMs: 0 });
    expect(await states()).to.deep.equal([{ state: 'waiting', attempt: 0, errors: 0 }]);
    resolve();
    await promise;
    expect(await states()).to.deep.equal([{ state: 'waiting', attempt: 0, errors: 0 }]);
  });

  it('makes way for a new process of its node, which has its jobs at once', async () => {
    await using old = testJobs(db, { times: { ...never, beatMs: 10 } });
    const aborted = gate();
    const run = (payload: object, context: JobContext) => {
      context.signal.addEventListener('abort', () => aborted.resolve());
      return endless(payload, context);
    };
    const before = await old.start([on(job, run)]);
    const id = (await old.add(db.sql, job, { n: 1 }))!;
    await old.until({ jobId: id, state: 'running' });
    await using next = testJobs(db, { times: never });
    await next.start([on(job, async () => undefined)]);
    await next.until({ jobId: id, state: 'completed' });
    await aborted.promise;
    await before.stop();
    expect((await states())[0]).to.deep.equal({ state: 'completed', attempt: 1, errors: 1 });
  });
});
