interface Waiting {
  readonly go: () => void;
  readonly fail: (error: unknown) => void;
}

interface Line {
  running: number;
  readonly waiting: Waiting[];
}

/**
 * Runs so many at once for each key; the others wait in turn. When one fails, whoever waits fails
 * with it: they would only find out the same, later.
 */
export function createLine(atOnce: number) {
  const lines = new Map<string, Line>();
  return async function run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const line = lines.get(key) ?? { running: 0, waiting: [] };
    lines.set(key, line);
    if (line.running < atOnce) line.running += 1;
    else await new Promise<void>((go, fail) => line.waiting.push({ go, fail }));
    try {
      return await work();
    } catch (error) {
      for (const { fail } of line.waiting.splice(0)) fail(error);
      throw error;
    } finally {
      const next = line.waiting.shift();
      if (next) next.go();
      else line.running -= 1;
      if (line.running === 0) lines.delete(key);
    }
  };
}
