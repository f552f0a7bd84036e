import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** A reading taken when somebody asks for the metrics: label values and the number. */
export interface Reading {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A gauge that is read, not kept. */
export interface ReadGauge {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
  /** Runs at each scrape; when it fails the gauge has no value, which is the truth. */
  readonly read: () => readonly Reading[] | Promise<readonly Reading[]>;
}

/** The node's metrics, with the names its users know. */
export interface Metrics {
  readonly registry: Registry;
  readonly requestDuration: Histogram<'method' | 'route' | 'status'>;
  readonly cacheLookups: Counter<'type' | 'tier' | 'outcome'>;
  readonly jobDuration: Histogram<'name' | 'outcome'>;
  readonly eventsDropped: Counter<'why'>;
  readonly providerDuration: Histogram<'provider' | 'outcome'>;
  readonly providerDrift: Counter<'provider' | 'type'>;
  readonly healthStatus: Gauge<'check'>;
  readonly healthDuration: Histogram<'check'>;
  gauge(gauge: ReadGauge): void;
  /** Gauges whose names are known only when they are read. */
  gauges(help: string, read: () => Promise<Readonly<Record<string, number>>>): void;
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
    eventsDropped: new Counter({
      name: 'events_dropped_total',
      help: 'Live events that no client was told: no leader took them in time, or too many waited',
      labelNames: ['why'],
      registers,
    }),
    ...providerMetrics(registers),
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
    gauges: (help, read) => addNamed(registry, help, read),
    gauge({ name, help, labelNames = [], read }) {
      const gauge: Gauge = new Gauge({
        name,
        help,
        labelNames: [...labelNames],
        registers,
        async collect() {
          gauge.reset();
          try {
            for (const { labels = {}, value } of await read()) gauge.set(labels, value);
          } catch {
            // One source that does not answer must not cost all the other metrics.
            gauge.reset();
          }
        },
      });
    },
  };
}

const providerMetrics = (registers: Registry[]) => ({
  providerDuration: new Histogram({
    name: 'provider_request_duration_seconds',
    help: 'Time providers of metadata took to answer one try, by outcome',
    labelNames: ['provider', 'outcome'],
    buckets: secondsBuckets,
    registers,
  }),
  providerDrift: new Counter({
    name: 'provider_drift_total',
    help: 'Answers of providers of which something had another form than they say',
    labelNames: ['provider', 'type'],
    registers,
  }),
});

/** One reading for all of them at each scrape; it brings the names along. */
function addNamed(
  registry: Registry,
  help: string,
  read: () => Promise<Readonly<Record<string, number>>>,
): void {
  const known = new Map<string, Gauge>();
  const scrape = registry.metrics.bind(registry);
  registry.metrics = async () => {
    const values = await read().catch(() => ({}));
    for (const gauge of known.values()) gauge.reset();
    for (const [name, value] of Object.entries(values)) {
      const gauge = known.get(name) ?? new Gauge({ name, help, registers: [registry] });
      known.set(name, gauge);
      gauge.set(value);
    }
    return scrape();
  };
}
