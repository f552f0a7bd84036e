import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import manifest from '#package.json' with { type: 'json' };
import type { Doing } from '#cluster/member/pulse.ts';
import type { Network } from '#cluster/member/network.ts';
import type { Log } from '#services/log.ts';
import { ensureSecret } from '#services/users/index.ts';
import { createWatcher } from '#storage/media/watch.ts';
import { createIdempotencyKeys } from '#storage/cluster/idempotency.ts';
import { healthChecks } from './checks.ts';
import { createClients, type Clients } from './clients.ts';
import { watchConfig } from './config/live.ts';
import type { Config } from './config/keys.ts';
import type { ReadConfig } from './config/read.ts';
import { openEngines, type EngineOptions, type Engines } from './engines.ts';
import { addGauges } from './gauges.ts';
import { createHealth, type Health } from './health.ts';
import { defaultLimits, type Limits } from './http/limits.ts';
import { createStaleness } from './http/staleness.ts';
import { readSite } from './http/site-files.ts';
import { openPorch } from './http/porch.ts';
import { startHttp } from './http/start.ts';
import { checkKind, openNodeIdentity } from './identity.ts';
import { createLeaderPort } from './leader.ts';
import { createLifecycle, type Lifecycle } from './lifecycle.ts';
import { startMetricsListener } from './metrics-listener.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { createAsk, followOwner } from './cluster/ask.ts';
import { enterCluster } from './cluster/enter.ts';
import type { ClusterControl } from './cluster/control.ts';
import { createControl } from './cluster/operate.ts';
import { createSharing, keepDatabase, type Sharing } from './cluster/database.ts';
import { gather, inviteGathered, type InviteDeps } from './cluster/gather.ts';
import { createHints } from './cluster/hints.ts';
import { leaderDuties } from './duties.ts';
import { createClusterHandlers } from './cluster/operations.ts';
import { createDoor, type Door } from './door.ts';
import { sayFarewell } from './farewell.ts';
import { createOnce } from './once.ts';
import { createOperator, type Operator } from './operator.ts';
import { createNodeHandlers } from './operations.ts';
import { logCalls } from './logs/answer.ts';
import { addLogGauges } from './logs/keep.ts';
import { createLogHandlers, type LogHandlers } from './logs/operations.ts';
import type { LogRing } from './logs/ring.ts';
import { announce, localUrl, withdraw } from './rundir.ts';
import { createServices, ensureMovieLibraries, type Services } from './services.ts';

/** What a node is started with. */
export interface NodeOptions {
  readonly config: ReadConfig;
  readonly log: Log;
  /** The latest lines of `log`. */
  readonly logs: LogRing;
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

interface BaseDeps extends Pick<EngineOptions, 'config' | 'identity' | 'metrics' | 'log' | 'now'> {
  readonly door: Door;
  readonly logs: LogRing;
}

/** Joins a cluster if it is to, and opens what everything else is built on. */
async function openBase(
  deps: BaseDeps,
  stack: AsyncDisposableStack,
  asked: Pick<EngineOptions, 'onStale' | 'isBypassed' | 'onUnannounced'>,
): Promise<{ engines: Engines; sharing: Sharing }> {
  const { config, identity, door, log, now } = deps;
  const { nodeId } = identity;
  checkKind(identity, 'node');
  const isWitness = (id: string) => engines.member.state.view().members.get(id)?.kind === 'witness';
  const sharing = createSharing({ config, nodeId, log, open: () => engines.open, isWitness });
  const { version } = manifest;
  const { apiPort } = door.wish;
  const places = stack.use(createHints({ config, identity, version, apiPort, log }));
  const cluster = {
    ...{ ...door.wish, version, hints: places.ask },
    calls: { ...sharing.calls, ...logCalls({ ring: deps.logs, log }, isWitness) },
    database: () => sharing.offer(),
    onNetwork: (network: Network) => followOwner(config['data.dir'], network, log),
  };
  const gathered = await gather({ config, identity, log });
  const joining = gathered && 'join' in gathered ? { ...config, ...gathered.join } : config;
  await enterCluster({
    ...{ identity, log, now, ...cluster, config: joining },
    keepDatabase: (offered) => keepDatabase(config, offered),
  });
  const askDatabase = createAsk({ config, identity, hints: places.ask, log });
  const engines = await openEngines({ ...deps, ...asked, cluster, askDatabase }, stack);
  return { engines, sharing };
}

async function openOperator({ sql }: Engines, now: () => number): Promise<Operator> {
  return createOperator({
    sql,
    secret: await ensureSecret(sql, 'operator', { sizeBytes: 32 }),
    now,
  });
}

const controlOf = (
  { member }: Engines,
  {
    config,
    nodeId,
    now,
    sharing,
  }: { config: Config; nodeId: string; now: () => number; sharing: Sharing },
) =>
  createControl({
    ...{ member, nodeId, dataDir: config['data.dir'], now },
    shareDatabase: () => sharing.open(),
    databaseOwner: () => sharing.owner(),
    databaseNote: () => sharing.note(),
  });

const clientsOf = ({ member }: Engines, known: { config: Config; nodeId: string }) =>
  createClients({ ...known, members: () => member.state.view().members });

const onceOf = ({ sql }: Engines) => createOnce(createIdempotencyKeys(sql));

const leaderPort = ({ member }: Engines, { pass }: Operator) =>
  createLeaderPort({
    offices: member.offices,
    client: () => member.network()?.client,
    operatorPass: pass,
  });

const ownHandlers = (deps: {
  health: Health;
  metrics: Metrics;
  control: ClusterControl;
  clients: Clients;
  logs: LogHandlers;
}) => ({
  ...createNodeHandlers(deps),
  ...deps.logs,
  ...deps.clients.handlers,
  ...createClusterHandlers(deps.control),
});

/** Orchestrators wait 30 s and more before they kill. */
const lastMs = 25_000;
const softMs = 10_000;
const jobsMs = 6_000;
const firstSeatMs = 10_000;
const firstLookMs = 50;
const firstLooksMax = 40;

/** Joins in, and waits until there is a leader, so that the first request finds one. */
async function takePart(
  { member, sql, open }: Engines,
  { sharing, log, backups }: { sharing: Sharing; log: Log; backups: Services['backups'] },
): Promise<void> {
  const { migrator } = open;
  await member.start(leaderDuties({ sql, migrator, view: () => member.state.view(), backups }));
  // An embedded PostgreSQL shows members the certificate of now.
  if (member.network()) await sharing.open();
  member.state.onChange(sharing.dismiss);
  sharing.dismiss(member.state.view());
  if (!(await member.offices.find(firstSeatMs))) {
    log.warn('there is no leader yet: reading works, and changes are refused until there is one');
    return;
  }
  // What an operator has told this node, it told all: it is known by the time it takes work.
  for (let looks = 0; looks < firstLooksMax && member.currency.ageMs() === Infinity; looks += 1) {
    await member.currency.look();
    await pause(firstLookMs);
  }
}

const addressOf = (config: Config) => ({
  host: config['server.host'],
  port: config['server.port'],
});

/** Finds out who this node is, and answers probes from here on. */
async function begin({ config, log }: NodeOptions, now: () => number, stack: AsyncDisposableStack) {
  const { values, warnings } = config;
  const identity = stack.use(await openNodeIdentity(values, now));
  const { nodeId } = identity;
  log.defaultMeta = { nodeId };
  for (const warning of warnings) log.warn('configuration', { warning });
  const { version } = manifest;
  const porch = await openPorch({ ...addressOf(values), version, nodeId, log, now });
  return { identity, porch: stack.use(porch) };
}

/** Opens to others what is to be open from its first start on. */
async function openUp(deps: InviteDeps): Promise<void> {
  const { config, control } = deps;
  if (config['cluster.enabled'] && config['cluster.raft.bootstrap']) await control.init();
  await inviteGathered(deps);
}

/** Builds a node, in order, and starts it: this function is the architecture. */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const { values: config } = options.config;
  const { now = Date.now, log, logs } = options;
  await using stack = new AsyncDisposableStack();
  const { identity, porch } = await begin(options, now, stack);
  const { nodeId } = identity;

  const metrics = createMetrics();
  const staleness = createStaleness();
  const door = createDoor(config, log);
  const base = { config, identity, door, metrics, log, logs, now };
  const { engines, sharing } = await openBase(base, stack, staleness.hooks);
  const services = await createServices({ config, engines, metrics, nodeId, log, now });
  const health = stack.use(
    createHealth({
      ...healthChecks(engines, { jobs: services.jobs, search: services.searchHealth }),
      ...{ version: manifest.version, nodeId, log, metrics, now },
      isCaughtUp: () => engines.member.currency.ageMs() < config['cluster.max_staleness'],
      isDraining: () => engines.member.isDraining(),
    }),
  );
  addGauges(metrics, engines, services);
  addLogGauges(metrics, logs);
  await takePart(engines, { sharing, log, backups: services.backups });
  const control = controlOf(engines, { config, nodeId, now, sharing });
  await openUp({ config, identity, control, log, ...engines });
  await health.start();

  const operator = await openOperator(engines, now);
  const clients = clientsOf(engines, { config, nodeId });
  const ownLog = createLogHandlers({ ring: logs, log, nodeId, member: engines.member });
  const own = { health, metrics, control, clients, logs: ownLog };
  await porch.close();
  const http = stack.use(
    await startHttp(
      {
        handlers: { ...services.handlers, ...ownHandlers(own) },
        authenticate: operator.authenticate(services.users.authenticate),
        recheck: operator.recheck(services.users.recheck),
        ...{ clock: engines.clock, redis: engines.redis, staleness },
        ...{ leader: leaderPort(engines, operator), once: onceOf(engines) },
        ...{ origins: clients.origins, isStopping: health.isStopping },
        metrics: requestMetrics(metrics, health),
        ...{ events: engines.events.ring, version: manifest.version, log, now },
      },
      await httpOptions(options),
    ),
  );
  stack.use(await startMetricsListener(config, metrics));
  door.open({ ...http, doing: () => doingOf(services) });
  const workers = stack.use(services.jobs.work(services.jobHandlers));
  followDraining(engines, workers, stack);
  followLoad({ ...services, ...engines }, workers, stack);
  const clock = () => performance.now();
  stack.use(services.library.viewFolders({ nodeId, clock }));
  watchFolders(services, { config, nodeId, log }, stack);
  stack.use(watchLevel(options));
  await tellCommandLine(config, { engines, http, operator });
  stack.defer(() => withdraw(config['data.dir']));
  await ensureMovieLibraries(services, options.movies ?? [], log);
  const setupToken = await services.users.setup.offer();
  health.started();

  const exit = options.exit ?? (() => process.exit(1));
  const rest = stack.move();
  const lifecycle = createLifecycle({
    ...{ health, http, workers, rest, log, softMs: jobsMs, lastMs, exit },
    sayFarewell: () => sayFarewell(engines, log),
  });
  door.onBarred(() => lifecycle.stop());
  return { ...lifecycle, port: http.port, setupToken, operatorToken: operator.token };
}

/** Hears of what changes on this machine's disks, if it is to. */
function watchFolders(
  { library }: Services,
  { config, nodeId, log }: { config: Config; nodeId: string; log: Log },
  stack: AsyncDisposableStack,
): void {
  if (!config['library.watch']) return;
  const watcher = stack.use(createWatcher({ log }));
  stack.use(library.watchFolders({ watcher, nodeId, clock: () => performance.now() }));
}

const tellCommandLine = (
  config: Config,
  { engines, http, operator }: { engines: Engines; http: { port: number }; operator: Operator },
) =>
  announce(config['data.dir'], {
    pid: process.pid,
    url: localUrl(config['server.host'], http.port),
    token: operator.token,
    database: engines.open.isEmbedded ? engines.open.address : undefined,
  });

const webApp = fileURLToPath(new URL('../web/build', import.meta.url));

async function httpOptions({ config: { values: config }, validateResponses, log }: NodeOptions) {
  const site = await readSite(webApp);
  if (!site) log.warn('the web app is not built: `npm run build` builds it', { folder: webApp });
  return {
    app: {
      ...{ validateResponses: validateResponses ?? false, site, limits: limitsOf(config) },
      trustProxy: config['server.trust_proxy'],
      largeBodies: { dir: config['data.dir'] },
    },
    listen: { ...addressOf(config), drainMs: softMs },
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

/** User traffic first: while somebody watches, on whichever node, background queues shrink. */
function followLoad(
  { playback, member }: Pick<Services, 'playback'> & Pick<Engines, 'member'>,
  workers: { setLoad(load: 'idle' | 'watching'): void },
  stack: AsyncDisposableStack,
): void {
  const timer = setInterval(() => {
    const streams = playback.activity().streams + member.pulses.streamsElsewhere();
    workers.setLoad(streams > 0 ? 'watching' : 'idle');
  }, loadEveryMs);
  stack.defer(() => clearInterval(timer));
}

const doingOf = ({ jobs, playback }: Services): Doing => ({
  jobs: jobs.count(),
  streams: playback.activity().streams,
});

/** A node that an operator drains leaves jobs to the others. */
function followDraining(
  { member }: Engines,
  workers: { setTaking(isTaking: boolean): void },
  stack: AsyncDisposableStack,
): void {
  stack.defer(member.onDraining((isDraining) => workers.setTaking(!isDraining)));
  if (member.isDraining()) workers.setTaking(false);
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
