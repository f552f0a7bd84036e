import type { SeriesRecord, WorkProvider } from '#services/metadata/provider.ts';
import { createBudget } from '#services/providers/budget.ts';
import type { ProviderHttpDeps } from '#services/providers/http.ts';
import { createKeptAnswers } from '#services/providers/kept.ts';
import { createTmdb, tmdbAllowance } from '#services/providers/tmdb/index.ts';
import type { Log } from '#services/log.ts';
import type { Config } from './config/keys.ts';
import type { Engines } from './engines.ts';
import type { Metrics } from './metrics.ts';

/** Who is asked about each kind; a provider without a key is not there. */
export interface Providers {
  readonly film: WorkProvider | undefined;
  readonly series: WorkProvider<SeriesRecord> | undefined;
}

/** Makes the providers that are configured. */
export function createProviders(deps: {
  config: Config;
  engines: Pick<Engines, 'outbound' | 'cache' | 'redis' | 'member'>;
  metrics: Metrics;
  log: Log;
  now: () => number;
}): Providers {
  const { config, engines, metrics, log, now } = deps;
  const { outbound, cache, redis, member } = engines;
  const apiKey = config['metadata.tmdb.api_key'];
  if (apiKey === undefined) return { film: undefined, series: undefined };
  const http: ProviderHttpDeps = {
    ...{ outbound, cache, log, now, random: Math.random },
    kept: createKeptAnswers(redis),
    meter: {
      request(provider, outcome, durationMs) {
        metrics.providerDuration.observe({ provider, outcome }, durationMs / 1_000);
      },
      drift: (provider, type) => metrics.providerDrift.inc({ provider, type }),
    },
  };
  const nodes = () =>
    [...member.state.view().members.values()].filter(({ kind }) => kind === 'node').length;
  return createTmdb(http, {
    ...{ apiKey, baseUrl: config['metadata.tmdb.url'] },
    budget: createBudget({ redis, nodes }, 'tmdb', tmdbAllowance),
  });
}
