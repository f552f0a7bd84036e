import { OutcomeUnknownError, RaftRefusedError } from './errors.ts';
import type { Refusal } from './messages.ts';
import type { Applied } from './ports.ts';

/** What a proposal came to: where it is in the log, and what the state machine answered. */
export interface Done {
  readonly index: number;
  readonly term: number;
  readonly result: unknown;
}

export interface Waiter {
  readonly resolve: (done: Done) => void;
  readonly reject: (error: Error) => void;
}

interface Placed {
  readonly waiter: Waiter;
  readonly index: number;
  readonly term: number;
}

export interface Waiters {
  /** A proposal went to the engine. */
  push(waiter: Waiter): void;
  accepted(count: number, index: number, term: number): void;
  /** One that asked in another way has its place. */
  place(waiter: Waiter, index: number, term: number): void;
  refused(count: number, refusal: Refusal): void;
  /** These entries are applied, with these results. */
  applied(entries: readonly Applied[], results: readonly unknown[]): void;
  /** A snapshot stands for everything up to here. */
  skippedTo(index: number): void;
  /** Gives up on what was placed before this term. */
  loseBefore(term: number, why: string): void;
  loseAll(why: string): void;
  readonly size: () => number;
}

/** First in, first out, without moving what is behind. */
function createQueue<T>() {
  let items: (T | undefined)[] = [];
  let head = 0;
  return {
    size: () => items.length - head,
    first: (): T | undefined => items[head],
    last: (): T | undefined => (items.length > head ? items[items.length - 1] : undefined),
    push: (item: T) => void items.push(item),
    pop: () => void items.pop(),
    shift(): T | undefined {
      if (head >= items.length) return undefined;
      const item = items[head];
      items[head] = undefined;
      head += 1;
      if (head > 1024 && head * 2 > items.length) {
        items = items.slice(head);
        head = 0;
      }
      return item;
    },
  };
}

/** Callers that wait: first for a place in the log, then for their entry to be applied. */
export function createWaiters(): Waiters {
  const asked = createQueue<Waiter>();
  const placed = createQueue<Placed>();
  const lose = (waiter: Waiter | undefined, why: string) =>
    waiter?.reject(new OutcomeUnknownError(why));
  /** Entries of an earlier leadership that were here are gone; other nodes may still hold them. */
  const overwritten = (index: number) => {
    for (let last = placed.last(); last && last.index >= index; last = placed.last()) {
      placed.pop();
      lose(last.waiter, 'the entry was overwritten here');
    }
  };
  return {
    size: () => asked.size() + placed.size(),
    push: (waiter) => asked.push(waiter),
    place(waiter, index, term) {
      overwritten(index);
      placed.push({ waiter, index, term });
    },
    accepted(count, index, term) {
      overwritten(index);
      for (let nth = 0; nth < count; nth += 1) {
        const waiter = asked.shift();
        if (waiter) placed.push({ waiter, index: index + nth, term });
      }
    },
    refused(count, refusal) {
      for (let nth = 0; nth < count; nth += 1) asked.shift()?.reject(new RaftRefusedError(refusal));
    },
    applied(entries, results) {
      const firstIndex = entries[0]?.index ?? 0;
      const lastIndex = firstIndex + entries.length - 1;
      for (let next = placed.first(); next && next.index <= lastIndex; next = placed.first()) {
        placed.shift();
        const { waiter, index, term } = next;
        const entry = entries[index - firstIndex];
        if (!entry) lose(waiter, 'a snapshot came in its place');
        else if (entry.term === term) {
          waiter.resolve({ index, term, result: results[index - firstIndex] });
        } else {
          const detail = 'another entry has its place';
          waiter.reject(new RaftRefusedError({ reason: 'leadership-lost', detail }));
        }
      }
    },
    skippedTo(index) {
      for (let next = placed.first(); next && next.index <= index; next = placed.first()) {
        placed.shift();
        lose(next.waiter, 'a snapshot came in its place');
      }
    },
    loseBefore(term, why) {
      for (let next = placed.first(); next && next.term < term; next = placed.first()) {
        placed.shift();
        lose(next.waiter, why);
      }
    },
    loseAll(why) {
      while (placed.size() > 0) lose(placed.shift()?.waiter, why);
      while (asked.size() > 0) lose(asked.shift(), why);
    },
  };
}
