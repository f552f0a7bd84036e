import { randomUUID } from 'node:crypto';
import { createJobs } from '#services/jobs/index.ts';
import { defineJob, on } from '#services/jobs/job.ts';
import { connectPostgres } from '#storage/postgres/connect.ts';
import { quiet } from './log.ts';

/** A process that takes jobs and never finishes them, to be killed: `socket database user node`. */
const [socket = '', database = '', user = '', nodeId = ''] = process.argv.slice(2);
const db = await connectPostgres({ socket, database, user, pool: { max: 2 }, log: quiet });
const jobs = createJobs({
  sql: db.sql,
  write: (work) =>
    db.sql.begin((tx) =>
      work(
        tx,
        () => undefined,
        () => undefined,
      ),
    ) as never,
  log: quiet,
  now: Date.now,
  random: Math.random,
  nodeId: nodeId || randomUUID(),
  events: { publish: () => undefined },
  times: { beatMs: 50 },
});
const job = defineJob('job', { queue: 'library', attempts: 1, timeoutMs: 600_000 });
const hold = async () => {
  process.stdout.write('holding\n');
  await new Promise((resolve) => setTimeout(resolve, 60_000));
};
await jobs.work([on(job, hold)]).ready;
process.stdout.write('ready\n');
