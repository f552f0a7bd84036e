import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { components } from '#api/types.ts';
import type { Ground } from './ground.ts';
import { setClock } from './clock.ts';
import type { Disk } from './disk.ts';
import { createLabNode, makeAdministrator, type LabNode, type Ports } from './node.ts';
import { freePorts } from '../ports.ts';

export type ClusterStatus = components['schemas']['ClusterStatus'];

export interface ClusterWish {
  /** Where the nodes keep what is theirs. */
  readonly dir: string;
  readonly ground: Ground;
  /** For all of them. */
  readonly env: Readonly<Record<string, string>>;
  readonly password: string;
  /** By node; chosen unless given. */
  readonly ports?: readonly Ports[];
  /** How many of the hosts are for nodes that may join later (0). */
  readonly spares?: number;
  /** Each has a wall clock that can be set. */
  readonly hasClocks?: boolean;
  /** Makes the disk that a node's data folder lies on. */
  readonly disk?: (name: string, path: string) => Disk;
  readonly onStarted: (pid: number) => void;
}

/** Real nodes that are to be one cluster. */
export interface LabCluster {
  readonly nodes: readonly LabNode[];
  /** No members, and not started with the others. */
  readonly spares: readonly LabNode[];
  readonly wish: ClusterWish;
}

const hostPorts: Ports = { api: 8080, raft: 7000, rpc: 7001, gossip: 7002 };
/** Ports at which people may look for a cluster on one machine. */
const wantedPorts = (count: number) =>
  Array.from({ length: count }, (_, nth) => [
    8081 + nth,
    ...[0, 1, 2].map((port) => 7000 + 10 * (nth + 1) + port),
  ]).flat();

export async function portsFor({ hosts, links }: Ground, isWanted = false): Promise<Ports[]> {
  if (links) return hosts.map(() => hostPorts);
  const wanted = isWanted ? wantedPorts(hosts.length) : [];
  const all = await freePorts(4 * hosts.length, wanted);
  return hosts.map((_, nth) => {
    const [api = 0, raft = 0, rpc = 0, gossip = 0] = all.slice(4 * nth);
    return { api, raft, rpc, gossip };
  });
}

/** Makes the nodes; none of them runs yet. */
export async function createLabCluster(wish: ClusterWish): Promise<LabCluster> {
  const { dir, ground, env, onStarted } = wish;
  const ports = wish.ports ?? (await portsFor(ground));
  await mkdir(join(dir, 'logs'), { recursive: true });
  const all = ground.hosts.map((host, nth) => {
    const name = `n${nth + 1}`;
    const dataDir = join(dir, name);
    const clockFile = wish.hasClocks ? join(dir, `${name}.clock`) : undefined;
    if (clockFile !== undefined) setClock(clockFile, 0);
    return createLabNode({
      ...{ name, host, ports: ports[nth]!, dataDir, env, onStarted, clockFile },
      logFile: join(dir, 'logs', `${name}.log`),
      disk: wish.disk?.(name, dataDir),
    });
  });
  const members = all.length - (wish.spares ?? 0);
  return { nodes: all.slice(0, members), spares: all.slice(members), wish };
}

/** Founds a cluster of nodes that have never run: the first one alone, the others by its token. */
export async function found({ nodes, wish }: Pick<LabCluster, 'nodes' | 'wish'>): Promise<void> {
  const [first, ...others] = nodes;
  if (!first) return;
  first.start();
  await first.ready();
  await makeAdministrator(first, { password: wish.password, env: wish.env });
  await first.command('cluster', 'init');
  if (others.length === 0) return;
  const uses = String(others.length);
  const made = await first.command<{ token: string }>('cluster', 'token', 'create', '--uses', uses);
  const address = `${first.host.address}:${first.ports.rpc}`;
  for (const node of others) node.start(['--join', address, '--token', made.token]);
  await Promise.all(others.map((node) => node.ready()));
}

/** Starts nodes that have been a cluster before. */
export async function startAgain({ nodes }: Pick<LabCluster, 'nodes'>): Promise<void> {
  for (const node of nodes) if (!node.isRunning()) node.start();
  await Promise.all(nodes.map((node) => node.ready()));
}

/** Answers of one who may see the cluster. */
export interface Observer {
  status(node: LabNode): Promise<ClusterStatus>;
}

const statusMs = 4_000;

/** Signs in at whichever of the nodes answers; good for a quarter of an hour. */
export async function signIn(nodes: readonly LabNode[], password: string): Promise<string> {
  let last: unknown;
  for (let tried = 0; tried < 40; tried += 1, await pause(500)) {
    const node = nodes[tried % nodes.length]!;
    try {
      const response = await fetch(`${node.url}/api/v1/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ username: 'admin', password }),
        signal: AbortSignal.timeout(statusMs),
      });
      const body = (await response.json()) as { accessToken?: string };
      if (body.accessToken !== undefined) return body.accessToken;
      // Who tries too often learns nothing by that.
      if (response.status !== 429) last = body;
    } catch (error) {
      last = error;
    }
  }
  throw new Error('nobody lets the administrator in', { cause: last });
}

export const observerOf = (token: () => string): Observer => ({
  async status(node) {
    const response = await fetch(`${node.url}/api/v1/cluster`, {
      headers: { authorization: `Bearer ${token()}` },
      signal: AbortSignal.timeout(statusMs),
    });
    if (!response.ok) throw new Error(`${node.name} says ${response.status} of the cluster`);
    return (await response.json()) as ClusterStatus;
  },
});

/** Asks until the answer is there; throws what was waited for, and what came last. */
export async function until<T>(
  what: string,
  maxMs: number,
  ask: () => Promise<T | undefined>,
): Promise<T> {
  let last: unknown;
  for (const end = Date.now() + maxMs; Date.now() < end; await pause(100)) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      last = error;
    }
  }
  throw new Error(`not within ${maxMs} ms: ${what}`, { cause: last });
}

/** Of an even number of nodes one does not vote. */
const votersOf = (count: number): number => (count % 2 === 1 ? count : count - 1);

/** Resolves once every node knows that all are well and vote, as many as may, and who leads. */
export async function allVote(
  { nodes }: Pick<LabCluster, 'nodes'>,
  observer: Observer,
  timeoutMs: number,
): Promise<void> {
  const voters = votersOf(nodes.length);
  await until(`${voters} voters`, timeoutMs, async () => {
    const all = await Promise.all(nodes.map((node) => observer.status(node)));
    const isWhole = ({ members, leader }: ClusterStatus) => {
      const well = members.filter(({ isHealthy }) => isHealthy);
      const voting = well.filter(({ isVoter }) => isVoter);
      return leader !== null && voting.length === voters && well.length >= nodes.length;
    };
    return all.every(isWhole) || undefined;
  });
}

/** The node that leads, by what the nodes that answer say. */
export async function leaderOf(
  { nodes }: Pick<LabCluster, 'nodes'>,
  observer: Observer,
): Promise<LabNode> {
  return until('a leader', 20_000, async () => {
    const all = await Promise.all(
      nodes.map((node) => observer.status(node).catch(() => undefined)),
    );
    const leads = all.findIndex(
      (status) => status !== undefined && status.leader === status.nodeId,
    );
    return nodes[leads];
  });
}

/** A line of the run's own in each node's log, to find one's way in it. */
export const noteInLogs = (nodes: readonly LabNode[], line: string): Promise<unknown> =>
  Promise.all(nodes.map(({ logFile }) => appendFile(logFile, `=== ${line}\n`)));
