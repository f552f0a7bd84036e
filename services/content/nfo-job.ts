/** Keeps NFO files beside the media of libraries that ask for it (`writeNfo`). */
import { createHash } from 'node:crypto';
import type { Queryable, Sql } from '#storage/postgres/connect.ts';
import { MediaError, type Media } from '#storage/media/media.ts';
import { defineJob, on, type JobContext, type JobHandler } from '../jobs/job.ts';
import { safeMessage } from '../jobs/failure.ts';
import { isOurs, marked } from '../nfo/mark.ts';
import {
  dueWorks,
  filesOf,
  forgetFile,
  noteChanged,
  noteFile,
  noteLibraries,
  saveState,
  type DueWork,
  type Outcome,
} from './nfo-due.ts';
import { forgetGone, leftOf, type NfoPlace } from './nfo-left.ts';
import { nfoTargets, otherNfos, type NfoTarget } from './nfo-targets.ts';

/** What writing needs. */
export interface NfoDeps {
  readonly sql: Sql;
  readonly media: Pick<Media, 'read' | 'put'>;
  readonly log: { readonly warn: (message: string, facts: object) => void };
}

/** Writes what has changed. */
export const nfoJob = defineJob<object>('nfo.write', {
  queue: 'metadata',
  attempts: 1,
  timeoutMs: 30 * 60_000,
  priority: 'low',
  cron: '* * * * *',
});

const batchSize = 1_000;
const maxBytes = 1024 * 1024;
const retryMs = 15 * 60_000;
const readOnlyMs = 24 * 3_600_000;

const done: Outcome = { problem: null, nextMs: 0 };

/** The job that writes, and what it has to hear of. */
export interface NfoWriting {
  readonly jobs: readonly JobHandler[];
  /** Notes works as changed, in the transaction that changes them. */
  readonly changed: (tx: Queryable, kind: string, ids: readonly string[]) => Promise<void>;
}

/** Makes the job that writes. */
export function createNfoWriting(deps: NfoDeps): NfoWriting {
  // Of each root it is said once by a node, however many works it has.
  const told = new Set<string>();
  return {
    jobs: [on(nfoJob, (_payload, context) => writeDue(deps, told, context))],
    changed: noteChanged,
  };
}

async function writeDue(
  deps: NfoDeps,
  told: Set<string>,
  { signal }: Pick<JobContext, 'signal'>,
): Promise<void> {
  await noteLibraries(deps.sql);
  for (;;) {
    const due = await dueWorks(deps.sql, batchSize);
    if (due.length === 0) return;
    for (const work of due) {
      signal.throwIfAborted();
      const outcome = await settle({ deps, told, signal }, work);
      await saveState(deps.sql, work, outcome);
      if (work.isGone && outcome.problem === null) await forgetGone(deps.sql, work);
    }
  }
}

interface Within {
  readonly deps: NfoDeps;
  readonly told: Set<string>;
  readonly signal: AbortSignal;
}

async function settle(within: Within, work: DueWork): Promise<Outcome> {
  try {
    if (work.isGone) return await removeAll(within, work);
    return work.isAsked ? await writeWork(within, work) : done;
  } catch (error) {
    if (within.signal.aborted || !(error instanceof MediaError)) throw error;
    return { problem: safeMessage(error), nextMs: error.retryAfterMs ?? retryMs };
  }
}

async function writeWork(within: Within, work: DueWork): Promise<Outcome> {
  const { deps } = within;
  const { kind, id } = work;
  const targets = await nfoTargets[kind](deps.sql, id);
  const isElsewhere = kind === 'movie' && (await isTold(within, id, targets));
  for (const target of isElsewhere ? [] : targets) {
    const put = await writeOne(within, target);
    if (put === 'read-only') return refused(within, target.root);
    if (put !== 'kept') await noteFile(deps.sql, work, target);
  }
  // Where nothing of a work is there it may come back to what we wrote of it.
  return targets.length === 0 ? done : await removeLeft(within, work, targets);
}

/** Removes what we wrote of a work that is gone, where its library asks for NFO files, still. */
async function removeAll(within: Within, work: DueWork): Promise<Outcome> {
  let isAway = false;
  for (const left of await leftOf(within.deps.sql, work)) {
    if (!left.isAsked) continue;
    isAway ||= left.isAway;
    if (left.isAway) continue;
    if ((await removeOne(within, left)) === 'read-only') return refused(within, left.root);
  }
  return isAway ? { problem: 'a folder is away', nextMs: retryMs } : done;
}

/** Removes what we wrote beside videos that have other names now. */
async function removeLeft(
  within: Within,
  work: DueWork,
  targets: readonly NfoTarget[],
): Promise<Outcome> {
  const placeOf = ({ rootId, path }: NfoPlace): string => `${rootId} ${path}`;
  const wanted = new Set(targets.map(placeOf));
  for (const left of await filesOf(within.deps.sql, work)) {
    if (wanted.has(placeOf(left))) continue;
    if ((await removeOne(within, left)) === 'read-only') return refused(within, left.root);
  }
  return done;
}

/** Removes a file that is ours, as nobody has changed it, and forgets one that is not. */
async function removeOne(
  within: Within,
  left: NfoPlace & { readonly root: string },
): Promise<'read-only' | undefined> {
  const { deps, signal } = within;
  const before = await readAt(within, left);
  if (before !== undefined && before !== 'foreign' && isOurs(before)) {
    const { root, path } = left;
    const over = digestOf(before);
    const put = await deps.media.put(root, path, { bytes: undefined, over, signal });
    if (put === 'read-only') return put;
  }
  await forgetFile(deps.sql, left);
  return undefined;
}

function refused({ deps, told }: Within, root: string): Outcome {
  if (!told.has(root)) {
    told.add(root);
    deps.log.warn('NFO files are asked for, but nothing may be written there', { root });
  }
  return { problem: 'nothing may be written there', nextMs: readOnlyMs };
}

/** Whether somebody else tells of a film in a file of another name: it would be told twice. */
async function isTold(
  { deps, signal }: Within,
  id: string,
  targets: readonly NfoTarget[],
): Promise<boolean> {
  const paths = targets.map(({ path }) => path);
  for (const { root, path } of await otherNfos(deps.sql, id, paths)) {
    const bytes = await readAt({ deps, signal }, { root, path });
    if (bytes !== undefined && (bytes === 'foreign' || !isOurs(bytes))) return true;
  }
  return false;
}

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function writeOne({ deps, signal }: Within, target: NfoTarget) {
  const { root, path, text } = target;
  const before = await readAt({ deps, signal }, target);
  if (before === 'foreign' || (before !== undefined && !isOurs(before))) return 'kept';
  const over = before && digestOf(before);
  const bytes = new TextEncoder().encode(marked(text));
  return deps.media.put(root, path, { bytes, over, signal });
}

/** What is there; `foreign`: something that no NFO of ours is. */
async function readAt(
  { deps, signal }: Pick<Within, 'deps' | 'signal'>,
  { root, path }: { readonly root: string; readonly path: string },
): Promise<Uint8Array | 'foreign' | undefined> {
  try {
    return await deps.media.read(root, path, { maxBytes, signal });
  } catch (error) {
    const code = error instanceof MediaError ? error.code : undefined;
    if (code === 'not-found') return undefined;
    if (code === 'too-large' || code === 'forbidden' || code === 'unreadable') return 'foreign';
    throw error;
  }
}
