import manifest from '#package.json' with { type: 'json' };
import type { Log } from '#services/log.ts';
import { healthChecks } from './checks.ts';
import { watchConfig } from './config/live.ts';
import type { Config } from './config/keys.ts';
import type { ReadConfig } from './config/read.ts';
import { openEngines, type Engines } from './engines.ts';
import { createEventRing, eventBase } from './events.ts';
import { addGauges } from './gauges.ts';
import { createHealth, type Health } from './health.ts';
import { defaultLimits, type Limits } from './http/limits.ts';
import { createStaleness } from './http/staleness.ts';
import { startHttp } from './http/start.ts';
import { openNodeIdentity } from './identity.ts';
import { createLeaderPort } from './leader.ts';
import { createLifecycle, type Lifecycle } from './lifecycle.ts';
import { startMetricsListener } from './metrics-listener.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { createOperator } from './operator.ts';
import { createNodeHandlers } from './operations.ts';
import { announce, withdraw } from './rundir.ts';
import { createServices, ensureMovieLibraries, type Services } from './services.ts';

/** What a node is started with. */
export interface NodeOptions {
  readonly config: ReadConfig;
  readonly log: Log;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The file given with --config; watched like the default one. */
  readonly configFile?: string | undefined;
  /** Folders of films to make libraries of, absolute. */
  readonly movies?: readonly string[];
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Answers are checked against the spec: for tests and development. */
  readonly validateResponses?: boolean;
  /** Ends the process at once, when a stop is asked for the third time. */
  readonly exit?: () => void;
}

/** A node that runs. */
export interface RunningNode extends Lifecycle {
  readonly port: number;
  /** Of the one-time set-up; undefined once there is an administrator. */
  readonly setupToken: string | undefined;
  /** Of this machine's operator; see operator.ts. */
  readonly operatorToken: string;
}

const softMs = 10_000;
const firstSeatMs = 10_000;

/** Joins in, and waits until there is a leader, so that the first request finds one. */
async function takePart({ member }: Engines, log: Log): Promise<void> {
  await member.start([]);
  if (await member.offices.find(firstSeatMs)) return;
  log.warn('there is no leader yet: reading works, and changes are refused until there is one');
}

/** A node alone leads, or nobody does. */
const handOn = () => Promise.resolve(undefined);

/** Builds a node, in order, and starts it: this function is the architecture. */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const { values: config } = options.config;
  const { now = Date.now } = options;
  const { log } = options;
  await using stack = new AsyncDisposableStack();
  const identity = stack.use(await openNodeIdentity(config, now));
  const { nodeId } = identity;
  log.defaultMeta = { nodeId };
  for (const warning of options.config.warnings) log.warn('configuration', { warning });

  const metrics = createMetrics();
  const staleness = createStaleness();
  const onStale = (ageMs: number) => staleness.note(ageMs);
  const engines = await openEngines({ config, identity, log, metrics, now, onStale }, stack);
  const events = createEventRing({ now, log }, { base: eventBase(engines.epoch) });
  const services = await createServices({ config, engines, events, metrics, nodeId, log, now });
  const health = stack.use(
    createHealth({
      ...healthChecks(engines, { jobs: services.jobs, search: services.searchHealth }),
      ...{ version: manifest.version, nodeId, log, metrics, now },
    }),
  );
  addGauges(metrics, engines, services);
  await takePart(engines, log);
  await health.start();

  const operator = createOperator(engines);
  const http = stack.use(
    await startHttp(
      {
        handlers: { ...services.handlers, ...createNodeHandlers({ health, metrics }) },
        authenticate: operator.authenticate(services.users.authenticate),
        recheck: operator.recheck(services.users.recheck),
        clock: engines.clock,
        leader: createLeaderPort(engines.member.offices, handOn),
        redis: engines.redis,
        staleness,
        metrics: requestMetrics(metrics, health),
        ...{ events, version: manifest.version, log, now },
      },
      httpOptions(options),
    ),
  );
  stack.use(await startMetricsListener(config, metrics));
  const workers = stack.use(services.jobs.work(services.jobHandlers));
  followLoad(services, workers, stack);
  stack.use(watchLevel(options));
  await announce(config['data.dir'], {
    pid: process.pid,
    url: `http://127.0.0.1:${http.port}`,
    token: operator.token,
    database: engines.open.isEmbedded ? engines.open.address : undefined,
  });
  stack.defer(() => withdraw(config['data.dir']));
  await ensureMovieLibraries(services, options.movies ?? [], log);
  const setupToken = await services.users.setup.offer();
  health.started();

  const exit = options.exit ?? (() => process.exit(1));
  const rest = stack.move();
  const lifecycle = createLifecycle({ health, http, workers, rest, log, softMs, exit });
  return { ...lifecycle, port: http.port, setupToken, operatorToken: operator.token };
}

function httpOptions({ config: { values: config }, validateResponses = false }: NodeOptions) {
  return {
    app: { validateResponses, trustProxy: config['server.trust_proxy'], limits: limitsOf(config) },
    listen: { host: config['server.host'], port: config['server.port'], drainMs: softMs },
  };
}

const minute = 60;

function limitsOf(config: Config): Limits {
  const allowance = (points: number) => (points === 0 ? undefined : { points, seconds: minute });
  return {
    ...defaultLimits,
    ip: allowance(config['server.rate_limit.per_address']),
    principal: allowance(config['server.rate_limit.per_user']),
  };
}

const requestMetrics = ({ requestDuration }: Metrics, health: Pick<Health, 'suspect'>) => ({
  request: (fact: { method: string; route: string; status: number; durationMs: number }) => {
    requestDuration.observe(
      { method: fact.method, route: fact.route, status: String(fact.status) },
      fact.durationMs / 1000,
    );
    if (fact.status === 503) health.suspect();
  },
});

const loadEveryMs = 2_000;

/** User traffic first: while somebody watches, background queues shrink. */
function followLoad(
  { playback }: Services,
  workers: { setLoad(load: 'idle' | 'watching'): void },
  stack: AsyncDisposableStack,
): void {
  const timer = setInterval(
    () => workers.setLoad(playback.activity().streams > 0 ? 'watching' : 'idle'),
    loadEveryMs,
  );
  stack.defer(() => clearInterval(timer));
}

function watchLevel({ config, env, configFile, log }: NodeOptions): AsyncDisposable {
  return watchConfig({
    input: { env, file: configFile },
    current: config,
    log,
    onChange: (values) => {
      log.level = values['log.level'];
    },
  });
}
