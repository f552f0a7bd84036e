import type { Log } from '../raft/driver/ports.ts';
import type { Office, Offices } from './office.ts';
import type { Pause } from './pause.ts';

/** What exactly one node does: the leader, from when it takes office until it leaves it. */
export interface Duty {
  readonly name: string;
  /** Resolves when it is over, at the latest soon after the office's signal; else it is begun again. */
  readonly run: (office: Office) => Promise<void>;
}

export interface DutiesDeps {
  readonly offices: Offices;
  readonly log: Log;
  readonly pause: Pause;
}

const againMs = 1_000;

/** Runs duties while this node leads; a duty that fails is begun again after a pause. */
export function startDuties(duties: readonly Duty[], deps: DutiesDeps): { close(): Promise<void> } {
  const { offices, log, pause } = deps;
  const running = new Set<Promise<void>>();
  const perform = async (duty: Duty, office: Office) => {
    while (!office.signal.aborted) {
      try {
        await duty.run(office);
      } catch (error) {
        if (!office.signal.aborted) {
          log.error('duty failed; it is begun again', { duty: duty.name, error: String(error) });
        }
      }
      await pause(againMs, office.signal);
    }
  };
  let served: Office | undefined;
  const follow = (office: Office | undefined) => {
    if (!office || office === served) return;
    served = office;
    for (const duty of duties) {
      const work = perform(duty, office).finally(() => running.delete(work));
      running.add(work);
    }
  };
  const stop = offices.onChange(follow);
  follow(offices.current());
  return {
    async close() {
      stop();
      await Promise.all(running);
    },
  };
}
