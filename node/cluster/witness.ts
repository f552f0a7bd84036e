import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import manifest from '#package.json' with { type: 'json' };
import { hasCredentials } from '#cluster/member/credentials.ts';
import { openNetwork } from '#cluster/member/network.ts';
import { pause } from '#cluster/member/pause.ts';
import { createRenewal, type Renewal } from '#cluster/member/renewal.ts';
import { createWitness, nodesOnly, type Witness } from '#cluster/member/witness.ts';
import { TrustError } from '#cluster/trust/errors.ts';
import type { Identity } from '#cluster/trust/identity.ts';
import type { Log } from '#services/log.ts';
import { whoLeads } from '../checks.ts';
import type { Config } from '../config/keys.ts';
import { createHealth, type Health } from '../health.ts';
import { checkKind, openNodeIdentity } from '../identity.ts';
import { logCalls } from '../logs/answer.ts';
import { addLogGauges } from '../logs/keep.ts';
import type { LogRing } from '../logs/ring.ts';
import { startMetricsListener } from '../metrics-listener.ts';
import { createMetrics, type Metrics } from '../metrics.ts';
import { announce, localUrl, withdraw } from '../rundir.ts';
import type { StopLevel } from '../signals.ts';
import { announcementOf, listensOf } from './announcement.ts';
import { startDriver } from './driver.ts';
import { enterCluster } from './enter.ts';
import { createHints } from './hints.ts';
import { startWitnessApi } from './witness-api.ts';
import { createWitnessControl } from './witness-control.ts';

export interface WitnessOptions {
  readonly config: Config;
  readonly log: Log;
  /** The latest lines of `log`. */
  readonly logs: LogRing;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Ends the process at once, when a stop is asked for again and again. */
  readonly exit?: () => void;
}

export interface RunningWitness {
  readonly port: number;
  readonly nodeId: string;
  stop(level?: StopLevel): void;
  readonly stopped: Promise<void>;
}

interface Deps {
  readonly config: Config;
  readonly identity: Identity;
  readonly log: Log;
  readonly logs: LogRing;
  readonly now: () => number;
}

const leaderMs = 10_000;

/**
 * Runs a witness: a member that votes, keeps the log, and serves nothing but its health and the
 * cluster's status. It knows no database, no library and no accounts.
 * @throws TrustError for a folder or certificate that cannot be used, RpcError when it is refused
 */
export async function startWitness(options: WitnessOptions): Promise<RunningWitness> {
  const { config, log, logs, now = Date.now } = options;
  await using stack = new AsyncDisposableStack();
  const identity = stack.use(await openNodeIdentity(config, now));
  log.defaultMeta = { nodeId: identity.nodeId };
  const deps = { config, identity, log, logs, now };
  await enter(deps);
  let isBarred = false;
  let stop: () => void = () => {
    isBarred = true;
  };
  const places = stack.use(createHints(tellingOf(deps)));
  const witness = stack.use(openWitness(deps, { hints: places.ask, stop: () => stop() }));
  const metrics = createMetrics();
  addLogGauges(metrics, logs);
  const health = stack.use(healthOf(deps, { witness, metrics }));
  await witness.start();
  await witness.offices.find(leaderMs);
  const renewal = renewalOf(deps, witness);
  stack.defer(() => renewal.close());
  await renewal.start();
  await health.start();
  const { nodeId } = identity;
  const control = createWitnessControl({ witness, nodeId, now });
  const { version } = manifest;
  const { state } = witness;
  const api = stack.use(
    await startWitnessApi({ ...{ config, state, control, health, version, log, now } }),
  );
  stack.use(await startMetricsListener(config, metrics));
  const { port, operatorToken: token } = api;
  const url = localUrl(config['server.host'], port);
  await announce(config['data.dir'], { pid: process.pid, url, token });
  stack.defer(() => withdraw(config['data.dir']));
  health.started();
  const ending = createEnding(stack.move(), { health, log, exit: options.exit });
  stop = ending.stop;
  if (isBarred) ending.stop();
  return { port, nodeId, ...ending };
}

/** Joins the cluster, the first time; a witness is nothing by itself. */
async function enter(deps: Deps): Promise<void> {
  const { config, identity } = deps;
  checkKind(identity, 'witness');
  await enterCluster({
    ...{ ...deps, kind: 'witness', version: manifest.version },
    apiPort: () => config['server.port'],
    // It has no use for one.
    keepDatabase: () => Promise.resolve(),
  });
  if (await hasCredentials(config['data.dir'], 'witness')) return;
  throw new TrustError(
    'bad-token',
    'a witness belongs to a cluster: start it with --join HOST:PORT --token …, as printed by ' +
      '`revenge cluster token create --kind witness` on a node',
  );
}

/** What it says of itself comes from here. */
const tellingOf = ({ config, identity, log }: Deps) => ({
  ...{ config, identity, log, kind: 'witness' as const, version: manifest.version },
  apiPort: () => config['server.port'],
});

interface Surroundings {
  /** RPC addresses at which some member may be. */
  readonly hints: () => Promise<readonly string[]>;
  /** It may not take part any more. */
  readonly stop: () => void;
}

function openWitness(deps: Deps, { hints, stop }: Surroundings): Witness {
  const { config, identity, now } = deps;
  const { nodeId, bootEpoch, session } = identity;
  const log = deps.log.child({ module: 'cluster' });
  const tell = () => announcementOf(tellingOf(deps));
  const isWitness = (id: string) => witness.state.view().members.get(id)?.kind === 'witness';
  const witness: Witness = createWitness({
    self: { id: nodeId, bootEpoch, session },
    ...{ tell, log, now, pause, elapsed: () => performance.now(), random: Math.random },
    hints,
    calls: logCalls({ ring: deps.logs, log: deps.log }, isWitness),
    maxStalenessMs: config['cluster.max_staleness'],
    openDriver: (machine, has, network) =>
      startDriver({
        ...{ config, nodeId, machine, has, network, log },
        ...{ isFounder: false, kind: 'witness' },
      }),
    openNetwork: (calls) =>
      openNetwork({
        dataDir: config['data.dir'],
        self: { nodeId, clusterId: identity.clusterId ?? '', bootEpoch, session },
        listens: { rpc: listensOf({ config, apiPort: () => 0 }).rpc },
        ...{ state: witness.state, calls, log, now, elapsed: () => performance.now() },
        ...{ random: Math.random, randomId: randomUUID },
        join: () => Promise.reject(nodesOnly('it lets nobody in, join at a node')),
        // As a node that does not lead: the other one asks again.
        onHandedOn: (_req, res) => void res.writeHead(421, { 'content-length': '0' }).end(),
      }),
    onAnnounced: ({ addresses }) => log.info('is known to the cluster', { addresses }),
    onBarred({ message }) {
      log.error('kept out of the cluster', { advice: message });
      stop();
    },
  });
  return witness;
}

function renewalOf({ config, identity, log, now }: Deps, witness: Witness): Renewal {
  const nodes = () =>
    [...witness.state.view().members.values()].filter(({ kind }) => kind === 'node');
  return createRenewal({
    ...{ dataDir: config['data.dir'], nodeId: identity.nodeId, log, now },
    clusterId: () => identity.clusterId ?? '',
    members: () => nodes().map(({ id }) => id),
    ask: async (id, request) => witness.network()?.client.call(id, 'renew', { request }),
    async onRenewed() {
      await witness.network()?.reloadTls();
      await witness.consensus.reloadTls();
    },
  });
}

const healthOf = (
  { config, identity, log, now }: Deps,
  { witness, metrics }: { witness: Witness; metrics: Metrics },
): Health =>
  createHealth({
    checks: [
      {
        name: 'cluster',
        ...{ intervalMs: 2_000, timeoutMs: 1_000, isVital: true },
        ask: async () => whoLeads(witness),
      },
    ],
    off: [],
    ...{ version: manifest.version, nodeId: identity.nodeId, log, metrics, now },
    isCaughtUp: () => witness.currency.ageMs() < config['cluster.max_staleness'],
    isDraining: () => false,
  });

/** Long enough for the one who asks for readiness to notice. */
const farewellMs = 500;

function createEnding(
  rest: AsyncDisposableStack,
  {
    health,
    log,
    exit = () => process.exit(1),
  }: { health: Health; log: Log; exit?: (() => void) | undefined },
): Pick<RunningWitness, 'stop' | 'stopped'> {
  const { promise: stopped, resolve, reject } = Promise.withResolvers<void>();
  let isStopping = false;
  const end = async () => {
    health.stopping();
    await sleep(farewellMs);
    await rest.disposeAsync();
    log.info('stopped');
  };
  return {
    stopped,
    stop(level = 'soft') {
      log.info('stopping', { extent: level });
      if (level === 'exit') return exit();
      if (isStopping) return;
      isStopping = true;
      end().then(resolve, reject);
    },
  };
}
