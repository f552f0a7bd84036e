import type { HandlersOf } from '#api/handler.ts';
import type { Health, HealthReport } from './health.ts';
import type { Metrics } from './metrics.ts';

const answer = (report: HealthReport) => ({
  status: report.status === 'failing' ? 503 : 200,
  headers: { 'cache-control': 'no-store' },
  body: report,
});

/** Handlers of the node itself: probes and metrics. */
export function createNodeHandlers(deps: {
  health: Health;
  metrics: Metrics;
}): HandlersOf<'getLiveness' | 'getReadiness' | 'getStartup' | 'getSwarmHealth' | 'getMetrics'> {
  const { health, metrics } = deps;
  return {
    getLiveness: async () => answer(health.live()),
    getReadiness: async () => answer(health.ready()),
    getStartup: async () => answer(health.startup()),
    getSwarmHealth: async () => answer(health.swarm()),
    getMetrics: async () => ({
      status: 200,
      headers: { 'content-type': metrics.registry.contentType },
      stream: await metrics.registry.metrics(),
    }),
  };
}
