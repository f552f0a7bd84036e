import type { ArrServer } from '#services/metadata/arr-server.ts';
import type { SeriesRecord, WorkProvider } from '#services/metadata/provider.ts';
import { createRadarr, createSonarr } from '#services/providers/arr/index.ts';
import { createBudget, type Allowance } from '#services/providers/budget.ts';
import type { ProviderHttpDeps } from '#services/providers/http.ts';
import { createKeptAnswers } from '#services/providers/kept.ts';
import { createTmdb, tmdbAllowance } from '#services/providers/tmdb/index.ts';
import { createTvdb, tvdbAllowance } from '#services/providers/tvdb/index.ts';
import type { Log } from '#services/log.ts';
import type { Config } from './config/keys.ts';
import type { Engines } from './engines.ts';
import type { Metrics } from './metrics.ts';

/** Who is asked about each kind, the first first; a provider without a key is not there. */
export interface Providers {
  readonly films: readonly WorkProvider[];
  readonly series: readonly WorkProvider<SeriesRecord>[];
  /** Those that have an address and a key. */
  readonly arr: readonly ArrServer[];
}

interface Provider {
  readonly film: WorkProvider;
  readonly series: WorkProvider<SeriesRecord>;
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
  const budget = (name: string, allowance: Allowance) =>
    createBudget({ redis, nodes }, name, allowance);
  const made: Record<Config['metadata.providers'][number], () => Provider | undefined> = {
    tmdb() {
      const apiKey = config['metadata.tmdb.api_key'];
      if (apiKey === undefined) return undefined;
      const baseUrl = config['metadata.tmdb.url'];
      return createTmdb(http, { apiKey, baseUrl, budget: budget('tmdb', tmdbAllowance) });
    },
    tvdb() {
      const apiKey = config['metadata.tvdb.api_key'];
      if (apiKey === undefined) return undefined;
      const [baseUrl, pin] = [config['metadata.tvdb.url'], config['metadata.tvdb.pin']];
      const order = config['metadata.tvdb.order'];
      return createTvdb(http, {
        apiKey,
        pin,
        baseUrl,
        order,
        budget: budget('tvdb', tvdbAllowance),
      });
    },
  };
  const chain = config['metadata.providers'].flatMap((name) => made[name]() ?? []);
  return {
    films: chain.map(({ film }) => film),
    series: chain.map(({ series }) => series),
    arr: arrServers(config, http),
  };
}

function arrServers(config: Config, http: ProviderHttpDeps): ArrServer[] {
  const named = (name: 'radarr' | 'sonarr', create: typeof createRadarr) => {
    const [urls = [], apiKeys = []] = [config[`arr.${name}.url`], config[`arr.${name}.api_key`]];
    return urls.flatMap((url, at) => {
      const apiKey = apiKeys[at];
      return apiKey === undefined ? [] : [create(http, { url, apiKey, place: at + 1 })];
    });
  };
  return [...named('radarr', createRadarr), ...named('sonarr', createSonarr)];
}
