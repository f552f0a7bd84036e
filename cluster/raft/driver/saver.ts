import type { Save } from '../core/types.ts';
import type { Recorder } from './metrics.ts';
import type { Store } from './ports.ts';

export interface SaverOptions {
  readonly store: Store;
  readonly recorder: Recorder;
  readonly now: () => number;
  readonly onSaved: (save: number) => void;
  /** The disk refused: nothing may be promised any more. */
  readonly onBroken: (error: Error) => void;
}

/** One write at a time; what comes meanwhile goes together in the next one. */
export function createSaver({ store, recorder, now, onSaved, onBroken }: SaverOptions) {
  let waiting: Save[] = [];
  let running: Promise<void> | undefined;

  const start = () => {
    const saves = waiting;
    const last = saves[saves.length - 1];
    if (!last) return;
    waiting = [];
    const begun = now();
    running = store.save(saves).then(
      () => {
        running = undefined;
        recorder.time('raft_leader_dispatchLog', now() - begun);
        let logs = 0;
        for (const { entries } of saves) logs += entries.length;
        recorder.count('raft_leader_dispatchNumLogs', logs);
        // The next write begins before the answers to this one are worked on.
        start();
        onSaved(last.number);
      },
      (error: unknown) => {
        running = undefined;
        waiting = [];
        onBroken(error instanceof Error ? error : new Error(String(error)));
      },
    );
  };
  return {
    add(save: Save) {
      waiting.push(save);
    },
    /** Call at the end of a turn. */
    flush() {
      if (!running) start();
    },
    async idle() {
      while (running) await running;
    },
  };
}
