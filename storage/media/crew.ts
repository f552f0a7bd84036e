/** How many work at once: few at first, and one more whenever somebody has waited too long. */
export interface Crew {
  /** Resolves, when there is a place, to what gives it back. Throws what `signal` says. */
  enter(signal: AbortSignal): Promise<() => void>;
}

interface CrewSize {
  readonly least: number;
  readonly most: number;
  /** Milliseconds; who waits longer waits for a disk, not for a processor. */
  readonly patienceMs: number;
}

/**
 * A thread costs 5 MB and a tenth of a second to start, and more of them than processors gain
 * nothing on a local disk. On a share in the network, and beside one that hangs, they do: then
 * those in front keep their places for long. Goes back to the least when nobody waits any more.
 */
export function createCrew({ least, most, patienceMs }: CrewSize): Crew {
  /** What lets each one in, in the order they came. */
  const waiting = new Set<() => void>();
  let [size, inside] = [least, 0];
  const admit = () => {
    for (const letIn of waiting) {
      if (inside >= size) return;
      inside += 1;
      letIn();
    }
    if (inside < least) size = least;
  };
  const leave = () => {
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      inside -= 1;
      admit();
    };
  };
  return {
    enter(signal) {
      if (inside < size && !signal.aborted) {
        inside += 1;
        return Promise.resolve(leave());
      }
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          size = Math.min(size + 1, most);
          admit();
        }, patienceMs);
        const end = () => {
          clearTimeout(timer);
          waiting.delete(letIn);
          signal.removeEventListener('abort', giveUp);
        };
        const letIn = () => {
          end();
          resolve(leave());
        };
        const giveUp = () => {
          end();
          reject(signal.reason as Error);
        };
        if (signal.aborted) return giveUp();
        waiting.add(letIn);
        signal.addEventListener('abort', giveUp);
      });
    },
  };
}
