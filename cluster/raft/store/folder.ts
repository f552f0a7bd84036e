import { mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DamagedError, StoreError } from './errors.ts';

/** What is known of a data directory beside its log, so that a lost log is not taken for a new one. */
export interface Identity {
  /** 1, and one more with each wipe. */
  readonly generation: number;
  readonly hasLog: boolean;
  /** Whose votes these are, once the node has said so. */
  readonly id?: string;
  /** Ids that voted from here before a wipe: under one of them a vote could be given twice. */
  readonly retired: readonly string[];
  /** A wipe was begun: what is left of the log says nothing. */
  readonly isBeingWiped?: boolean;
}

export async function makeFolder(dir: string): Promise<void> {
  if (await mkdir(dir, { recursive: true, mode: 0o700 })) await syncFolder(dirname(dir));
}

/** @throws DamagedError when it is there and says nothing sensible */
export async function readIdentity(dir: string): Promise<Identity | undefined> {
  const path = join(dir, 'identity.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const identity = JSON.parse(text) as Identity;
    if (isIdentity(identity)) return identity;
  } catch {
    // said below
  }
  throw new DamagedError(dir, `${path} is not what was written there`);
}

function isIdentity({ generation, hasLog, id, retired }: Partial<Identity>): boolean {
  const isId = id === undefined || typeof id === 'string';
  return Number.isSafeInteger(generation) && typeof hasLog === 'boolean' && isId && !!retired;
}

/**
 * Whether this node may use these data.
 * @throws StoreError when its votes are another's, or its own from before a wipe
 */
export function checkIdentity(dir: string, identity: Identity | undefined, id?: string): void {
  if (identity?.isBeingWiped) {
    throw new StoreError(`a rejoin of ${dir} was cut off; run it again`);
  }
  if (id === undefined || !identity) return;
  if (identity.retired.includes(id)) {
    const next = nextId(id, identity.generation);
    throw new StoreError(`${id} lost its votes with the wipe of ${dir}; start it as ${next}`);
  }
  if (identity.id !== undefined && identity.id !== id) {
    throw new StoreError(`the Raft data in ${dir} are those of ${identity.id}, not of ${id}`);
  }
}

/** `n1` becomes `n1.2` in the second generation, and that `n1.3` in the third. */
export function nextId(id: string, generation: number): string {
  const last = `.${generation - 1}`;
  const isNumbered = generation > 2 && id.endsWith(last);
  return `${isNumbered ? id.slice(0, -last.length) : id}.${generation}`;
}

export async function writeIdentity(dir: string, identity: Identity): Promise<void> {
  await writeDurably(join(dir, 'identity.json'), `${JSON.stringify(identity)}\n`);
}

/** LevelDB's own sign that a database was begun. */
export async function hasDatabase(place: string): Promise<boolean> {
  return stat(join(place, 'CURRENT')).then(
    () => true,
    () => false,
  );
}

/** A file that is there whole or not at all. */
export async function writeDurably(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncFolder(dirname(path));
}

/** A rename is durable only with its folder. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
