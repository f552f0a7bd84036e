import type { HandlersOf } from '#api/handler.ts';
import type { Health, HealthReport } from './health.ts';
import type { Metrics } from './metrics.ts';

const answer = (report: HealthReport) => ({
  status: report.status === 'failing' ? 503 : 200,
  headers: { 'cache-control': 'no-store' },
  body: report,
});

type Probe =
  'getLiveness' | 'getReadiness' | 'getStartup' | 'getSwarmHealth' | 'getClusterReadiness';

/** Handlers of what orchestrators and balancers ask. */
export const createProbes = (health: Health): HandlersOf<Probe> => ({
  getLiveness: async () => answer(health.live()),
  async getReadiness({ query }) {
    const ready = answer(health.ready());
    return health.isLeaving() ? { ...ready, status: query.leaving ?? ready.status } : ready;
  },
  getStartup: async () => answer(health.startup()),
  getSwarmHealth: async () => answer(health.swarm()),
  async getClusterReadiness() {
    // A leader comes and goes between two looks, and to look costs nothing.
    await health.askNow('cluster');
    return answer(health.cluster());
  },
});

/** Handlers of the node itself: probes and metrics. */
export function createNodeHandlers(deps: {
  health: Health;
  metrics: Metrics;
}): HandlersOf<Probe | 'getMetrics'> {
  const { health, metrics } = deps;
  return {
    ...createProbes(health),
    getMetrics: async () => ({
      status: 200,
      headers: { 'content-type': metrics.registry.contentType },
      stream: await metrics.registry.metrics(),
    }),
  };
}
