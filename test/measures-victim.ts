import { createMeasures } from '#services/measures/index.ts';
import { createMedia } from '#storage/media/index.ts';
import { connectPostgres } from '#storage/postgres/connect.ts';
import { quiet } from './log.ts';
import { writeOn } from './write.ts';

/** A process that measures what is due, to be killed at it: `socket database user job`. */
const [socket = '', database = '', user = '', name = ''] = process.argv.slice(2);
const { sql } = await connectPostgres({ socket, database, user, pool: { max: 2 }, log: quiet });
const options = { log: quiet, idleMs: 60_000, perMountLimit: 4, now: Date.now };
const media = createMedia({ ...options, processes: 1 });
const measures = createMeasures({
  store: { sql, write: writeOn(sql, { invalidate: async () => 1 }) },
  media: {
    keyframes: (...asked) => media.keyframes(...asked),
    loudness: (...asked) => {
      process.stdout.write('measuring\n');
      return media.loudness(...asked);
    },
  },
  whenIdle: () => Promise.resolve(true),
  log: quiet,
  clock: () => performance.now(),
});
const handler = measures.jobs.find(({ definition }) => definition.name === name);
await handler?.run(
  {},
  {
    ...{ jobId: 'test', attempt: 1, log: quiet, progress: () => undefined },
    signal: new AbortController().signal,
  },
);
process.stdout.write('done\n');
