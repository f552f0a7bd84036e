import { expect } from 'chai';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { createAdder } from './enqueue.ts';
import { whenIdle } from './idle.ts';
import { defineJob } from './job.ts';
import { writeQueueSetting } from './settings.ts';

const work = defineJob<object>('work', { queue: 'library', attempts: 1, timeoutMs: 1_000 });
const other = defineJob<object>('other', { queue: 'metadata', attempts: 1, timeoutMs: 1_000 });

describe('jobs: when there is nothing better to do', () => {
  let db: TestDatabase;
  const jobs = createAdder();
  const { signal } = new AbortController();
  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());
  beforeEach(() => db.sql`truncate shared.jobs, shared.job_queues`);
  const isIdle = () => whenIdle(db.sql, ['library'], { withinMs: 0, signal });

  it('at once, where nothing waits', async () => {
    await jobs.add(db.sql, other, {});
    await jobs.add(db.sql, work, {}, { delayMs: 60_000 });
    expect(await isIdle()).to.equal(true);
  });

  for (const state of ['waiting', 'running']) {
    it(`not while something is ${state}`, async () => {
      await jobs.add(db.sql, work, {});
      await db.sql`update shared.jobs set state = ${state}`;
      expect(await isIdle()).to.equal(false);
      await db.sql`update shared.jobs set state = 'completed', finished_at = now()`;
      expect(await isIdle()).to.equal(true);
    });
  }

  it('without those that are paused', async () => {
    await jobs.add(db.sql, work, {});
    await writeQueueSetting(db.sql, 'library', { limit: undefined, paused: true });
    expect(await isIdle()).to.equal(true);
  });

  it('as soon as it is so, unless told to stop', async () => {
    await jobs.add(db.sql, work, {});
    const controller = new AbortController();
    const soon = whenIdle(db.sql, ['library'], { withinMs: 60_000, signal });
    const never = whenIdle(db.sql, ['library'], { withinMs: 60_000, signal: controller.signal });
    controller.abort(new Error('enough'));
    expect(await never.catch((error: Error) => error.name)).to.be.oneOf(['Error', 'AbortError']);
    await db.sql`truncate shared.jobs`;
    expect(await soon).to.equal(true);
  });
});
