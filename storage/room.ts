/** A bounded amount of something, memory for example, which is given out first come, first served. */
export interface Room {
  /**
   * Resolves, when so much is free, to what gives it back; undefined when too many wait already, or
   * when it took too long. More than there ever is counts as all of it. Rejects with what `signal`
   * says.
   */
  enter(amount: number, signal: AbortSignal): Promise<Disposable | undefined>;
  /** How much is taken. */
  taken(): number;
}

export interface RoomOptions {
  readonly size: number;
  readonly waitingMax: number;
  /** Milliseconds after which who waits is sent away; as long as it takes unless stated. */
  readonly waitMaxMs?: number;
}

interface Waiter {
  readonly amount: number;
  readonly letIn: (place: Disposable) => void;
}

/** Nobody is passed over: a small one does not go before a large one that waits. */
export function createRoom({ size, waitingMax, waitMaxMs }: RoomOptions): Room {
  const waiting = new Set<Waiter>();
  let taken = 0;
  const admit = () => {
    for (const waiter of waiting) {
      if (taken + waiter.amount > size) return;
      waiter.letIn(take(waiter.amount));
    }
  };
  const take = (amount: number): Disposable => {
    let isInside = true;
    taken += amount;
    return {
      [Symbol.dispose]() {
        if (!isInside) return;
        isInside = false;
        taken -= amount;
        admit();
      },
    };
  };
  const wait = (amount: number, signal: AbortSignal) =>
    new Promise<Disposable | undefined>((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        waiting.delete(waiter);
        signal.removeEventListener('abort', giveUp);
      };
      // Who goes may have stood before smaller ones.
      const giveUp = () => {
        end();
        reject(signal.reason as Error);
        admit();
      };
      const sendAway = () => {
        end();
        resolve(undefined);
        admit();
      };
      const letIn = (place: Disposable) => {
        end();
        resolve(place);
      };
      const waiter = { amount, letIn };
      const timer = waitMaxMs === undefined ? undefined : setTimeout(sendAway, waitMaxMs);
      waiting.add(waiter);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  return {
    async enter(wanted, signal) {
      signal.throwIfAborted();
      const amount = Math.min(wanted, size);
      if (waiting.size === 0 && taken + amount <= size) return take(amount);
      return waiting.size < waitingMax ? wait(amount, signal) : undefined;
    },
    taken: () => taken,
  };
}
