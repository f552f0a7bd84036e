import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { BarredError } from '#cluster/member/barred.ts';
import type { Member } from '#cluster/member/member.ts';
import { openIdentity, type Identity } from '#cluster/trust/identity.ts';
import type { ClusterControl } from '#node/cluster/control.ts';
import { enterCluster } from '#node/cluster/enter.ts';
import { openMember } from '#node/cluster/member.ts';
import { createControl } from '#node/cluster/operate.ts';
import type { Config } from '#node/config/keys.ts';
import { readConfig } from '#node/config/read.ts';
import { createOutbox } from '#storage/cluster/outbox.ts';
import type { Sql } from '#storage/postgres/connect.ts';
import { quiet } from './log.ts';
import { freePorts } from './ports.ts';

/** A node's part in a cluster without the rest of the node: real logs, real TLS on loopback. */
export interface TestMember extends Member {
  readonly id: string;
  readonly dataDir: string;
  /** Where others ask it, `host:port`. */
  readonly rpc: string;
  readonly control: ClusterControl;
}

export interface TestMembers extends AsyncDisposable {
  /** Starts the member of this name, again if it was closed; a new one by this token. */
  start(id: string, join?: Join): Promise<TestMember>;
  /** From its next start on this member listens on other ports. */
  move(id: string): void;
  /** Starts these, the first alone and the others by its token, until each of them votes. */
  grow(...ids: string[]): Promise<void>;
  leader(): Promise<TestMember>;
  /** For a process of its own that is to be this member. */
  placeOf(id: string): { readonly dataDir: string; readonly ports: readonly number[] };
  readonly running: ReadonlyMap<string, TestMember>;
}

interface Join {
  readonly token: string;
  readonly addresses: readonly string[];
}

export interface MembersOptions {
  readonly onBarred?: (id: string, error: BarredError) => void;
  /** Told of each member before it takes part: for who wants to hear the whole log. */
  readonly onOpened?: (id: string, member: Member) => void;
  /** RPC addresses at which some member may be, for this one. */
  readonly hints?: (id: string) => Promise<readonly string[]>;
  /** Milliseconds since 1970, as this member's clock shows them. */
  readonly now?: (id: string) => number;
  /** Of this member, over those of every test. */
  readonly settings?: (id: string) => Partial<Config>;
  /** How long all members must know a feature level before it is the cluster's, in milliseconds. */
  readonly raiseAfterMs?: number;
}

/** Members that share a database, with a data folder each; none is started yet. */
export async function testMembers(sql: Sql, options: MembersOptions = {}): Promise<TestMembers> {
  const dir = await mkdtemp(join(tmpdir(), 'revenge-members-'));
  const running = new Map<string, TestMember>();
  const ports = new Map<string, number[]>();
  const start: TestMembers['start'] = async (id, by) => {
    const dataDir = join(dir, id);
    if (!ports.has(id)) ports.set(id, await freePorts(3));
    const identity = await openIdentity({
      ...{ dir: dataDir, configuredId: id, now: Date.now, randomId: randomUUID },
    });
    try {
      const member = await openTestMember(
        { sql, id, dataDir, by, ports: ports.get(id)!, identity },
        options,
      );
      const close = async () => {
        running.delete(id);
        await member.close();
        await identity.close();
      };
      const started = { ...member, close, [Symbol.asyncDispose]: close };
      running.set(id, started);
      return started;
    } catch (error) {
      await identity.close();
      throw error;
    }
  };
  const leader = async () => {
    for (;;) {
      const found = [...running.values()].find(({ offices }) => offices.current());
      if (found) return found;
      await pause(5);
    }
  };
  return {
    ...{ running, start, leader, move: (id) => void ports.delete(id) },
    placeOf: (id) => ({ dataDir: join(dir, id), ports: ports.get(id)! }),
    async grow(first, ...rest) {
      const { control } = await start(first);
      await leader();
      await control.init();
      for (const id of rest) {
        await leader();
        const made = await control.createToken({ kind: 'node', uses: 1, by: 'the test' });
        await start(id, made);
      }
      await control.setAutopilot({ ...(await control.autopilot()), stabilizationMs: 100 });
      const isVoting = async () => {
        const { members } = await control.status();
        return rest.length === members.length - 1 && members.every(({ isVoter }) => isVoter);
      };
      while (!(await isVoting())) await pause(50);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...running.values()].map((member) => member.close()));
      await rm(dir, { recursive: true, force: true });
    },
  };
}

interface One {
  readonly sql: Sql;
  readonly id: string;
  readonly dataDir: string;
  readonly by: Join | undefined;
  readonly ports: readonly number[];
  readonly identity: Identity;
}

/** Starts one member, wherever its data folder and database are. */
export async function openTestMember(
  { sql, id, dataDir, by, ports, identity }: One,
  options: MembersOptions = {},
): Promise<TestMember> {
  const { onBarred = () => undefined, hints = async () => [], now: nowOf = Date.now } = options;
  const now = () => nowOf(id);
  const [raft, rpc, gossip] = ports.map((port) => `127.0.0.1:${port}`);
  const { values } = readConfig({ env: { REVENGE_DATA_DIR: dataDir } });
  const config = {
    ...values,
    'server.host': '127.0.0.1',
    'cluster.raft.bind_addr': raft!,
    'cluster.rpc.bind_addr': rpc!,
    'cluster.gossip.bind_addr': gossip!,
    'cluster.raft.heartbeat_timeout': 300,
    'cluster.raft.election_timeout': 300,
    'cluster.max_staleness': 2_000,
    'cluster.join_token': by?.token,
    'cluster.raft.join_addrs': [...(by?.addresses ?? [])],
    ...options.settings?.(id),
  };
  const wish = {
    ...{ config, identity, version: '0.0.0', sql, outbox: createOutbox(sql), log: quiet },
    onBarred: (error: BarredError) => onBarred(id, error),
    ...{ apiPort: () => 1, now, database: async () => undefined, hints: () => hints(id) },
    ...{ onHandedOn: () => undefined, raiseAfterMs: options.raiseAfterMs },
  };
  await enterCluster({ ...wish, keepDatabase: async () => undefined });
  const member = await openMember(wish);
  options.onOpened?.(id, member);
  try {
    await member.start([]);
  } catch (error) {
    // One that is kept out has opened its doors already.
    await member.close();
    throw error;
  }
  const control = createControl({
    ...{
      member,
      nodeId: id,
      dataDir,
      now,
      shareDatabase: async () => undefined,
      databaseOwner: async () => undefined,
      databaseNote: () => undefined,
    },
  });
  return { ...member, id, dataDir, rpc: rpc!, control };
}
