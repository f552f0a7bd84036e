import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** A reading taken when somebody asks for the metrics: label values and the number. */
export type Reading = { labels?: Readonly<Record<string, string>>; value: number };

/** The node's metrics, with the names its users know. */
export interface Metrics {
  readonly registry: Registry;
  readonly requestDuration: Histogram<'method' | 'route' | 'status'>;
  readonly cacheLookups: Counter<'type' | 'tier' | 'outcome'>;
  readonly jobDuration: Histogram<'name' | 'outcome'>;
  readonly healthStatus: Gauge<'check'>;
  readonly healthDuration: Histogram<'check'>;
  readonly activeStreams: Gauge;
  /** A gauge that is read, not kept: `read` runs at each scrape. */
  gauge(name: string, help: string, read: () => readonly Reading[]): void;
}

const secondsBuckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Makes the registry and the metrics that are counted where things happen. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    requestDuration: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from the request to the end of its answer',
      labelNames: ['method', 'route', 'status'],
      buckets: secondsBuckets,
      registers,
    }),
    cacheLookups: new Counter({
      name: 'cache_lookups_total',
      help: 'Look-ups by type, tier (l1, l2) and outcome (hit, miss, stale)',
      labelNames: ['type', 'tier', 'outcome'],
      registers,
    }),
    jobDuration: new Histogram({
      name: 'job_duration_seconds',
      help: 'Time one try of a job took, by outcome',
      labelNames: ['name', 'outcome'],
      buckets: [0.01, 0.05, 0.25, 1, 5, 30, 120, 600, 1800],
      registers,
    }),
    healthStatus: new Gauge({
      name: 'health_check_status',
      help: '1 while the dependency answers, else 0',
      labelNames: ['check'],
      registers,
    }),
    healthDuration: new Histogram({
      name: 'health_check_duration_seconds',
      help: 'Time a health check took',
      labelNames: ['check'],
      buckets: secondsBuckets,
      registers,
    }),
    activeStreams: new Gauge({
      name: 'active_streams_count',
      help: 'Media streams being sent now',
      registers,
    }),
    gauge(name, help, read) {
      const labelNames = [...new Set(read().flatMap(({ labels }) => Object.keys(labels ?? {})))];
      const gauge: Gauge = new Gauge({
        name,
        help,
        labelNames,
        registers,
        collect() {
          gauge.reset();
          for (const { labels = {}, value } of read()) gauge.set(labels, value);
        },
      });
    },
  };
}
