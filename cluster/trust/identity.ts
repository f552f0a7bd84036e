/**
 * What makes a node that node: `<data>/cluster/identity.json`. At each start the boot epoch is
 * raised and synced before anybody is spoken to, so that a copy of the folder, or one that was
 * restored, comes with an epoch the cluster has seen already.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, writeDurably } from '../raft/store/folder.ts';
import { TrustError } from './errors.ts';
import { lockFolder } from './lock.ts';
import { checkId, isId } from './names.ts';

export interface IdentityOptions {
  /** The node's data folder. */
  readonly dir: string;
  /** Where its Raft data lie; `raft` in the data folder unless given. */
  readonly raftDir?: string | undefined;
  /** `cluster.node_id`; once a folder is a node's, it may only say the same. */
  readonly configuredId?: string | undefined;
  /** /etc/machine-id or the like, to notice that a folder was carried to another machine. */
  readonly machineId?: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A new id that nobody else has. */
  readonly randomId: () => string;
}

/** What may change while a node runs: it joins, founds, or comes back as a new member. */
export interface IdentityChange {
  readonly clusterId?: string | undefined;
  readonly nodeId?: string;
  readonly kind?: 'witness' | undefined;
}

export interface Identity extends AsyncDisposable {
  readonly nodeId: string;
  /** Undefined: it belongs to no cluster yet. */
  readonly clusterId: string | undefined;
  /** The folder of a witness never is one of a node; undefined: it is no witness. */
  readonly kind: 'witness' | undefined;
  /** 1 at the first start, and one more at each. */
  readonly bootEpoch: number;
  /** Another one each start: two processes with one epoch are told apart by it. */
  readonly session: string;
  /** The folder was last used on another machine: carried over, or copied. */
  readonly hasMoved: boolean;
  /** Resolves once it is on disk. @throws TrustError `bad-id` */
  save(change: IdentityChange): Promise<void>;
  /** Gives the folder to the next process. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

interface Written {
  readonly format: 1;
  readonly nodeId: string;
  readonly clusterId?: string | undefined;
  readonly kind?: 'witness' | undefined;
  readonly bootEpoch: number;
  readonly createdAt: string;
  readonly machineId?: string | undefined;
}

export const clusterFolder = (dataDir: string): string => join(dataDir, 'cluster');

/** Whether a data folder is a witness's, without taking it. @throws TrustError `unreadable` */
export async function isWitnessFolder(dir: string): Promise<boolean> {
  return (await read(join(clusterFolder(dir), 'identity.json')))?.kind === 'witness';
}

/**
 * Takes the data folder for this process, reads who it is, and raises the boot epoch.
 * @throws TrustError `in-use`, `unreadable` when the file is damaged or lost, `wrong-node` when the
 * folder is another node's than configured, `bad-id`
 */
export async function openIdentity(options: IdentityOptions): Promise<Identity> {
  const folder = clusterFolder(options.dir);
  await makeFolder(folder);
  const release = await lockFolder(folder);
  try {
    return await open(options, release);
  } catch (error) {
    await release();
    throw error;
  }
}

async function open(options: IdentityOptions, release: () => Promise<void>): Promise<Identity> {
  const { dir, machineId, randomId } = options;
  const file = join(clusterFolder(dir), 'identity.json');
  const found = await read(file);
  if (found) checkConfigured(found, options);
  const before = found ?? (await createIdentity(options));
  let written = before;
  const write = async (next: Written) => {
    await writeDurably(file, `${JSON.stringify(next, undefined, 2)}\n`);
    written = next;
  };
  const here = machineId ?? before.machineId;
  await write({ ...before, bootEpoch: before.bootEpoch + 1, machineId: here });
  const hasMoved = before.machineId !== undefined && before.machineId !== here;
  let saving = Promise.resolve();
  return {
    get nodeId() {
      return written.nodeId;
    },
    get clusterId() {
      return written.clusterId;
    },
    get kind() {
      return written.kind;
    },
    bootEpoch: written.bootEpoch,
    session: randomId(),
    hasMoved,
    async save(change) {
      checkIds({ ...written, ...change });
      // One after the other, for they share a temporary file; a failure is its caller's matter.
      const store = () => write({ ...written, ...change });
      saving = saving.then(store, store);
      return saving;
    },
    close: release,
    [Symbol.asyncDispose]: release,
  };
}

function checkIds({ nodeId, clusterId }: { nodeId: string; clusterId?: string | undefined }): void {
  checkId(nodeId, 'node');
  if (clusterId !== undefined) checkId(clusterId, 'cluster');
}

/** A folder that has been a node keeps its id: `n1` may also be `n1.2`, as it is after a rejoin. */
function checkConfigured({ nodeId }: Written, { dir, configuredId }: IdentityOptions): void {
  if (configuredId === undefined || nodeId === configuredId) return;
  if (nodeId.startsWith(`${configuredId}.`)) {
    if (/^\d+$/.test(nodeId.slice(configuredId.length + 1))) return;
  }
  throw new TrustError(
    'wrong-node',
    `the data in ${dir} are those of the node ${nodeId}, and cluster.node_id says ` +
      `${configuredId}: give it back its id, or a data folder of its own`,
  );
}

/** The first start, or the first since there is a cluster: then the id was in a file of its own. */
async function createIdentity(options: IdentityOptions): Promise<Written> {
  const { dir, configuredId, machineId, now, randomId } = options;
  await refuseLost(options);
  const earlier = (await readText(join(dir, 'node-id')))?.trim();
  const nodeId = checkId(configuredId ?? (earlier || randomId()), 'node');
  const createdAt = new Date(now()).toISOString();
  return { format: 1, nodeId, bootEpoch: 0, createdAt, machineId };
}

/**
 * A node that forgot who it is must not begin anew: its votes would count twice. What is left of it
 * tells: its certificate, or its Raft log.
 */
async function refuseLost({ dir, raftDir = join(dir, 'raft') }: IdentityOptions): Promise<void> {
  const folder = clusterFolder(dir);
  const isMember = (await readText(join(folder, 'node.crt'))) !== undefined;
  const voter = await voterOf(raftDir);
  if (!isMember && voter === undefined) return;
  const was = isMember ? 'a node of a cluster' : `the node ${voter}`;
  const rest = [isMember ? [folder] : [], voter === undefined ? [] : [raftDir]]
    .flat()
    .join(' and ');
  throw new TrustError(
    'unreadable',
    `${join(folder, 'identity.json')} is gone, and this folder was ${was}: bring it back from a ` +
      `backup, or move ${rest} away to start as a new node`,
  );
}

/** Whose votes are in a Raft folder; undefined: nobody's. */
async function voterOf(raftDir: string): Promise<string | undefined> {
  const path = join(raftDir, 'identity.json');
  const text = await readText(path);
  if (text === undefined) return undefined;
  try {
    const { id, hasLog } = JSON.parse(text) as { id?: string; hasLog?: boolean };
    return hasLog ? (id ?? `of ${raftDir}`) : undefined;
  } catch {
    return `of ${path}, which is damaged`;
  }
}

async function read(file: string): Promise<Written | undefined> {
  const text = await readText(file);
  if (text === undefined) return undefined;
  try {
    const found: unknown = JSON.parse(text);
    if (isWritten(found)) return found;
  } catch {
    // It is said below what to do.
  }
  throw new TrustError(
    'unreadable',
    `${file} is damaged: bring it back from a backup, or move its folder away to join as a ` +
      'new node; no new identity is made by itself, for the cluster knows the old one',
  );
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function isWritten(found: unknown): found is Written {
  if (typeof found !== 'object' || found === null) return false;
  const { format, nodeId, clusterId, bootEpoch, createdAt, machineId } = found as Partial<Written>;
  const { kind } = found as Partial<Written>;
  if (kind !== undefined && kind !== 'witness') return false;
  const isText = (value: unknown) => value === undefined || typeof value === 'string';
  if (format !== 1 || typeof nodeId !== 'string' || !isId(nodeId)) return false;
  if (!isText(clusterId) || !isText(machineId) || typeof createdAt !== 'string') return false;
  return Number.isSafeInteger(bootEpoch) && bootEpoch! > 0;
}
