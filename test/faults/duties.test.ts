import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { createAdder } from '#services/jobs/enqueue.ts';
import { testMembers } from '../members.ts';
import { testDatabase, type TestDatabase } from '../postgres.ts';
import { work, type DutyNodeWish } from './duty-node.ts';
import { report } from './report.ts';

const program = fileURLToPath(new URL('duty-node.ts', import.meta.url));
const seconds = Number(process.env['REVENGE_TEST_DUTY_SECONDS'] ?? 15);
const ids = ['a', 'b', 'c'] as const;
/** A minute of the schedules passes in so many seconds: longer than an election. */
const periodMs = 2_000;

/** Three members as processes of their own, which share a database and work off its jobs. */
async function openNodes(db: TestDatabase) {
  await using stack = new AsyncDisposableStack();
  const members = stack.use(await testMembers(db.sql));
  await members.grow(...ids);
  for (const member of [...members.running.values()]) await member.close();
  const since = Math.floor(Date.now() / 60_000) * 60_000;
  const children = new Map<string, ChildProcess>();
  let leader: string | undefined;
  const kill = async (id: string) => {
    const child = children.get(id);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
    if (leader === id) leader = undefined;
  };
  const start = async (id: string) => {
    const wish: DutyNodeWish = {
      ...{ id, ...members.placeOf(id), ...db.address },
      ...{ since, speed: 60_000 / periodMs },
    };
    const child = spawn(process.execPath, [program, JSON.stringify(wish)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.set(id, child);
    const works = Promise.withResolvers<void>();
    createInterface(child.stdout).on('line', (line) => {
      if (line === 'leads') leader = id;
      else works.resolve();
    });
    await works.promise;
  };
  stack.defer(async () => void (await Promise.all(ids.map(kill))));
  await Promise.all(ids.map(start));
  const rest = stack.move();
  return {
    ...{ kill, start },
    async leader(): Promise<string> {
      while (leader === undefined) await pause(10);
      return leader;
    },
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

describe('what one node does for all, while nodes are killed with -9', function () {
  this.timeout(120_000 + 3_000 * seconds);
  let db: TestDatabase;
  beforeEach(async () => {
    db = await testDatabase();
  });
  afterEach(() => db.close());

  it('runs a schedule once each time, whoever leads', async () => {
    // What is due and what comes of it is one transaction; here it is written down by the database.
    await db.sql.unsafe(`
      create table runs (
        due timestamptz not null, at timestamptz not null default clock_timestamp());
      create function note_run() returns trigger language plpgsql as $$
        begin insert into runs (due) values (new.due_at); return new; end $$;
      create trigger note_run after update on shared.job_schedules
        for each row execute function note_run();`);
    await using nodes = await openNodes(db);
    const begin = Date.now();
    let kills = 0;
    while (Date.now() - begin < seconds * 1_000) {
      await pause(2.5 * periodMs);
      const victim = await nodes.leader();
      await nodes.kill(victim);
      kills += 1;
      await nodes.leader();
      await nodes.start(victim);
    }
    const runs = await db.sql<{ due: Date; at: Date }[]>`select due, at from runs order by at`;
    const dues = runs.map(({ due }) => due.getTime() / 60_000);
    const gaps = dues.slice(1).map((due, nth) => due - dues[nth]!);
    report('schedule', { seconds, kills, runs: runs.length, gaps: gaps.filter((gap) => gap > 1) });
    expect(kills).to.be.greaterThan(1);
    expect(dues, 'none twice').to.deep.equal([...new Set(dues)]);
    expect(dues, 'none late').to.deep.equal([...dues].sort((one, other) => one - other));
    for (const [nth, gap] of gaps.entries()) {
      // One is left out only where nobody led from when it was due until the next one was.
      const idleMs = runs[nth + 1]!.at.getTime() - runs[nth]!.at.getTime();
      if (gap > 1) expect(idleMs, `${gap - 1} left out`).to.be.greaterThan(periodMs);
    }
    const [jobs] = await db.sql<{ count: number }[]>`
      select count(*)::int as count from shared.jobs where name = 'tick'`;
    expect(jobs!.count).to.be.at.most(runs.length).and.greaterThan(0);
  });

  it('gives the jobs of a dead node to others soon, and each is done', async () => {
    await using nodes = await openNodes(db);
    const jobs = Array.from({ length: 600 }, () => ({ payload: { ms: 2_000 } }));
    await createAdder().addMany(db.sql, work, jobs);
    const holds = async (id: string) =>
      (await db.sql`select 1 from shared.jobs where state = 'running' and node_id = ${id}`).length;
    const victims = [await nodes.leader()];
    victims.push(ids.find((id) => id !== victims[0])!);
    for (const victim of victims) {
      while ((await holds(victim)) < 5) await pause(20);
      const held = await holds(victim);
      await nodes.kill(victim);
      const killedAt = Date.now();
      while ((await holds(victim)) > 0) await pause(50);
      report('node killed', { victim, held, givenBackAfterMs: Date.now() - killedAt });
      await nodes.start(victim);
    }
    const open = async () =>
      (await db.sql`select 1 from shared.jobs where name = 'work' and state <> 'completed'`).length;
    while ((await open()) > 0) await pause(50);
    const [{ tries, rescued } = { tries: 0, rescued: 0 }] = await db.sql<
      { tries: number; rescued: number }[]
    >`select max(attempt)::int as tries, sum(rescues)::int as rescued from shared.jobs`;
    // What a killed node held does not count as a try of the job.
    expect(tries).to.equal(1);
    expect(rescued).to.be.greaterThan(0);
    const errors = await db.sql<{ message: string }[]>`
      select distinct e ->> 'message' as message
      from shared.jobs, jsonb_array_elements(errors) as e`;
    expect([...errors]).to.deep.equal([{ message: 'the node that ran it is gone' }]);
  });
});
