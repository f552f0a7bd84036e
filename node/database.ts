import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { isAny, readBinding, type HostPort } from '#cluster/addresses.ts';
import { makeFolder, writeDurably } from '#cluster/raft/store/folder.ts';
import { clusterFolder } from '#cluster/trust/identity.ts';
import { createMigrator, type Migrator } from '#storage/postgres/migrate.ts';
import { connectPostgres, type Database, type PostgresAddress } from '#storage/postgres/connect.ts';
import { startEmbedded, type EmbeddedPostgres } from '#storage/postgres/embedded.ts';
import type { Log } from '#services/log.ts';
import type { Config } from './config/keys.ts';
import { findRunning } from './rundir.ts';

/** A database to work with, and where it is. */
export interface OpenDatabase extends AsyncDisposable {
  readonly database: Database;
  readonly address: PostgresAddress;
  /** True when the PostgreSQL is this node's own. */
  readonly isEmbedded: boolean;
  /** That PostgreSQL, to open it to other nodes. */
  readonly embedded?: EmbeddedPostgres | undefined;
  readonly migrator: Migrator;
}

/** The embedded PostgreSQL of another node, as a member of its cluster reaches it. */
export interface MemberDatabase {
  /** Where that node may be: names or addresses. Whether it is, its certificate says. */
  readonly hosts: readonly string[];
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Among the DNS names of that node's certificate. */
  readonly serverName: string;
}

const memberShape = z.object({
  hosts: z.array(z.string().min(1)).min(1),
  port: z.int().min(1).max(65_535),
  user: z.string().min(1),
  password: z.string(),
  database: z.string().min(1),
  serverName: z.string().min(1),
});

/** What joining says: whose it is. That node tells the rest, to the member itself. */
const sharedShape = z.strictObject({ serverName: z.string().min(1) });

const migrations = fileURLToPath(new URL('../migrations', import.meta.url));
const fileOf = (dataDir: string) => join(clusterFolder(dataDir), 'database.json');

/** The database of the cluster that a node has joined. */
export interface SharedDatabase {
  /** Among the DNS names of the certificate of the node that has it. */
  readonly serverName: string;
  /** Undefined until that node has said how to reach it. */
  readonly access: MemberDatabase | undefined;
}

/**
 * Whose database the node's cluster uses, if joining has said so.
 * Throws when the file is there and says nothing sensible.
 */
export async function readSharedDatabase(dataDir: string): Promise<SharedDatabase | undefined> {
  const file = fileOf(dataDir);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
  try {
    const found: unknown = JSON.parse(text);
    const shared = sharedShape.safeParse(found);
    if (shared.success) return { ...shared.data, access: undefined };
    const access = memberShape.parse(found);
    // Members once shared a role: each has to ask for its own.
    const isOwn = access.user !== 'revenge_member';
    return { serverName: access.serverName, access: isOwn ? access : undefined };
  } catch (cause) {
    throw new Error(`${file} is not what joining a cluster writes: join again`, { cause });
  }
}

/** How to reach it, as far as that is known. Throws as `readSharedDatabase` does. */
export const readMemberDatabase = async (dataDir: string): Promise<MemberDatabase | undefined> =>
  (await readSharedDatabase(dataDir))?.access;

/** Remembers whose it is, for a node that has yet to ask that one. */
export async function saveSharedDatabase(dataDir: string, serverName: string): Promise<void> {
  await makeFolder(clusterFolder(dataDir));
  await writeDurably(fileOf(dataDir), `${JSON.stringify({ serverName })}\n`);
}

/** What a member was told by the node that has the database. @throws ZodError */
export const parseMemberDatabase = (told: unknown): MemberDatabase => memberShape.parse(told);

/** Remembers where the database of the node's cluster is; only the file's owner may read it. */
export async function saveMemberDatabase(dataDir: string, member: MemberDatabase): Promise<void> {
  await makeFolder(clusterFolder(dataDir));
  const text = JSON.stringify(memberShape.parse(member), undefined, 2);
  await writeDurably(fileOf(dataDir), `${text}\n`);
}

/** For a node that leaves: from its next start on it has its own again. */
export const forgetMemberDatabase = (dataDir: string): Promise<void> =>
  rm(fileOf(dataDir), { force: true });

/**
 * An address for it. The files of `<data>/cluster/` are read anew when it is needed: a renewed
 * certificate, a new password, the node at another address are used without a restart.
 */
export function memberAddress(dataDir: string, member: MemberDatabase): PostgresAddress {
  const now = async () => (await readMemberDatabase(dataDir)) ?? member;
  return {
    url: urlOf(member),
    latest: async () => urlOf(await now()),
    tls: async () => ({ serverName: (await now()).serverName, ...(await readPems(dataDir)) }),
  };
}

function urlOf({ hosts, port, user, password, database }: MemberDatabase): string {
  const at = hosts.map((host) => `${host.includes(':') ? bracketed(host) : host}:${port}`);
  const who = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
  const name = encodeURIComponent(database);
  return `postgres://${who}@${at.join()}/${name}?target_session_attrs=read-write`;
}

/** A scope (`fe80::1%eth0`) has a sign in it that a URL would read otherwise. */
const bracketed = (address: string) => `[${encodeURIComponent(address)}]`;

async function readPems(dataDir: string): Promise<{ ca: string; cert: string; key: string }> {
  const read = (name: string) => readFile(join(clusterFolder(dataDir), name), 'utf8');
  return { ca: await read('ca.crt'), cert: await read('node.crt'), key: await read('node.key') };
}

export interface OpenOptions {
  /** For commands: a node that runs there already lends its own. */
  readonly joinRunning?: boolean;
  /** Asks the node that has the cluster's database how to reach it; until that is known. */
  readonly ask?: (() => Promise<MemberDatabase>) | undefined;
}

/**
 * Opens the configured PostgreSQL, or that of the cluster the node has joined, or starts the
 * embedded one in the data folder.
 * Throws when the folder belongs to another node or the database cannot be reached.
 */
export async function openDatabase(
  config: Config,
  log: Log,
  options: OpenOptions = {},
): Promise<OpenDatabase> {
  await using stack = new AsyncDisposableStack();
  const { address, embedded } = await locate(config, log, { ...options, stack });
  const database = stack.use(
    await connectPostgres({
      ...address,
      log,
      pool: {
        max: config['database.pool.max_conns'],
        minConns: config['database.pool.min_conns'],
        lifetimeMs: config['database.pool.max_lifetime'],
        idleMs: config['database.pool.max_idle'],
      },
    }),
  );
  const migrator = createMigrator({ sql: database.sql, dir: migrations, log });
  const kept = stack.move();
  return {
    database,
    address,
    isEmbedded: embedded !== undefined,
    embedded,
    migrator,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** As PostgreSQL says it. */
export const listenFor = ({ host, port }: HostPort): HostPort => ({
  host: isAny(host) ? '*' : host,
  port,
});

async function locate(
  config: Config,
  log: Log,
  { joinRunning, ask, stack }: OpenOptions & { stack: AsyncDisposableStack },
): Promise<{ address: PostgresAddress; embedded?: EmbeddedPostgres }> {
  const url = config['database.url'];
  if (url !== undefined) return { address: { url } };
  const dataDir = config['data.dir'];
  if (joinRunning) {
    const running = await findRunning(dataDir);
    if (running?.database !== undefined) return { address: running.database };
  }
  const shared = await readSharedDatabase(dataDir);
  if (shared !== undefined) {
    const member = shared.access ?? (await ask?.());
    if (member !== undefined) return { address: memberAddress(dataDir, member) };
    throw new Error("how to reach the cluster's database is not known yet: start the node first");
  }
  await mkdir(dataDir, { recursive: true });
  const listen = listenFor(readBinding(config['cluster.database.bind_addr']));
  const embedded = stack.use(await startEmbedded({ dataDir, log, listen }));
  const { socket, owner: user } = embedded;
  return { address: { socket, database: 'revenge', user }, embedded };
}
