import { defineJob, type JobAdder } from '../jobs/job.ts';
import { notePending } from './pending.ts';
import type { SearchChanges } from './source.ts';

/** Tells the engines of what has changed. */
export const indexChanges = defineJob<{ engine?: string }>('search.index', {
  queue: 'library',
  attempts: 5,
  timeoutMs: 600_000,
});

/** Milliseconds between a change and the job that indexes it: changes come in flocks. */
const delayMs = 1_000;
/** Milliseconds after adding a job in which further changes rely on it. */
const relyMs = 500;

/**
 * Notes changes in the writer's transaction and asks for at most two jobs a second, however many
 * items change. Writers on other nodes use another `instance`, so that nobody waits for somebody
 * else's key. A change whose transaction outlives the job it relied on is found by the next one.
 */
export function createSearchChanges(deps: {
  jobs: JobAdder;
  engines: readonly string[];
  instance: string;
  now: () => number;
}): SearchChanges {
  const { jobs, engines, now } = deps;
  const key = `changes:${deps.instance}`;
  let addedAt = -Infinity;
  return {
    async changed(tx, kind, ids) {
      if (ids.length === 0) return;
      await notePending(tx, engines, { kind, ids });
      if (now() - addedAt < relyMs) return;
      addedAt = now();
      await jobs.add(tx, indexChanges, {}, { key, delayMs });
    },
  };
}
