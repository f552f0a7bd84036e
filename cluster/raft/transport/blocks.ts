import type { Entry } from '../core/types.ts';
import { encodeEntries } from '../wire/convert.ts';

/** Entries as they lie on the wire, encoded once for all peers that are equally far. */
export interface BlockCache {
  blockOf(entries: readonly Entry[]): Uint8Array;
}

interface Kept {
  readonly first: Entry;
  readonly last: Entry;
  readonly count: number;
  readonly block: Uint8Array;
}

const KEPT = 4;
const MAX_KEPT_BYTES = 1024 * 1024;

export function createBlockCache(): BlockCache {
  const kept: Kept[] = [];
  return {
    blockOf(entries) {
      const first = entries[0]!;
      const last = entries.at(-1)!;
      const count = entries.length;
      // The very same ends, in one log, have the same entries between them (log matching).
      const found = kept.find((k) => k.last === last && k.first === first && k.count === count);
      if (found) return found.block;
      const block = encodeEntries(entries);
      if (block.length <= MAX_KEPT_BYTES) {
        if (kept.length >= KEPT) kept.shift();
        kept.push({ first, last, count, block });
      }
      return block;
    },
  };
}
