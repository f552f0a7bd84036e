import { MediaError } from './media.ts';

/** One thing a call needs a place at: a mount, a kind of work. */
export interface Place {
  readonly key: string;
  readonly limit: number;
}

export interface Entrance {
  readonly places: readonly Place[];
  /** Somebody waits: goes before the others and may take the last place, which is kept free. */
  readonly isUrgent: boolean;
  readonly signal: AbortSignal;
}

/** Counted places by name with two bounded waiting lines. */
export interface Gate {
  /**
   * Resolves, when all places are free at once, to what gives them back. Throws MediaError
   * `unavailable` when the line is full; rejects with the signal's reason when it is aborted.
   */
  enter(entrance: Entrance): Promise<() => void>;
  waiting(): number;
  inside(): Readonly<Record<string, number>>;
}

interface Waiter extends Entrance {
  readonly admit: () => void;
}

/** Places are made on first use; `waitingMax` bounds both lines together. */
export function createGate({ waitingMax }: { waitingMax: number }): Gate {
  const taken = new Map<string, number>();
  const waiters = new Set<Waiter>();

  const fits = ({ places, isUrgent }: Entrance) =>
    places.every(({ key, limit }) => {
      // One place of each kind is kept for those who wait for an answer.
      const open = isUrgent || limit === 1 ? limit : limit - 1;
      return (taken.get(key) ?? 0) < open;
    });
  const take = ({ places }: Entrance, by: 1 | -1) => {
    for (const { key } of places) {
      const count = (taken.get(key) ?? 0) + by;
      if (count === 0) taken.delete(key);
      else taken.set(key, count);
    }
  };
  const admitNext = () => {
    for (const isUrgent of [true, false]) {
      for (const waiter of waiters) {
        if (waiter.isUrgent === isUrgent && fits(waiter)) {
          waiters.delete(waiter);
          waiter.admit();
        }
      }
    }
  };
  const leave = (entrance: Entrance) => {
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      take(entrance, -1);
      admitNext();
    };
  };

  return {
    enter(entrance) {
      if (entrance.signal.aborted) return Promise.reject(entrance.signal.reason as Error);
      if (fits(entrance)) {
        take(entrance, 1);
        return Promise.resolve(leave(entrance));
      }
      if (waiters.size >= waitingMax) {
        return Promise.reject(new MediaError('unavailable', 'too much media work is waiting'));
      }
      return new Promise((resolve, reject) => {
        const giveUp = () => {
          waiters.delete(waiter);
          reject(entrance.signal.reason as Error);
        };
        const admit = () => {
          entrance.signal.removeEventListener('abort', giveUp);
          take(entrance, 1);
          resolve(leave(entrance));
        };
        const waiter: Waiter = { ...entrance, admit };
        waiters.add(waiter);
        entrance.signal.addEventListener('abort', giveUp, { once: true });
      });
    },
    waiting: () => waiters.size,
    inside: () => Object.fromEntries(taken),
  };
}
