import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { components } from '#api/types.ts';
import { createLabNode, makeAdministrator, type LabNode } from '../lab/node.ts';
import { signIn, until } from '../lab/cluster.ts';
import { setClock } from '../lab/clock.ts';
import { freePorts } from '../ports.ts';

export type Status = components['schemas']['ClusterStatus'];
export type MemberStatus = components['schemas']['ClusterMember'];

export interface PlaceWish {
  /** On the loopback; 127.0.0.1 unless told otherwise. */
  readonly address?: string;
  readonly role?: 'witness';
  readonly env?: Readonly<Record<string, string>>;
  /** It has a wall clock that can be set. */
  readonly hasClock?: boolean;
}

/** Real nodes on this machine, each with a data folder by its name. */
export interface Home extends AsyncDisposable {
  readonly dir: string;
  /** A node on the folder of this name, at ports that nobody had before. */
  place(name: string, wish?: PlaceWish): Promise<LabNode>;
  /** Signed in at whichever of these answers. */
  token(nodes: readonly LabNode[]): Promise<string>;
}

const password = 'correct horse battery staple';
const run = promisify(execFile);

/** `env` is for all nodes. Disposing of it kills what runs. */
export async function openHome(env: Readonly<Record<string, string>> = {}): Promise<Home> {
  const dir = await mkdtemp(join(tmpdir(), 'revenge-home-'));
  // PostgreSQL has an account of its own where root runs this.
  await run('chmod', ['755', dir]);
  const nodes: LabNode[] = [];
  return {
    dir,
    async place(name, { address = '127.0.0.1', role, hasClock, env: own } = {}) {
      const [api = 0, raft = 0, rpc = 0, gossip = 0, database = 0] = await freePorts(5);
      const clockFile = hasClock ? join(dir, `${name}.clock`) : undefined;
      if (clockFile !== undefined) setClock(clockFile, 0);
      const node = createLabNode({
        ...{
          name,
          host: { address, enter: [] },
          ports: { api, raft, rpc, gossip },
          role,
          clockFile,
        },
        dataDir: join(dir, name),
        logFile: join(dir, `${name}.log`),
        env: {
          REVENGE_CLUSTER_DATABASE_BIND_ADDR: `${address}:${database}`,
          REVENGE_CLUSTER_NODE_ID: name,
          ...env,
          ...own,
        },
        onStarted: () => undefined,
      });
      nodes.push(node);
      return node;
    },
    token: (some) => signIn(some, password),
    async [Symbol.asyncDispose]() {
      await Promise.all(nodes.map((node) => node.kill()));
      await endPostgres(nodes);
      await run('rm', ['-rf', dir]);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A node that was killed leaves its PostgreSQL behind. */
async function endPostgres(nodes: readonly LabNode[]): Promise<void> {
  for (const dataDir of new Set(nodes.map((node) => node.dataDir))) {
    const text = await readFile(join(dataDir, 'pg/postmaster.pid'), 'utf8').catch(() => '');
    const pid = Number(text.split('\n')[0]);
    if (pid > 1) process.kill(pid, 'SIGQUIT');
    while (pid > 1 && (await isThere(pid))) await pause(20);
  }
}

const isThere = async (pid: number) =>
  (await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')) !== '';

/** Makes the first administrator of the database that this node uses. */
export const administer = (node: LabNode, env: Readonly<Record<string, string>> = {}) =>
  makeAdministrator(node, { password, env });

/** Starts a node for the first time, makes its administrator, and opens it to others. */
export async function foundWith(node: LabNode, env: Readonly<Record<string, string>> = {}) {
  node.start();
  await node.ready();
  await administer(node, env);
  await node.command('cluster', 'init');
}

/** Arguments that let another join at this node, once. */
export async function joinAt(node: LabNode, kind: 'node' | 'witness' = 'node'): Promise<string[]> {
  const words = ['cluster', 'token', 'create', '--kind', kind];
  const { token, addresses } = await node.command<{ token: string; addresses: string[] }>(...words);
  return ['--join', addresses[0] ?? '', '--token', token];
}

/** Resolves to the status once all these members are voters, and well. */
export const untilVoters = (node: LabNode, count: number, timeoutMs = 120_000): Promise<Status> =>
  until(`${count} voters that are well`, timeoutMs, async () => {
    const status = await node.command<Status>('cluster', 'status');
    const well = status.members.filter(({ isVoter, isHealthy }) => isVoter && isHealthy);
    return status.leader !== null && well.length === count ? status : undefined;
  });

/** Makes new nodes one cluster, which the first of them founds; resolves once all vote. */
export async function gather(
  nodes: readonly LabNode[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  await foundWith(nodes[0]!, env);
  for (const node of nodes.slice(1)) {
    node.start(await joinAt(nodes[0]!));
    await node.ready();
  }
  await untilVoters(nodes[0]!, nodes.length);
}

let written = 0;

/** A change that only the leader may make, and back; resolves to the status, 201 if it was made. */
export async function write(node: LabNode, token: string, timeoutMs = 10_000): Promise<number> {
  written += 1;
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const signal = AbortSignal.timeout(timeoutMs);
  const url = `${node.url}/api/v1/apikeys`;
  const body = JSON.stringify({ name: `key ${written}`, scopes: ['movies:read'] });
  const made = await fetch(url, { method: 'POST', headers, body, signal });
  const { id } = (await made.json()) as { id?: string };
  if (made.status !== 201) return made.status;
  const gone = await fetch(`${url}/${id}`, { method: 'DELETE', headers, signal });
  await gone.arrayBuffer();
  return gone.ok ? made.status : gone.status;
}

/** Resolves to the milliseconds until a change was made there. */
export async function untilWritten(node: LabNode, token: string, maxMs = 30_000): Promise<number> {
  const began = performance.now();
  await until('a change is made', maxMs, async () =>
    (await write(node, token)) === 201 ? true : undefined,
  );
  return Math.round(performance.now() - began);
}

/** Bytes of memory that this process holds. */
export async function residentBytes(pid: number | undefined): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1]) * 1024;
}
