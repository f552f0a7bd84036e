/** Counts what runs at once, for each key. */
export interface Counter {
  /** What to call at its end; undefined when there is no room. */
  enter(key: string): (() => void) | undefined;
  total(): number;
}

export function createCounter(perKey: number): Counter {
  const running = new Map<string, number>();
  let total = 0;
  return {
    enter(key) {
      const before = running.get(key) ?? 0;
      if (before >= perKey) return undefined;
      running.set(key, before + 1);
      total += 1;
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        total -= 1;
        const left = (running.get(key) ?? 1) - 1;
        if (left > 0) running.set(key, left);
        else running.delete(key);
      };
    },
    total: () => total,
  };
}
