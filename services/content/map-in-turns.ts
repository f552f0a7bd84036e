import { setImmediate as nextTurn } from 'node:timers/promises';

/** Longer than this nobody else who is served by this process is kept waiting. */
const turnMs = 5;

/** Maps many items, with turns of the event loop in between; results in the items' order. */
export async function mapInTurns<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Result,
): Promise<Result[]> {
  const results: Result[] = [];
  let begun = performance.now();
  for (const item of items) {
    if (performance.now() - begun >= turnMs) {
      await nextTurn();
      begun = performance.now();
    }
    results.push(work(item));
  }
  return results;
}
