import { spawn } from 'node:child_process';
import { chmod, chown, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { reachable, type Binaries, type Owner } from './binaries.ts';

const outputMax = 4_000;
const initTimeoutMs = 120_000;

/** The release of PostgreSQL whose files we write and read. */
export const majorVersion = '18';

/**
 * Makes `<dataDir>/pg` unless it is there and returns its path. It is built as `pg.new` and
 * renamed when it is whole and synced, so that a crash half way leaves nothing that looks done.
 * Throws when `owner` cannot reach the folder or when another major version wrote it.
 */
export async function ensureCluster(init: {
  dataDir: string;
  owner: Owner;
  binaries: Binaries;
  sync: boolean;
}): Promise<string> {
  const { dataDir, owner, binaries, sync } = init;
  const target = join(dataDir, 'pg');
  await openPath(dataDir, owner);
  const version = await readVersion(target);
  if (version === majorVersion) return target;
  if (version !== undefined) throw new Error(versionMessage(target, version));
  const draft = join(dataDir, 'pg.new');
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  await chown(draft, owner.uid, owner.gid);
  const flags = sync ? [] : ['--no-sync'];
  await run(binaries.initdb, ['-D', draft, ...initFlags, ...flags], { owner, cwd: draft });
  await rename(draft, target);
  if (sync) await syncFolder(dirname(target));
  return target;
}

const initFlags = [
  '--username=postgres',
  '--encoding=UTF8',
  '--locale=C',
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--data-checksums',
  '--auth-local=trust', // the socket lies in a folder only its owner may enter
  '--auth-host=reject',
  '--no-instructions',
];

function versionMessage(target: string, version: string): string {
  return `${target} was written by PostgreSQL ${version}; this revenge brings ${majorVersion}`;
}

async function openPath(dataDir: string, owner: Owner): Promise<void> {
  if (process.getuid?.() === 0) {
    const { mode } = await stat(dataDir);
    await chmod(dataDir, (mode & 0o777) | 0o001); // to pass through, not to list
  }
  if (await reachable(dataDir, owner, 1)) return;
  throw new Error(
    `PostgreSQL (uid ${owner.uid}) cannot reach ${dataDir}: ` +
      'choose a data directory outside of closed folders, or start revenge as its own user',
  );
}

async function readVersion(target: string): Promise<string | undefined> {
  try {
    return (await readFile(join(target, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function syncFolder(path: string): Promise<void> {
  await using handle = await open(path, 'r');
  await handle.sync();
}

/** Runs a program to its end as `owner`; throws with its last words when it fails. */
async function run(
  program: string,
  args: string[],
  options: { owner: Owner; cwd: string },
): Promise<void> {
  const child = spawn(program, args, {
    ...identity(options.owner),
    cwd: options.cwd,
    env: postgresEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: initTimeoutMs,
  });
  let output = '';
  const collect = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-outputMax));
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => resolve(status ?? signal));
  });
  if (code === 0) return;
  const hint = output.includes('could not look up effective user')
    ? ' (start revenge as a user that /etc/passwd knows, or set database.url)'
    : '';
  throw new Error(`${program} failed (${String(code)}): ${output.trim()}${hint}`);
}

/** The whole environment a PostgreSQL program gets: no locale or PG* variable of ours leaks in. */
export const postgresEnv = { LC_ALL: 'C', PATH: '/usr/bin:/bin' };

/** The uid and gid to spawn with: none when we already are that user. */
export function identity(owner: Owner): Partial<Owner> {
  return process.getuid?.() === 0 ? owner : {};
}
