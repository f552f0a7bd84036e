import type { Store } from '../changes.ts';
import { defineJob, on, type JobHandler } from '../jobs/job.ts';
import type { Log } from '../log.ts';
import { deleteExpiredKeys } from './key-store.ts';
import { deleteExpiredTokens } from './refresh-store.ts';
import { deleteEndedSessions } from './session-store.ts';

/** Once a day: forgets sessions, tokens and keys that ended long ago. */
export const usersCleanUp = defineJob<object>('users.clean-up', {
  queue: 'maintenance',
  attempts: 3,
  timeoutMs: 600_000,
  priority: 'low',
  cron: '11 3 * * *',
});

const dayMs = 86_400_000;
const batchSize = 1_000;

/** Ended sessions stay known this long: their addresses are not held up by others' guesses. */
const sessionsKeptMs = 30 * dayMs;
/** Expired keys stay in their owner's list this long, so that it is seen why they fail. */
const keysKeptMs = 90 * dayMs;

type DeleteSome = (tx: Parameters<typeof deleteExpiredKeys>[0], limit: number) => Promise<number>;

/** Makes the jobs of users. */
export function createUserJobs(deps: { store: Store; now: () => number; log: Log }): JobHandler[] {
  const log = deps.log.child({ module: 'users' });
  const all = async (signal: AbortSignal, deleteSome: DeleteSome) => {
    let deleted = 0;
    for (let last = batchSize; last === batchSize && !signal.aborted; deleted += last) {
      last = await deps.store.write((tx) => deleteSome(tx, batchSize));
    }
    return deleted;
  };
  const cleanUp = async (signal: AbortSignal) => {
    const ago = (ms: number) => new Date(deps.now() - ms);
    const sessions = await all(signal, (tx, limit) =>
      deleteEndedSessions(tx, ago(sessionsKeptMs), limit),
    );
    const tokens = await all(signal, (tx, limit) => deleteExpiredTokens(tx, ago(0), limit));
    const keys = await all(signal, (tx, limit) => deleteExpiredKeys(tx, ago(keysKeptMs), limit));
    log.info('ended credentials deleted', { sessions, tokens, keys });
  };
  return [on(usersCleanUp, (_payload, { signal }) => cleanUp(signal))];
}
