import { expect } from 'chai';
import type { Call, JsonAnswer, OperationId } from '#api/handler.ts';
import { gate, never, testJobs, type TestJobs } from '#test/jobs.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { ProblemError } from '../errors.ts';
import type { JobHandlers } from './handlers.ts';
import { defineJob, on } from './job.ts';

const options = { queue: 'library', attempts: 1, timeoutMs: 1_000 } as const;
const scan = defineJob<{ libraryId: string }>('library.scan', options);
const nightly = defineJob<object>('nightly', { ...options, cron: '0 4 * * *' });

type Input = { params?: object; query?: object; body?: unknown };

/** Calls a handler as the HTTP layer would; resolves to its body. */
async function call<Id extends keyof JobHandlers & OperationId>(
  jobs: TestJobs,
  id: Id,
  input: Input = {},
) {
  const handler = jobs.handlers[id] as (call: Call<Id>) => Promise<JsonAnswer<unknown>>;
  const whole = { params: {}, query: {}, body: undefined, principal: undefined, ...input };
  type Body = Extract<Awaited<ReturnType<JobHandlers[Id]>>, { body: unknown }>['body'];
  return (await handler(whole as unknown as Call<Id>)).body as NonNullable<Body>;
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no problem',
    (error: unknown) => (error instanceof ProblemError ? error.code : String(error)),
  );
const unknownId = '01900000-0000-7000-8000-000000000000';

describe('jobs: API', () => {
  let db: TestDatabase;
  let jobs: TestJobs;
  before(async () => {
    db = await testDatabase();
    jobs = testJobs(db);
  });
  after(() => db.close());
  beforeEach(() => db.sql`truncate shared.jobs, shared.job_queues, shared.job_schedules`);
  const add = async (libraryId = '1', key?: string) =>
    (await jobs.add(db.sql, scan, { libraryId }, key === undefined ? {} : { key }))!;
  const set = (id: string, state: string) => db.sql`
    update shared.jobs set state = ${state}, attempt = 1, rescues = 2,
      finished_at = case when ${state} in ('waiting', 'running') then null else now() end
    where id = ${id}`;

  it('shows a job whole', async () => {
    const id = await add('7', 'library:7');
    await db.sql`
      update shared.jobs set progress_done = 3, progress_total = 9,
        errors = jsonb_build_array(jsonb_build_object('attempt', 1, 'at', now(), 'message', 'x'))`;
    const job = await call(jobs, 'getJob', { params: { jobId: id } });
    expect(job).to.deep.include({
      id,
      name: 'library.scan',
      queue: 'library',
      state: 'waiting',
      priority: 'normal',
      key: 'library:7',
      payload: { libraryId: '7' },
      attempt: 0,
      attempts: 1,
      progress: { done: 3, total: 9, note: null },
      finishedAt: null,
    });
    expect(job.createdAt).to.match(/^\d{4}-\d\d-\d\dT.*Z$/);
    expect(job.errors[0]!.at).to.match(/Z$/);
    expect(job.errors[0]).to.deep.include({ message: 'x', code: 'other', values: {} });
    await db.sql`
      update shared.jobs set errors = jsonb_build_array(jsonb_build_object(
        'attempt', 1, 'at', now(), 'message', 'no room is left in /backups'))`;
    const full = await call(jobs, 'getJob', { params: { jobId: id } });
    const values = { path: '/backups' };
    expect(full.errors[0]).to.deep.include({ code: 'backupNoRoom', values });
    const missing = call(jobs, 'getJob', { params: { jobId: unknownId } });
    expect(await codeOf(missing)).to.equal('not-found');
  });

  it('lists with filters, the newest first, page by page', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) ids.unshift(await add(String(n)));
    await set(ids[0]!, 'completed');
    await jobs.add(db.sql, nightly, {}, { delayMs: 60_000 });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const query = { name: 'library.scan', limit: 2, cursor };
      const page = await call(jobs, 'listJobs', { query });
      seen.push(...page.items.map((job) => job.id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).to.deep.equal(ids);
    const count = async (query: object) =>
      (await call(jobs, 'listJobs', { query: { ...query, offset: 0 } })).total;
    expect(await count({})).to.equal(6);
    expect(await count({ state: 'waiting' })).to.equal(4);
    expect(await count({ state: 'scheduled' })).to.equal(1);
    expect(await count({ state: 'completed', queue: 'library' })).to.equal(1);
    expect(await count({ queue: 'metadata' })).to.equal(0);
    for (const bad of ['x', Buffer.from("' or true --").toString('base64url')]) {
      const query = { cursor: bad };
      expect(await codeOf(call(jobs, 'listJobs', { query }))).to.equal('invalid-cursor');
    }
  });

  it('cancels, retries and deletes what may be', async () => {
    const may = {
      cancelJob: ['waiting', 'running'],
      retryJob: ['waiting', 'completed', 'cancelled', 'dead'],
      deleteJob: ['completed', 'cancelled', 'dead'],
    } as const;
    for (const [operation, allowed] of Object.entries(may)) {
      for (const state of ['waiting', 'running', 'completed', 'cancelled', 'dead'] as const) {
        const jobId = await add();
        await set(jobId, state);
        const done = call(jobs, operation as 'cancelJob', { params: { jobId } });
        const fine = (allowed as readonly string[]).includes(state);
        const wanted = fine ? 'no problem' : 'conflict';
        expect(await codeOf(done), `${operation} of ${state}`).to.equal(wanted);
      }
      const missing = call(jobs, operation as 'cancelJob', { params: { jobId: unknownId } });
      expect(await codeOf(missing)).to.equal('not-found');
    }
  });

  it('says what became of a cancelled job, and tells all', async () => {
    const jobId = await add();
    const waiting = await call(jobs, 'cancelJob', { params: { jobId } });
    expect(waiting).to.include({ state: 'cancelled', cancelRequested: true });
    expect(await jobs.until({ jobId, state: 'cancelled' })).to.include({ name: 'library.scan' });
    const again = await call(jobs, 'retryJob', { params: { jobId } });
    expect(again).to.include({ state: 'waiting', cancelRequested: false, attempt: 0 });
    expect(again.finishedAt).to.equal(null);
    await set(jobId, 'running');
    const running = await call(jobs, 'cancelJob', { params: { jobId } });
    expect(running).to.include({ state: 'running', cancelRequested: true });
  });

  it('does not retry a job whose key another one holds', async () => {
    const dead = await add('1', 'one');
    await set(dead, 'dead');
    await add('1', 'one');
    const retried = call(jobs, 'retryJob', { params: { jobId: dead } });
    expect(await codeOf(retried)).to.equal('conflict');
  });

  it('lists the dead and gives them their tries again, keys permitting', async () => {
    const plain = [await add(), await add()];
    const older = await add('k', 'k');
    await set(older, 'dead');
    const newer = await add('k', 'k');
    for (const id of [...plain, newer]) await set(id, 'dead');
    const held = await add('h', 'h');
    await set(held, 'dead');
    await add('h', 'h');
    const list = await call(jobs, 'listDeadJobs', { query: {} });
    expect(list.items.map((job) => job.id)).to.deep.equal([held, newer, older, ...plain.reverse()]);
    const other = await call(jobs, 'retryDeadJobs', { body: { queue: 'metadata' } });
    expect(other.retried).to.equal(0);
    expect((await call(jobs, 'retryDeadJobs')).retried).to.equal(3);
    const left = await call(jobs, 'listDeadJobs', { query: {} });
    expect(left.items.map((job) => job.id)).to.deep.equal([held, older]);
    const revived = await call(jobs, 'getJob', { params: { jobId: newer } });
    expect(revived).to.include({ state: 'waiting', attempt: 0 });
  });

  it('shows queues and changes them for all', async () => {
    await add();
    const params = { queue: 'library' };
    const changed = await call(jobs, 'updateJobQueue', { params, body: { limit: 4 } });
    expect(changed).to.deep.include({ name: 'library', limit: 4, paused: false, waiting: 1 });
    await call(jobs, 'updateJobQueue', { params, body: { paused: true } });
    const { items } = await call(jobs, 'listJobQueues');
    expect(items.map(({ name }) => name)[0]).to.equal('playback');
    const library = items.find(({ name }) => name === 'library');
    expect(library).to.include({ limit: 4, defaultLimit: 10, paused: true });
    const back = await call(jobs, 'updateJobQueue', { params, body: { limit: null } });
    expect(back).to.include({ limit: null, paused: true });
  });

  it('runs a recurring job on demand, one at a time', async () => {
    await using working = testJobs(db, { times: never, now: () => Date.UTC(2026, 10, 21, 3) });
    const hold = gate();
    await working.start([on(nightly, () => hold.promise), on(scan, async () => undefined)]);
    const { items } = await call(working, 'listJobSchedules');
    expect(items).to.deep.equal([
      {
        name: 'nightly',
        queue: 'library',
        cron: '0 4 * * *',
        lastDueAt: null,
        nextDueAt: '2026-11-21T04:00:00.000Z',
      },
    ]);
    const params = { name: 'nightly' };
    const { id } = await call(working, 'runJobSchedule', { params });
    expect(await codeOf(call(working, 'runJobSchedule', { params }))).to.equal('conflict');
    hold.resolve();
    await working.until({ jobId: id, state: 'completed' });
    const unknown = call(working, 'runJobSchedule', { params: { name: 'library.scan' } });
    expect(await codeOf(unknown)).to.equal('not-found');
  });
});
