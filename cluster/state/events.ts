import type { Draft } from './draft.ts';
import { limits } from './limits.ts';
import type { Batch } from './types.ts';

/** The events of those batches that have not come before; from now on they have. */
export function takeNew(draft: Draft, batches: readonly Batch[]): string[] {
  const fresh = new Map<string, readonly string[]>();
  for (const { id, events } of batches) {
    if (!fresh.has(id) && !draft.told.includes(id)) fresh.set(id, events);
  }
  if (fresh.size === 0) return [];
  draft.told = [...draft.told, ...fresh.keys()].slice(-limits.told);
  return [...fresh.values()].flat();
}
