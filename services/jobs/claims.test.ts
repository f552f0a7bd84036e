import { expect } from 'chai';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import {
  beat,
  claimDue,
  forgetSilent,
  isSuperseded,
  readHeld,
  register,
  rescue,
  type Claimed,
} from './claims.ts';
import { prune, retention } from './duties.ts';
import { createAdder } from './enqueue.ts';
import { defineJob, type AddOptions } from './job.ts';
import { writeOutcomes, type Outcome } from './outcomes.ts';

const job = defineJob<{ n: number }>('job', { queue: 'library', attempts: 3, timeoutMs: 1_000 });
const other = defineJob<{ n: number }>('other', { queue: 'metadata', attempts: 1, timeoutMs: 1 });
const me = { nodeId: 'a', workerId: '00000000-0000-7000-8000-00000000000a' };
const them = { nodeId: 'b', workerId: '00000000-0000-7000-8000-00000000000b' };

describe('jobs: claims and outcomes', () => {
  let db: TestDatabase;
  const jobs = createAdder();
  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());
  beforeEach(async () => {
    await db.sql`truncate shared.jobs, shared.job_workers`;
    await register(db.sql, me);
  });

  const put = async (options?: AddOptions) => (await jobs.add(db.sql, job, { n: 1 }, options))!;
  const take = (count = 10, worker = me) =>
    claimDue(db.sql, { ...worker, names: ['job'], slots: [{ queue: 'library', count }] });
  const takeOne = async () => (await take(1))[0]!;
  const write = async (outcome: Outcome) =>
    (await writeOutcomes(db.sql, [outcome])).get(outcome.id);
  const read = async (id: string) => (await db.sql`select * from shared.jobs where id = ${id}`)[0]!;
  const pass = (ms: number) => db.sql`
    update shared.jobs set run_at = run_at - ${ms} * interval '1 ms',
      started_at = started_at - ${ms} * interval '1 ms',
      finished_at = finished_at - ${ms} * interval '1 ms'`;

  it('takes by priority, then by age, as many as there are slots', async () => {
    const low = await put({ priority: 'low' });
    const first = await put();
    const second = await put();
    const high = await put({ priority: 'high' });
    const taken = [...(await take(3)), ...(await take(3))].map(({ id }) => id);
    expect(taken).to.deep.equal([high, first, second, low]);
    expect(await take()).to.deep.equal([]);
  });

  it('takes from several queues at once, only kinds it knows', async () => {
    await put();
    await jobs.add(db.sql, other, { n: 2 });
    const slots = [
      { queue: 'library', count: 5 },
      { queue: 'metadata', count: 5 },
    ] as const;
    expect(await claimDue(db.sql, { ...me, names: ['unknown'], slots })).to.deep.equal([]);
    const both = await claimDue(db.sql, { ...me, names: ['job', 'other'], slots });
    expect(both.map(({ name }) => name).sort()).to.deep.equal(['job', 'other']);
    expect(both[0]).to.include({ attempt: 1, claims: 1 });
  });

  it('leaves a delayed job until its time', async () => {
    await put({ delayMs: 5_000, priority: 'high' });
    expect(await take()).to.have.length(0);
    await pass(4_000);
    expect(await take()).to.have.length(0);
    await pass(1_000);
    expect(await take()).to.have.length(1);
  });

  it('gives nothing to a worker that is not registered', async () => {
    await put();
    expect(await take(1, them)).to.have.length(0);
    expect(await take(1)).to.have.length(1);
  });

  it('never gives one job to two', async () => {
    await register(db.sql, them);
    await jobs.addMany(
      db.sql,
      job,
      Array.from({ length: 200 }, (_, n) => ({ payload: { n } })),
    );
    const claims = Array.from({ length: 20 }, (_, n) => take(10, n % 2 ? me : them));
    const ids = (await Promise.all(claims)).flat().map(({ id }) => id);
    expect(new Set(ids).size).to.equal(ids.length);
    while (ids.length < 200) ids.push(...(await take(50)).map(({ id }) => id));
    expect(new Set(ids).size).to.equal(200);
  });

  it('accepts an outcome from the latest claim only', async () => {
    await put();
    const old = await takeOne();
    expect(await write({ id: old.id, claims: 1, kind: 'returned' })).to.equal('waiting');
    const current = await takeOne();
    expect(current).to.include({ id: old.id, claims: 2, attempt: 1 });
    expect(await write({ id: old.id, claims: 1, kind: 'completed' })).to.equal(undefined);
    expect(await write({ id: old.id, claims: 2, kind: 'completed' })).to.equal('completed');
    expect(await write({ id: old.id, claims: 2, kind: 'cancelled' })).to.equal(undefined);
  });

  it('rests for exactly the pause after a failed try and keeps what went wrong', async () => {
    await put();
    const { id, claims } = await takeOne();
    await write({ id, claims, kind: 'failed', message: 'no luck', pauseMs: 12_345 });
    const row = await read(id);
    expect(row).to.include({ state: 'waiting', attempt: 1, worker_id: null });
    const [error] = row['errors'] as { attempt: number; at: string; message: string }[];
    expect(error).to.include({ attempt: 1, message: 'no luck' });
    expect((row['run_at'] as Date).getTime() - Date.parse(error!.at)).to.be.within(12_344, 12_346);
  });

  it('remembers ten failures', async () => {
    const id = await put();
    for (let n = 0; n < 12; n++) {
      await db.sql`update shared.jobs set run_at = now()`;
      const { claims } = await takeOne();
      await write({ id, claims, kind: 'failed', message: `failure ${n}`, pauseMs: 0 });
    }
    const errors = (await read(id))['errors'] as { message: string }[];
    expect(errors).to.have.length(10);
    expect(errors.at(-1)!.message).to.equal('failure 11');
  });

  it('ends a job whose cancel came while its try was failing or given back', async () => {
    for (const kind of ['failed', 'returned', 'dead', 'completed'] as const) {
      await put();
      const { id, claims } = await takeOne();
      await db.sql`update shared.jobs set cancel_requested = true where id = ${id}`;
      const state = await write({ id, claims, kind, message: 'x', pauseMs: 1 });
      expect(state, kind).to.equal(kind === 'completed' ? 'completed' : 'cancelled');
      expect((await read(id))['finished_at']).to.be.instanceOf(Date);
    }
  });

  it('frees what an earlier process of the node held, without counting the try', async () => {
    await put();
    const { id } = await takeOne();
    expect(await rescue(db.sql, 1_800_000)).to.deep.equal([]);
    const next = { ...me, workerId: them.workerId };
    await register(db.sql, next);
    expect(await isSuperseded(db.sql, me)).to.equal(true);
    expect(await beat(db.sql, me.workerId)).to.equal(false);
    const [rescued] = await rescue(db.sql, 1_800_000);
    expect(rescued).to.deep.equal({ id, name: 'job', queue: 'library', state: 'waiting' });
    const row = await read(id);
    expect(row).to.include({ attempt: 0, rescues: 1, worker_id: null });
    expect((row['errors'] as { message: string }[])[0]!.message).to.match(/is gone/);
  });

  for (const [how, giveBack] of [
    [
      'rescued',
      async () => {
        await db.sql`update shared.jobs set worker_id = ${them.workerId} where state = 'running'`;
        await rescue(db.sql, 1_800_000);
      },
    ],
    ['returned', ({ id, claims }: Claimed) => write({ id, claims, kind: 'returned' })],
  ] as const) {
    it(`takes what was ${how} before what was added since`, async () => {
      await put();
      const first = await takeOne();
      await put();
      await giveBack(first);
      expect((await takeOne()).id).to.equal(first.id);
    });
  }

  it('forgets who is silent and rescues what they held', async () => {
    await register(db.sql, them);
    await put();
    await take(1, them);
    expect(await readHeld(db.sql, them.workerId)).to.have.length(1);
    const silentMs = 30_000;
    expect(await forgetSilent(db.sql, { silentMs })).to.deep.equal([]);
    await db.sql`
      update shared.job_workers set beat_at = beat_at - interval '31 s' where node_id = 'b'`;
    expect(await forgetSilent(db.sql, { silentMs, nodes: ['a', 'c'] })).to.deep.equal([]);
    expect(await forgetSilent(db.sql, { silentMs, nodes: ['b'] })).to.deep.equal(['b']);
    expect(await rescue(db.sql, 1_800_000)).to.have.length(1);
    expect(await take()).to.have.length(1);
  });

  it('takes a stuck job from a worker that beats, but not before its own time-out', async () => {
    await put();
    const { id } = await takeOne();
    await db.sql`update shared.jobs set timeout_ms = 7200000`;
    await pass(7_200_000);
    expect(await rescue(db.sql, 1_800_000)).to.deep.equal([]);
    await pass(61_000);
    expect((await rescue(db.sql, 1_800_000)).map((row) => row.id)).to.deep.equal([id]);
    expect(((await read(id))['errors'] as { message: string }[])[0]!.message).to.match(/too long/);
  });

  for (const { attempts, rescues } of [
    { attempts: 1, rescues: 10 },
    { attempts: 12, rescues: 12 },
  ]) {
    it(`buries a job that may be tried ${attempts} times after ${rescues} rescues`, async () => {
      const id = await put();
      await db.sql`update shared.jobs set attempts = ${attempts} where id = ${id}`;
      const states: string[] = [];
      for (let n = 0; n <= rescues; n++) {
        await take();
        await db.sql`update shared.jobs set worker_id = ${them.workerId}`;
        states.push((await rescue(db.sql, 1_800_000))[0]!.state);
      }
      expect(states).to.deep.equal([...Array<string>(rescues).fill('waiting'), 'dead']);
      expect((await read(id))['finished_at']).to.be.instanceOf(Date);
    });
  }

  it('clears away what is over after a day, and the dead after a week', async () => {
    for (const kind of ['completed', 'cancelled', 'dead'] as const) {
      await put();
      const { id, claims } = await takeOne();
      await write({ id, claims, kind, message: 'x', pauseMs: 0 } as Outcome);
    }
    await put();
    await pass(retention.finishedMs - 60_000);
    expect(await prune(db.sql, retention)).to.equal(0);
    await pass(120_000);
    expect(await prune(db.sql, retention)).to.equal(2);
    await pass(retention.deadMs);
    expect(await prune(db.sql, retention)).to.equal(1);
    expect(await db.sql`select from shared.jobs`).to.have.length(1);
  });
});
