/** A bell: `wait` resolves when it rings, at once if it rang since the last wait. */
export interface Bell {
  ring(): void;
  /** Resolves when rung, or after `timeoutMs`. One waiter at a time. */
  wait(timeoutMs: number): Promise<void>;
}

/** Makes a bell; rings that nobody waited for count as one. */
export function createBell(): Bell {
  let rung = false;
  let wake: (() => void) | undefined;
  return {
    ring() {
      rung = true;
      wake?.();
    },
    async wait(timeoutMs) {
      if (!rung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, timeoutMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        wake = undefined;
      }
      rung = false;
    },
  };
}

/** A repeated piece of work: never twice at once, and over only when the last round is. */
export interface Round {
  stop(): Promise<void>;
}

/** Runs `work` every `everyMs`, counted from the end of one to the start of the next. */
export function every(everyMs: number, work: () => Promise<void>): Round {
  const bell = createBell();
  let stopped = false;
  const loop = async () => {
    for (;;) {
      await bell.wait(everyMs);
      if (stopped) return;
      await work();
    }
  };
  const done = loop();
  return {
    async stop() {
      stopped = true;
      bell.ring();
      await done;
    },
  };
}
