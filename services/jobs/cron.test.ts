import { expect } from 'chai';
import { quiet } from '#test/log.ts';
import { gate, never, testJobs } from '#test/jobs.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { enqueueDue, scheduleOf } from './cron.ts';
import { createAdder } from './enqueue.ts';
import { defineJob, on } from './job.ts';

const options = { queue: 'library', attempts: 1, timeoutMs: 1_000 } as const;
const hourly = defineJob<object>('hourly', { ...options, cron: '0 * * * *' });
const at = (time: string) => Date.parse(`2026-11-21T${time}Z`);

describe('jobs: recurring', () => {
  let db: TestDatabase;
  const jobs = createAdder();
  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());
  beforeEach(() => db.sql`truncate shared.jobs, shared.job_schedules`);
  const schedule = scheduleOf(hourly)!;
  const tick = (time: string, schedules = [schedule]) =>
    enqueueDue({ sql: db.sql, log: quiet, jobs, now: () => at(time) }, schedules);
  const added = async () => (await db.sql`select from shared.jobs`).length;
  const finish = () => db.sql`update shared.jobs set state = 'completed', finished_at = now()`;

  it('runs once a minute that is due, however many schedule and however often', async () => {
    await tick('10:30:00');
    expect(await added(), 'first seen').to.equal(0);
    for (const time of ['11:00:00', '11:00:01', '11:00:30', '11:30:00']) {
      await Promise.all(Array.from({ length: 5 }, () => tick(time)));
      await finish();
    }
    expect(await added()).to.equal(1);
    await Promise.all([tick('12:00:00'), tick('12:00:00')]);
    expect(await added()).to.equal(2);
  });

  it('makes up for any number of missed windows with one run', async () => {
    await tick('10:30:00');
    await tick('17:12:00');
    await finish();
    await tick('17:13:00');
    expect(await added()).to.equal(1);
  });

  it('does not pile up behind a run that has not ended', async () => {
    await tick('10:30:00');
    for (const time of ['11:00:00', '12:00:00', '13:00:00']) await tick(time);
    expect(await added()).to.equal(1);
    await finish();
    await tick('13:30:00');
    expect(await added()).to.equal(1);
    await tick('14:00:00');
    expect(await added()).to.equal(2);
  });

  it('does not run the past of a changed pattern', async () => {
    await tick('10:30:00');
    const often = scheduleOf(defineJob('hourly', { ...options, cron: '*/5 * * * *' }))!;
    await tick('10:31:00', [often]);
    expect(await added()).to.equal(0);
    await tick('10:35:00', [often]);
    expect(await added()).to.equal(1);
  });

  it('is not kept from the rest by one that cannot be added', async () => {
    const name = 'x'.repeat(2_000_000);
    const broken = scheduleOf(defineJob(name, { ...options, cron: '* * * * *', attempts: -1 }))!;
    for (const time of ['10:30:00', '11:00:00']) await tick(time, [broken, schedule]);
    expect(await added()).to.equal(1);
  });

  it('is enqueued and run by the node that leads, and by no other', async () => {
    let now = at('10:59:00');
    let leads = false;
    const common = { now: () => now, times: { ...never, keepMs: 5 } };
    await using follower = testJobs(db, { ...common, nodeId: 'b', isLeader: () => false });
    await using leader = testJobs(db, { ...common, isLeader: () => leads });
    const ran = gate();
    const handler = on(hourly, async () => ran.resolve());
    await follower.start([handler]);
    await leader.start([handler]);
    leads = true;
    while ((await db.sql`select from shared.job_schedules`).length === 0);
    now = at('11:00:00');
    await ran.promise;
    expect(await added()).to.equal(1);
  });
});
