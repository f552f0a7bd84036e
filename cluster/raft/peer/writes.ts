import type { Driver } from '../driver/driver.ts';
import type { Done } from '../driver/waiters.ts';
import type { PeerMachine } from './machine.ts';

export type Swap =
  | { readonly isSwapped: true; readonly done: Done }
  | { readonly isSwapped: false; readonly value: string | undefined };

export interface Writes {
  apply(command: Uint8Array): Promise<Done>;
  set(key: string, value: string): Promise<Done>;
  /** `from` undefined: only if the key is not there. */
  swap(key: string, from: string | undefined, to: string): Promise<Swap>;
}

/**
 * Commands on their way to the log. The state machine that peers of other languages share knows no
 * compare-and-set, so it is done here: nothing else may be on its way, the comparison is of all
 * that was committed, and the `set` goes in only in the same term. Nobody can then come between.
 */
export function createWrites(driver: Driver, machine: PeerMachine): Writes {
  let underWay = 0;
  let whenIdle: (() => void) | undefined;
  let swaps: Promise<unknown> | undefined;

  async function apply(command: Uint8Array): Promise<Done> {
    while (swaps) await swaps;
    underWay += 1;
    try {
      return await driver.propose(command);
    } finally {
      underWay -= 1;
      if (underWay === 0) whenIdle?.();
    }
  }

  async function compareAndSet(key: string, from: string | undefined, to: string): Promise<Swap> {
    if (underWay > 0) await new Promise<void>((resolve) => (whenIdle = resolve));
    whenIdle = undefined;
    const { term } = await driver.read('quorum');
    const value = machine.get(key);
    if (value !== from) return { isSwapped: false, value };
    return { isSwapped: true, done: await driver.propose(setCommand(key, to), term) };
  }

  return {
    apply,
    set: (key, value) => apply(setCommand(key, value)),
    async swap(key, from, to) {
      while (swaps) await swaps;
      const mine = compareAndSet(key, from, to);
      const settled = mine.then(
        () => undefined,
        () => undefined,
      );
      swaps = settled;
      try {
        return await mine;
      } finally {
        if (swaps === settled) swaps = undefined;
      }
    },
  };
}

const setCommand = (key: string, value: string) => Buffer.from(`set ${key} ${value}`);
