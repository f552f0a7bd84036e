/** Maps all items, at most `limit` at a time; results in the items' order, the first failure wins. */
export async function mapAtOnce<Item, Result>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length);
  const entries = items.entries();
  let isFailed = false;
  const lane = async () => {
    for (const [at, item] of entries) {
      if (isFailed) return;
      try {
        results[at] = await work(item);
      } catch (error) {
        isFailed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  return results;
}

/** Cuts a list into pieces of at most `size`. */
export function chunksOf<Item>(items: readonly Item[], size: number): Item[][] {
  const chunks: Item[][] = [];
  for (let from = 0; from < items.length; from += size) chunks.push(items.slice(from, from + size));
  return chunks;
}

/** Works ahead on at most `depth` items, and yields the results in the items' order. */
export async function* inOrder<Item, Result>(
  items: Iterable<Item>,
  depth: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result, void> {
  const ahead: Promise<Result>[] = [];
  const begin = (item: Item) => {
    const result = work(item);
    result.catch(() => undefined); // it is awaited below, unless one before it fails or we stop
    ahead.push(result);
  };
  for (const item of items) {
    begin(item);
    const first = ahead.length > depth ? ahead.shift() : undefined;
    if (first !== undefined) yield await first;
  }
  for (let first = ahead.shift(); first !== undefined; first = ahead.shift()) yield await first;
}

/** Does work of one key one after the other, in the order it came; other keys do not wait for it. */
export type Turns = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/** Makes turns; work that fails does not hold up what comes after it. */
export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return async (key, work) => {
    const mine = (last.get(key) ?? Promise.resolve()).then(work, work);
    last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (last.get(key) === mine) last.delete(key);
    }
  };
}
