/** Events by (time, sequence): what was planned first comes first at the same moment. */
export interface Timed {
  readonly at: number;
  readonly sequence: number;
  readonly run: () => void;
}

export interface Heap {
  push(at: number, run: () => void): void;
  pop(): Timed | undefined;
  readonly size: number;
}

const isBefore = (a: Timed, b: Timed) => a.at < b.at || (a.at === b.at && a.sequence < b.sequence);

export function createHeap(): Heap {
  const items: Timed[] = [];
  let sequence = 0;
  return {
    push(at, run) {
      const item = { at, sequence: (sequence += 1), run };
      let hole = items.length;
      items.push(item);
      while (hole > 0) {
        const parent = (hole - 1) >>> 1;
        if (isBefore(items[parent]!, item)) break;
        items[hole] = items[parent]!;
        hole = parent;
      }
      items[hole] = item;
    },
    pop() {
      const first = items[0];
      const last = items.pop();
      if (items.length > 0 && last) sink(items, last);
      return first;
    },
    get size() {
      return items.length;
    },
  };
}

function sink(items: Timed[], item: Timed): void {
  let hole = 0;
  for (;;) {
    let child = 2 * hole + 1;
    if (child >= items.length) break;
    if (child + 1 < items.length && isBefore(items[child + 1]!, items[child]!)) child += 1;
    if (isBefore(item, items[child]!)) break;
    items[hole] = items[child]!;
    hole = child;
  }
  items[hole] = item;
}
