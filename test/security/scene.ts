import { randomUUID } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { gossipIdOf } from '#cluster/gossip/index.ts';
import { readGossipFile } from '#cluster/member/credentials.ts';
import { readTrust } from '#cluster/trust/folder.ts';
import { ask } from '../lab/ask.ts';
import { allVote, createLabCluster, leaderOf, observerOf, signIn, until } from '../lab/cluster.ts';
import type { ClusterStatus, LabCluster } from '../lab/cluster.ts';
import { loopback } from '../lab/ground.ts';
import { makeAdministrator, type LabNode } from '../lab/node.ts';
import { openRun } from '../lab/sweep.ts';
import { freePorts } from '../ports.ts';
import { gather, type Credentials, type Crowd } from './forge.ts';
import { joinAs } from './join.ts';

/** A real cluster of three whose database is the first one's own, open to members. */
export interface Scene extends AsyncDisposable {
  readonly leader: LabNode;
  /** Whose credentials were stolen. */
  readonly follower: LabNode;
  readonly ids: { readonly leader: string; readonly follower: string };
  readonly clusterId: string;
  readonly databasePort: number;
  readonly crowd: Crowd;
  readonly gossip: { readonly network: Uint8Array; readonly leaderId: string };
  /** A bearer token of the administrator. */
  readonly admin: string;
  /** By which the others came in: it admits nobody any more. */
  readonly usedToken: string;
  /** Made at the beginning, for a second. */
  readonly expiring: { readonly token: string; readonly expiresAt: string };
  command<T>(...args: readonly string[]): Promise<T>;
  /** What must be as before when an attempt is over. */
  standing(): Promise<Standing>;
  /** Begins a reading of all logs; what it returns says what was logged since. */
  listen(): Promise<() => Promise<LogLine[]>>;
}

export interface Standing {
  readonly term: number;
  readonly leader: string | null;
  readonly members: readonly string[];
  readonly pids: readonly (number | undefined)[];
}

export interface LogLine {
  readonly node: string;
  readonly level: string;
  readonly message: string;
  readonly text: string;
}

const password = 'a password for the attackers';
const votersMaxMs = 120_000;

export async function openScene(): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const run = await openRun();
  stack.defer(() => run.clear());
  const [databasePort = 0] = await freePorts(1);
  const cluster = await createLabCluster({
    ...{ dir: run.dir, ground: loopback(3), password, onStarted: (pid) => run.started(pid) },
    env: {
      REVENGE_CLUSTER_DATABASE_BIND_ADDR: `127.0.0.1:${databasePort}`,
      REVENGE_SERVER_RATE_LIMIT_PER_ADDRESS: '0',
      REVENGE_SERVER_RATE_LIMIT_PER_USER: '0',
      // A machine that is busy with other things costs no election; what attackers say still would.
      REVENGE_CLUSTER_RAFT_HEARTBEAT_TIMEOUT: '5s',
      REVENGE_CLUSTER_RAFT_ELECTION_TIMEOUT: '5s',
    },
  });
  stack.defer(async () => {
    // Members first: the database is the first one's.
    for (const node of cluster.nodes.toReversed()) await node.stop();
  });
  const usedToken = await found(cluster);
  const admin = await signIn(cluster.nodes, password);
  const observer = observerOf(() => admin);
  await allVote(cluster, observer, votersMaxMs);
  const create = ['cluster', 'token', 'create', '--ttl', '1s'];
  const expiring = await insist<Scene['expiring']>(cluster.nodes[0]!, create);
  const removed = await comeAndGo(cluster.nodes[0]!);
  await allVote(cluster, observer, votersMaxMs);
  const leader = await leaderOf(cluster, observer);
  // Not the one that has the database: a member that was told how to reach it.
  const follower = cluster.nodes.slice(1).find((node) => node !== leader)!;
  const rest = stack.move();
  return {
    ...{ leader, follower, databasePort, admin, usedToken, expiring },
    ...(await whoIs((node) => observer.status(node), { leader, follower }, removed)),
    command: (...args) => insist(leader, args),
    async standing() {
      const { term, leader: leads, members } = await observer.status(leader);
      const ids = members.map(({ id, isVoter }) => `${id} ${isVoter ? 'votes' : 'learns'}`);
      const pids = cluster.nodes.map((node) => node.pid());
      return { term, leader: leads, members: ids.sort(), pids };
    },
    listen: () => listen(cluster.nodes),
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

async function found({ nodes, wish }: LabCluster): Promise<string> {
  const [first, ...others] = nodes;
  if (first === undefined) throw new Error('there are no nodes');
  first.start();
  await first.ready();
  await makeAdministrator(first, { password: wish.password, env: wish.env });
  await first.command('cluster', 'init');
  const create = ['cluster', 'token', 'create', '--uses', String(others.length)];
  const { token } = await first.command<{ token: string }>(...create);
  const address = `127.0.0.1:${first.ports.rpc}`;
  for (const node of others) node.start(['--join', address, '--token', token]);
  await Promise.all(others.map((node) => node.ready()));
  return token;
}

const insistMs = 60_000;

/** Does what the command line does, for a machine so busy that nobody leads at times. */
const insist = <T>(node: LabNode, args: readonly string[]): Promise<T> =>
  until(args.join(' '), insistMs, () => node.command<T>(...args));

/** Somebody who was a member for a moment. */
async function comeAndGo(node: LabNode): Promise<Credentials> {
  const { token } = await insist<{ token: string }>(node, ['cluster', 'token', 'create']);
  const id = 'removed';
  const credentials = await joinAs({ id, token, address: `127.0.0.1:${node.ports.rpc}` });
  await insist(node, ['cluster', 'remove', id, '--yes', '--force']);
  return credentials;
}

type Two = Record<'leader' | 'follower', LabNode>;

/** Out of the folders of the nodes: what who has broken into one of them would have. */
async function whoIs(
  status: (node: LabNode) => Promise<ClusterStatus>,
  two: Two,
  removed: Credentials,
) {
  const { clusterId, nodeId: leader } = await status(two.leader);
  const { nodeId: follower } = await status(two.follower);
  const mine = await readTrust(two.follower.dataDir);
  const authority = { certificates: mine.authorities!, key: mine.authorityKey! };
  const member = { ca: mine.authorities!, cert: mine.certificate!, key: mine.key! };
  const subject = { clusterId: clusterId!, nodeId: follower };
  const { key: network } = await readGossipFile(two.follower.dataDir);
  const { identity } = await readGossipFile(two.leader.dataDir);
  return {
    ids: { leader, follower },
    clusterId: subject.clusterId,
    crowd: await gather(authority, { ...subject, member, removed }),
    gossip: { network, leaderId: await gossipIdOf(identity) },
  };
}

async function listen(nodes: readonly LabNode[]): Promise<() => Promise<LogLine[]>> {
  const from = await Promise.all(nodes.map(async ({ logFile }) => (await stat(logFile)).size));
  return async () => {
    const all = await Promise.all(
      nodes.map(async ({ name, logFile }, nth) => {
        const text = (await readFile(logFile)).subarray(from[nth]).toString();
        return text.split('\n').flatMap((line) => readLine(name, line));
      }),
    );
    return all.flat();
  };
}

function readLine(node: string, line: string): LogLine[] {
  if (!line.startsWith('{')) return [];
  try {
    const { level, message } = JSON.parse(line) as { level: string; message: string };
    return [{ node, level, message, text: line }];
  } catch {
    return []; // it is still being written
  }
}

/** A client that changes something through a follower all the time; what came of it. */
export interface Bystander {
  /** How often it has changed something. */
  readonly written: () => number;
  stop(): Promise<{ readonly written: number; readonly failed: readonly string[] }>;
}

const paceMs = 100;

export function startBystander({ follower, admin }: Scene): Bystander {
  let isOver = false;
  let written = 0;
  const failed: string[] = [];
  const insist = async () => {
    while (!isOver) {
      const answer = await ask({
        ...{ url: `${follower.url}/api/v1/users/me`, token: admin, method: 'PATCH' },
        ...{ json: { displayName: randomUUID() } },
      });
      if (answer.status >= 200 && answer.status < 300) written += 1;
      else failed.push(`${answer.status} ${answer.code}`);
      await pause(paceMs);
    }
  };
  const running = insist();
  return {
    written: () => written,
    async stop() {
      isOver = true;
      await running;
      return { written, failed };
    },
  };
}

/** Resident memory of a node's API process and of its Raft process, in MB. */
export async function memoryOf(node: LabNode): Promise<number> {
  const pids = [node.pid(), await node.enginePid()];
  let sum = 0;
  for (const pid of pids) {
    if (pid === undefined) continue;
    const text = await readFile(join('/proc', String(pid), 'status'), 'utf8');
    sum += Number(/^VmRSS:\s+(\d+)/m.exec(text)?.[1] ?? 0) / 1024;
  }
  return Math.round(sum);
}
