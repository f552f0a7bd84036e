import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createMember, type Member } from '#cluster/member/member.ts';
import { createDriver } from '#cluster/raft/driver/driver.ts';
import { openEngine } from '#cluster/raft/driver/open.ts';
import type { StateMachine } from '#cluster/raft/driver/ports.ts';
import { profiles } from '#cluster/raft/driver/settings.ts';
import { createOutbox } from '#storage/cluster/outbox.ts';
import { createOwnership } from '#storage/cluster/owner.ts';
import type { Sql } from '#storage/postgres/connect.ts';
import { quiet } from './log.ts';
import { freePorts } from './raft/processes/cluster.ts';

export const testClusterId = '01890000-0000-7000-8000-0000000000c1';

/** One member of a cluster of this process: real logs on disk, real sockets on loopback. */
export interface TestMember extends Member {
  readonly id: string;
}

export interface TestMembers extends AsyncDisposable {
  /** Starts the member of this name, again if it was closed. */
  start(id: string): Promise<TestMember>;
  leader(): Promise<TestMember>;
  readonly running: ReadonlyMap<string, TestMember>;
}

const timeouts = { heartbeatTimeoutMs: 200, electionTimeoutMs: 200, leaderLeaseTimeoutMs: 100 };

/** Members that share a database, with a log each under a temporary folder; none is started yet. */
export async function testMembers(sql: Sql, ids: readonly string[]): Promise<TestMembers> {
  const dir = await mkdtemp(join(tmpdir(), 'revenge-members-'));
  const free = await freePorts(ids.length);
  const ports = new Map(ids.map((id, nth) => [id, free[nth]!]));
  const addressOf = (id: string) => `127.0.0.1:${ports.get(id)}`;
  const servers = ids.map((id) => ({ id, address: addressOf(id), suffrage: 'voter' as const }));
  const running = new Map<string, TestMember>();
  const outbox = createOutbox(sql);

  const openDriver = async (id: string, machine: StateMachine, machineHas: number) => {
    const network = ids.length > 1 ? { listen: { host: '127.0.0.1', port: ports.get(id)! } } : {};
    const engine = await openEngine(
      {
        id,
        address: addressOf(id),
        ...network,
        dir: join(dir, id),
        profile: { ...profiles.lan, ...timeouts },
        trailingEntries: 100,
        snapshotIntervalMs: 60_000,
        snapshotThreshold: 1000,
        bootstrap: { servers },
        hostTimeoutMs: 0,
      },
      quiet,
    );
    const link = { link: engine, machine, machineHas, log: quiet };
    const driver = createDriver({ ...link, lossGraceMs: 400 });
    await engine.start();
    return driver;
  };
  return {
    running,
    async start(id) {
      const member = createMember({
        ...{ nodeId: id, outbox, log: quiet, now: Date.now, maxStalenessMs: 2000 },
        elapsed: () => performance.now(),
        pause: (ms) => pause(ms),
        openDriver: (machine, has) => openDriver(id, machine, has),
        found: () => createOwnership(sql).claim(testClusterId),
        proposeThere: (leader, command) => running.get(leader)!.consensus.propose(command),
      });
      const close = async () => {
        running.delete(id);
        await member.close();
      };
      const started = { ...member, id, close, [Symbol.asyncDispose]: close };
      await member.start([]);
      running.set(id, started);
      return started;
    },
    async leader() {
      for (;;) {
        const found = [...running.values()].find(({ offices }) => offices.current());
        if (found) return found;
        await pause(5);
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...running.values()].map((member) => member.close()));
      await rm(dir, { recursive: true, force: true });
    },
  };
}
