import { join } from 'node:path';
import type { Network } from '#cluster/member/network.ts';
import { readBinding } from '#cluster/addresses.ts';
import { createDriver, type Driver } from '#cluster/raft/driver/driver.ts';
import { startEngineProcess } from '#cluster/raft/driver/host.ts';
import { openEngine } from '#cluster/raft/driver/open.ts';
import type { StateMachine } from '#cluster/raft/driver/ports.ts';
import { profiles, type EngineSettings } from '#cluster/raft/driver/settings.ts';
import type { MemberKind } from '#cluster/state/types.ts';
import { clusterFolder } from '#cluster/trust/identity.ts';
import type { Log } from '#services/log.ts';
import type { Config } from '../config/keys.ts';

export interface DriverWish {
  readonly config: Config;
  readonly nodeId: string;
  /** Set by a founder: an empty log begins with this node as its one voter. */
  readonly isFounder: boolean;
  readonly machine: StateMachine;
  /** The Raft index up to which the machine has applied this log. */
  readonly has: number;
  /** Undefined while the node is alone. */
  readonly network: Network | undefined;
  /** `node` unless it is said to be a witness. */
  readonly kind?: MemberKind | undefined;
  readonly log: Log;
}

/** Nobody else votes, so there is nobody to wait for. */
const aloneTimeouts = { heartbeatTimeoutMs: 50, electionTimeoutMs: 50, leaderLeaseTimeoutMs: 50 };
const trailingEntries = 10_240;
/** A node that does not answer its own Raft for so long cannot serve as a leader either. */
const hostTimeoutMs = 1_500;
/** In heartbeat timeouts: the time in which two nodes find out that neither of them can lead. */
const reluctance = 3;

/**
 * Raft on this node's log: in this process while it is alone; in a process of its own in a cluster,
 * so that a busy or hung node costs no election. A witness does nothing that could keep it busy,
 * and its machine is small: it has one process.
 */
export async function startDriver(wish: DriverWish): Promise<Driver> {
  const { machine, has, log, network, kind } = wish;
  const settings = network ? settingsAmong(wish, network) : settingsAlone(wish);
  const lossGraceMs = 2 * settings.profile.electionTimeoutMs;
  const common = { machine, machineHas: has, log, lossGraceMs };
  if (network && kind !== 'witness')
    return createDriver({ link: await startEngineProcess(settings, log), ...common });
  const engine = await openEngine(settings, log);
  const driver = createDriver({ link: engine, ...common });
  await engine.start();
  return driver;
}

function settingsAlone({ config, nodeId, isFounder }: DriverWish): EngineSettings {
  const servers = [{ id: nodeId, address: nodeId, suffrage: 'voter' as const }];
  return {
    id: nodeId,
    // Members are named by id; where they are is in the address book.
    address: nodeId,
    dir: config['cluster.raft.data_dir'] ?? join(config['data.dir'], 'raft'),
    profile: { ...profiles.lan, ...aloneTimeouts },
    trailingEntries,
    snapshotIntervalMs: config['cluster.raft.snapshot_interval'],
    snapshotThreshold: config['cluster.raft.snapshot_threshold'],
    ...(isFounder ? { bootstrap: { servers } } : {}),
    hostTimeoutMs: 0,
  };
}

function settingsAmong(wish: DriverWish, network: Network): EngineSettings {
  const { config, kind } = wish;
  const folder = clusterFolder(config['data.dir']);
  const heartbeatTimeoutMs = config['cluster.raft.heartbeat_timeout'];
  const reluctanceMs = reluctance * heartbeatTimeoutMs;
  return {
    ...settingsAlone(wish),
    listen: readBinding(config['cluster.raft.bind_addr']),
    profile: {
      ...profiles.lan,
      heartbeatTimeoutMs,
      electionTimeoutMs: config['cluster.raft.election_timeout'],
      leaderLeaseTimeoutMs: heartbeatTimeoutMs / 2,
      ...(kind === 'witness' ? { reluctanceMs } : {}),
    },
    tls: {
      ca: join(folder, 'ca.crt'),
      cert: join(folder, 'node.crt'),
      key: join(folder, 'node.key'),
    },
    book: network.book(),
    hostTimeoutMs: kind === 'witness' ? 0 : hostTimeoutMs,
  };
}
