import type { Jobs } from '#services/jobs/index.ts';
import type { Playback } from '#services/playback/index.ts';
import type { Engines } from './engines.ts';
import type { Metrics } from './metrics.ts';

/** Registers what is read at each scrape: queues, pools, media processes, streams, cache. */
export function addGauges(
  metrics: Metrics,
  engines: Engines,
  { jobs, playback }: { jobs: Jobs; playback: Playback },
): void {
  metrics.gauge({
    name: 'job_queue_depth',
    help: 'Jobs per queue and state, on all nodes',
    labelNames: ['queue', 'state'],
    read: async () =>
      (await jobs.stats()).flatMap((depth) =>
        (['waiting', 'scheduled', 'running', 'dead'] as const).map((state) => ({
          labels: { queue: depth.queue, state },
          value: depth[state],
        })),
      ),
  });
  metrics.gauge({
    name: 'db_pool_connections',
    help: "This node's connections to PostgreSQL, by what they do",
    labelNames: ['state'],
    read: async () => {
      const rows = await engines.sql<{ state: string; value: number }[]>`
        select coalesce(state, 'other') as state, count(*) as value
        from pg_stat_activity
        where application_name = current_setting('application_name')
          and datname = current_database()
        group by 1`;
      return rows.map(({ state, value }) => ({ labels: { state }, value }));
    },
  });
  metrics.gauge({
    name: 'media_processes',
    help: 'Processes that touch media, and calls that wait for or run in them',
    labelNames: ['what'],
    read: () => {
      const { processes, waiting, working, restarts, abandoned } = engines.media.stats();
      const all = { processes, waiting, working, restarts, abandoned };
      return Object.entries(all).map(([what, value]) => ({ labels: { what }, value }));
    },
  });
  addClusterGauges(metrics, engines);
  metrics.gauge({
    name: 'live_events',
    help: 'Events told to clients since the start, and held for those who come back; what waits',
    labelNames: ['what'],
    read: () => entriesOf(engines.events.stats()),
  });
  metrics.gauge({
    name: 'active_streams_count',
    help: 'Media streams being sent now',
    read: () => [{ value: playback.activity().streams }],
  });
  metrics.gauge({
    name: 'cache_hit_ratio',
    help: 'Share of look-ups answered by a tier, since the start',
    labelNames: ['tier'],
    read: async () => ratios((await metrics.cacheLookups.get()).values),
  });
}

type Counted = { labels: Partial<Record<string, string | number>>; value: number };

/** Hits over look-ups per tier; stale answers count as hits. Pure. */
export function ratios(values: readonly Counted[]) {
  return ['l1', 'l2'].flatMap((tier) => {
    const of = (wanted: (outcome: unknown) => boolean) =>
      values
        .filter(({ labels }) => labels['tier'] === tier && wanted(labels['outcome']))
        .reduce((sum, { value }) => sum + value, 0);
    const all = of(() => true);
    return all === 0 ? [] : [{ labels: { tier }, value: of((o) => o !== 'miss') / all }];
  });
}

function addClusterGauges(metrics: Metrics, { member, sql }: Engines): void {
  const { state, offices, currency, consensus, network } = member;
  metrics.gauges('Of Raft on this node; see docs/raft.md', async () => ({
    ...(await consensus.lastStatus()).metrics,
  }));
  metrics.gauge({
    name: 'cluster_state',
    help: 'Whether this node leads, how many members there are, the index, and its age in ms',
    labelNames: ['what'],
    read: () =>
      entriesOf({
        leads: offices.current() ? 1 : 0,
        members: state.view().members.size,
        index: state.view().index,
        ageMs: Math.min(currency.ageMs(), Number.MAX_SAFE_INTEGER),
      }),
  });
  metrics.gauge({
    name: 'cluster_clock_skew_seconds',
    help: "How far the clocks of members are ahead of this node's",
    labelNames: ['node'],
    read: () =>
      [...member.pulses.skews()].map(([node, ms]) => ({ labels: { node }, value: ms / 1000 })),
  });
  metrics.gauge({
    name: 'cluster_rpc',
    help: 'Requests to other nodes under way, and connections that wait to be used again',
    labelNames: ['what'],
    read: () => entriesOf(network()?.client.stats()),
  });
  metrics.gauge({
    name: 'cluster_gossip',
    help: 'Hints exchanged with other nodes, since the start',
    labelNames: ['what'],
    read: () => {
      const stats = network()?.gossip()?.stats();
      if (!stats) return [];
      const { peers, sent, received, queued, barred } = stats;
      const isUsable = stats.isUsable ? 1 : 0;
      return entriesOf({ isUsable, peers, sent, received, queued, barred });
    },
  });
  metrics.gauge({
    name: 'cluster_outbox_waiting',
    help: 'Changes that are written and not announced yet, on all nodes',
    read: () => sql<{ value: number }[]>`
      select count(*) as value from shared.invalidation_outbox`,
  });
}

const entriesOf = (values: object = {}) =>
  Object.entries(values).map(([what, value]) => ({ labels: { what }, value: Number(value) }));
