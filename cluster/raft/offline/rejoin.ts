import { Level } from 'level';
import { existsSync } from 'node:fs';
import { mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { DamagedError, StoreError, hasCode } from '../store/errors.ts';
import {
  hasDatabase,
  nextId,
  readIdentity,
  writeIdentity,
  type Identity,
} from '../store/folder.ts';

export interface RejoinPlan {
  readonly id: string;
  /** What to start and to add it as. */
  readonly newId: string;
  readonly generation: number;
}

export interface RejoinRequest {
  readonly dir: string;
  /** As it was; left out, what the directory says. */
  readonly id?: string | undefined;
}

export async function planRejoin({ dir, id: asked }: RejoinRequest): Promise<RejoinPlan> {
  return (await prepare(dir, asked)).plan;
}

/**
 * Wipes the node. It may have voted in terms that it now knows nothing of, so its id is retired: it
 * comes back under another one, as a nonvoter that is given the log. A crash on the way leaves a
 * directory that refuses to start until this is run again.
 */
export async function applyRejoin({ dir, id: asked }: RejoinRequest): Promise<RejoinPlan> {
  const { plan, identity } = await prepare(dir, asked);
  await refuseIfRunning(dir);
  const retired = [...new Set([...identity.retired, plan.id])];
  await writeIdentity(dir, { ...identity, id: plan.id, hasLog: true, isBeingWiped: true });
  await rm(join(dir, 'log'), { recursive: true, force: true });
  await rm(join(dir, 'snapshots'), { recursive: true, force: true });
  await writeIdentity(dir, { generation: plan.generation, hasLog: false, retired });
  return plan;
}

async function prepare(dir: string, asked: string | undefined) {
  const identity = await identityOf(dir);
  const id = asked ?? identity.id;
  if (id === undefined) throw new StoreError(`${dir} does not say whose it is; give --id`);
  if (identity.id !== undefined && identity.id !== id) {
    throw new StoreError(`the Raft data in ${dir} are those of ${identity.id}, not of ${id}`);
  }
  const generation = identity.generation + 1;
  return { identity, plan: { id, newId: nextId(id, generation), generation } };
}

async function identityOf(dir: string): Promise<Identity> {
  const identity = await readIdentity(dir).catch((error: unknown) => {
    if (!(error instanceof DamagedError)) throw error;
    const way = `remove ${dir} and start under an id that was never used`;
    throw new StoreError(`${error.reason}, so the ids of earlier wipes are not known: ${way}`);
  });
  if (identity) return identity;
  if (await hasDatabase(join(dir, 'log'))) return { generation: 1, hasLog: true, retired: [] };
  throw new StoreError(`there are no Raft data in ${dir}`);
}

/**
 * The log may have rotted, which is why one is here: LevelDB is not let near it. Its lock is one
 * on the file `LOCK` (fcntl); an empty database beside it is opened with that very file as its own.
 */
async function refuseIfRunning(dir: string): Promise<void> {
  if (!existsSync(join(dir, 'log', 'LOCK'))) return;
  const lock = await realpath(join(dir, 'log', 'LOCK'));
  const place = await mkdtemp(join(dir, 'rejoin-'));
  try {
    await symlink(lock, join(place, 'LOCK'));
    const database = new Level(place);
    await database.open();
    await database.close();
  } catch (error) {
    if (!hasCode(error, 'LEVEL_LOCKED')) throw error;
    throw new StoreError(`the Raft data in ${dir} is in use by another process`, { cause: error });
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}
