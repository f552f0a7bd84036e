/** Lets so many through at once for each key; the others wait in turn. */
export interface Gate {
  /** Waits for a place; the result gives it back. Undefined: the wait was given up, or too long. */
  enter(key: string, onWait: (giveUp: () => void) => void): Promise<(() => void) | undefined>;
  total(): number;
}

interface Place {
  running: number;
  readonly queue: Set<(isThrough: boolean) => void>;
}

/** @param maxWaiting for each key; one more does not wait at all */
export function createGate(perKey: number, maxWaiting: number): Gate {
  const places = new Map<string, Place>();
  let total = 0;

  function leave(key: string, place: Place): void {
    for (const next of place.queue) return next(true); // its place goes straight on
    total -= 1;
    place.running -= 1;
    if (place.running === 0) places.delete(key);
  }
  function once(key: string, place: Place): () => void {
    let isOver = false;
    return () => {
      if (!isOver) leave(key, place);
      isOver = true;
    };
  }
  return {
    async enter(key, onWait) {
      const place = places.get(key) ?? { running: 0, queue: new Set() };
      places.set(key, place);
      if (place.running < perKey) {
        place.running += 1;
        total += 1;
        return once(key, place);
      }
      if (place.queue.size >= maxWaiting) return undefined;
      const isThrough = await new Promise<boolean>((resolve) => {
        const end = (isNext: boolean) => {
          place.queue.delete(end);
          resolve(isNext);
        };
        place.queue.add(end);
        onWait(() => end(false));
      });
      return isThrough ? once(key, place) : undefined;
    },
    total: () => total,
  };
}
