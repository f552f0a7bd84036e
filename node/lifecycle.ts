import type { Log } from '#services/log.ts';
import type { Workers } from '#services/jobs/index.ts';
import type { Health } from './health.ts';
import type { StopLevel } from './signals.ts';

/** What has to end in order when a node stops. */
export interface LifecycleDeps {
  readonly health: Health;
  readonly http: { close(): Promise<void> };
  readonly workers: Workers;
  /** What the others are owed before this node takes no more; a second or two. */
  readonly sayFarewell: () => Promise<void>;
  /** Everything else, closed in reverse order of its making. */
  readonly rest: AsyncDisposableStack;
  readonly log: Log;
  /** How long jobs that run may go on. */
  readonly softMs: number;
  /** After so long the process ends at once: an orchestrator would kill it a little later. */
  readonly lastMs: number;
  /** Ends the process at once. */
  readonly exit: () => void;
}

export interface Lifecycle {
  stop(level?: StopLevel): void;
  readonly stopped: Promise<void>;
}

/**
 * Ends a node: `soft` takes nothing new and lets what runs finish, `cancel` aborts it, `exit`
 * leaves at once. A level below one that was asked for before is nothing new.
 *
 * In this order: not ready, and no job is taken any more; leadership is handed over; balancers are
 * given the time to notice; requests and jobs that run may finish, and what is left of jobs goes
 * back to the queue; then all that they rest on is closed. It is no departure from the cluster.
 */
export function createLifecycle(deps: LifecycleDeps): Lifecycle {
  const { health, http, workers, rest, log, softMs, lastMs, sayFarewell } = deps;
  const { promise: stopped, resolve, reject } = Promise.withResolvers<void>();
  let isStopping = false;

  async function end(): Promise<void> {
    const late = setTimeout(() => {
      log.error('does not stop in time: leaves as it is', { afterMs: lastMs });
      deps.exit();
    }, lastMs);
    health.stopping();
    workers.setTaking(false);
    await sayFarewell();
    await Promise.all([http.close(), workers.stop({ softMs })]);
    await rest.disposeAsync();
    clearTimeout(late);
    log.info('stopped');
  }

  return {
    stopped,
    stop(level = 'soft') {
      // Not as `level`: that is the log's own word.
      log.info('stopping', { extent: level });
      if (level === 'exit') {
        deps.exit();
        return;
      }
      if (level === 'cancel') void workers.stop({ softMs: 0 });
      if (isStopping) return;
      isStopping = true;
      end().then(resolve, reject);
    },
  };
}
