import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createMember, type Member } from '#cluster/member/member.ts';
import { createDriver, type Driver } from '#cluster/raft/driver/driver.ts';
import { openEngine } from '#cluster/raft/driver/open.ts';
import type { StateMachine } from '#cluster/raft/driver/ports.ts';
import { profiles, type EngineSettings } from '#cluster/raft/driver/settings.ts';
import type { Identity } from '#cluster/trust/identity.ts';
import type { Log } from '#services/log.ts';
import type { Outbox } from '#storage/cluster/outbox.ts';
import { createOwnership } from '#storage/cluster/owner.ts';
import type { Sql } from '#storage/postgres/connect.ts';
import type { Config } from '../config/keys.ts';

export interface ClusterDeps {
  readonly config: Config;
  readonly identity: Identity;
  readonly sql: Sql;
  readonly outbox: Outbox;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Nobody else votes, so there is nobody to wait for. */
const aloneTimeouts = { heartbeatTimeoutMs: 50, electionTimeoutMs: 50, leaderLeaseTimeoutMs: 50 };
const trailingEntries = 10_240;

/**
 * This node's part in its cluster; it takes part once it is started.
 * @throws ForeignDatabaseError when the database is another cluster's
 */
export async function openMember(deps: ClusterDeps): Promise<Member> {
  const { config, identity, sql, outbox, now } = deps;
  const log = deps.log.child({ module: 'cluster' });
  const owners = createOwnership(sql);
  await owners.check(identity.clusterId);
  return createMember({
    nodeId: identity.nodeId,
    ...{ outbox, log, now, pause },
    elapsed: () => performance.now(),
    maxStalenessMs: config['cluster.max_staleness'],
    openDriver: (machine, has) => openDriver(deps, { machine, has, log }),
    async found() {
      const clusterId = identity.clusterId ?? randomUUID();
      // Kept first: a database that is claimed by nobody who remembers it is lost to all.
      await identity.save({ clusterId });
      return owners.claim(clusterId);
    },
    proposeThere: (leader) =>
      Promise.reject(new Error(`this node is alone, and knows no ${leader}`)),
  });
}

async function openDriver(
  { config, identity: { nodeId } }: ClusterDeps,
  { machine, has, log }: { machine: StateMachine; has: number; log: Log },
): Promise<Driver> {
  const settings: EngineSettings = {
    id: nodeId,
    address: nodeId,
    dir: config['cluster.raft.data_dir'] ?? join(config['data.dir'], 'raft'),
    profile: { ...profiles.lan, ...aloneTimeouts },
    trailingEntries,
    snapshotIntervalMs: config['cluster.raft.snapshot_interval'],
    snapshotThreshold: config['cluster.raft.snapshot_threshold'],
    bootstrap: { servers: [{ id: nodeId, address: nodeId, suffrage: 'voter' }] },
    hostTimeoutMs: 0,
  };
  const engine = await openEngine(settings, log);
  const lossGraceMs = 2 * settings.profile.electionTimeoutMs;
  const driver = createDriver({ link: engine, machine, machineHas: has, log, lossGraceMs });
  await engine.start();
  return driver;
}
