import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { openIdentity } from '#cluster/trust/identity.ts';
import { createJobs } from '#services/jobs/index.ts';
import { defineJob, on } from '#services/jobs/job.ts';
import { connectPostgres } from '#storage/postgres/connect.ts';
import { quiet } from '../log.ts';
import { openTestMember } from '../members.ts';

/** What a process that is one member, and works off jobs, is told as JSON: its one argument. */
export interface DutyNodeWish {
  readonly id: string;
  readonly dataDir: string;
  readonly ports: readonly number[];
  readonly socket: string;
  readonly database: string;
  readonly user: string;
  /** For schedules, time passes so many times as fast since then (milliseconds since 1970). */
  readonly since: number;
  readonly speed: number;
}

/** Every minute of the schedules' time. */
export const tick = defineJob<object>('tick', {
  ...{ queue: 'notification', attempts: 9, timeoutMs: 60_000, cron: '* * * * *' },
});
/** Takes as long as it says. */
export const work = defineJob<{ ms: number }>('work', {
  ...{ queue: 'metadata', attempts: 9, timeoutMs: 60_000 },
});

async function run({ id, dataDir, ports, since, speed, ...address }: DutyNodeWish): Promise<void> {
  const { sql } = await connectPostgres({ ...address, pool: { max: 5 }, log: quiet });
  const identity = await openIdentity({
    ...{ dir: dataDir, configuredId: id, now: Date.now, randomId: randomUUID },
  });
  const member = await openTestMember({ sql, id, dataDir, by: undefined, ports, identity });
  const jobs = createJobs({
    sql,
    write: (change) =>
      sql.begin((tx) =>
        change(
          tx,
          () => undefined,
          () => undefined,
        ),
      ) as never,
    ...{ log: quiet, nodeId: id, random: Math.random, events: { publish: () => undefined } },
    now: () => since + (Date.now() - since) * speed,
    isLeader: () => member.offices.current() !== undefined,
    silentNodes: () => member.autopilot.silent(4_000),
    times: { keepMs: 50 },
  });
  member.offices.onChange((office) => {
    if (office) process.stdout.write('leads\n');
  });
  if (member.offices.current()) process.stdout.write('leads\n');
  const handlers = [
    on(tick, async () => undefined),
    on(work, async ({ ms }, { signal }) => void (await pause(ms, undefined, { signal }))),
  ];
  await jobs.work(handlers).ready;
  process.stdout.write('works\n');
}

if (process.argv[1] === import.meta.filename) {
  await run(JSON.parse(process.argv[2] ?? '') as DutyNodeWish);
}
