import type { Backoff } from './job.ts';

const defaults: Backoff = { firstMs: 10_000, maxMs: 3_600_000 };
const spread = 0.2;

/**
 * Milliseconds to wait after the try numbered `attempt` (1 = the first) has failed: doubled with
 * each try up to a bound, and moved by up to a fifth either way so that what failed together does
 * not return together. `random` is uniform in [0, 1).
 */
export function backoffMs(
  attempt: number,
  random: () => number,
  backoff: Backoff = defaults,
): number {
  const grown = Math.min(backoff.firstMs * 2 ** Math.min(attempt - 1, 30), backoff.maxMs);
  return Math.round(grown * (1 - spread + 2 * spread * random()));
}
