import { createCache } from '#storage/cache/index.ts';
import { createOutbound } from '#storage/outbound/index.ts';
import type { Budget } from '#services/providers/budget.ts';
import type { ProviderHttpDeps } from '#services/providers/http.ts';
import { createKeptAnswers } from '#services/providers/kept.ts';
import { createTestOrder } from './clock.ts';
import { quiet } from './log.ts';

/** What providers are made of in tests: real HTTP to vendors of the test, and no waiting. */
export interface TestProviders extends AsyncDisposable {
  /** With a cache of its own each time. */
  deps(): ProviderHttpDeps;
  readonly budget: Budget;
}

/** Asks these servers only. */
export function providerDeps(trusted: readonly string[]): TestProviders {
  const outbound = createOutbound({ trusted, userAgent: 'Revenge/test' });
  return {
    deps() {
      const now = () => Date.UTC(2026, 0, 1);
      const clock = createTestOrder().node();
      return {
        cache: createCache({ clock, log: quiet, now, l1MaxBytes: 1_000_000 }),
        ...{ outbound, log: quiet, now, random: () => 0.5, kept: createKeptAnswers(undefined) },
        meter: { request: () => undefined, drift: () => undefined },
        pause: async () => undefined,
      };
    },
    budget: { take: async () => 0, rest: async () => undefined },
    [Symbol.asyncDispose]: () => outbound[Symbol.asyncDispose](),
  };
}
