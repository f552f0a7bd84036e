import type { Entry } from '#cluster/raft/core/types.ts';
import { contentHash } from './machine.ts';
import { must } from './world.ts';
import type { Ledger } from './types.ts';

export function createLedger(): Ledger {
  return {
    leaders: new Map(),
    contents: new Map(),
    committed: [{ term: 0, by: 0 }],
    applied: [{ hash: 0, serial: 0 }],
    acknowledged: 0,
    configurations: new Map(),
  };
}

export const commitOf = (ledger: Ledger): number => ledger.committed.length - 1;

/** Property 2: equal index and term, equal content and equal predecessor; so all before is equal. */
export function noteEntry(ledger: Ledger, entry: Entry, previous: number | undefined): void {
  const key = entry.index * 0x100000 + entry.term;
  const hash = contentHash(entry);
  const known = ledger.contents.get(key);
  const place = () => `entry ${entry.index} of term ${entry.term}`;
  if (!known) {
    ledger.contents.set(key, { hash, previous });
    return;
  }
  must(known.hash === hash, 'log matching', () => `${place()} has two contents`);
  if (known.previous === undefined) ledger.contents.set(key, { hash, previous });
  else if (previous !== undefined) {
    must(
      known.previous === previous,
      'log matching',
      () => `${place()} follows an entry of term ${known.previous} and one of ${previous}`,
    );
  }
}

/** The highest index committed by a leader of an earlier term than this. */
export function committedBefore(ledger: Ledger, term: number): number {
  let index = commitOf(ledger);
  while (index > 0 && ledger.committed[index]!.by >= term) index -= 1;
  return index;
}
