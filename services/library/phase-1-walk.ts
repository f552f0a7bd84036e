import { MediaError, type Listing } from '#storage/media/media.ts';
import { chunksOf, inOrder, mapAtOnce } from './at-once.ts';
import {
  countDirectories,
  directoryPage,
  markDue,
  topDirectory,
  type KnownDirectory,
} from './directories-store.ts';
import type { Root } from './model.ts';
import { confirmRoot, inspectRoot } from './roots.ts';
import type { ScanRun } from './run.ts';
import { saveListings, saveUnread } from './save-listings.ts';
import { createShare, isMuch, type Left } from './share.ts';
import { toVisit, type Visit } from './visit.ts';

/** Directories looked up in the catalogue at once, compared by one call, read by one call. */
const pageSize = 2_000;
const statsAtOnce = 500;
const listingsAtOnce = 64;
const callsAhead = 3;
/** What one transaction takes in, about: it ends with the directory that passes one of them. */
const directoriesPerSave = 256;
const entriesPerSave = 4_000;

/**
 * Phase 1: makes the rows of directories and files say what is on disk. First the known directories
 * are looked at, in bulk, and those that changed are read; then whatever was discovered, until
 * nothing is left to read. What is still to be read is in the database (`directories.is_due`), so a
 * run that is cut off anywhere is continued by the next one.
 *
 * The run plans: it finds out what is to be read. When that is much, all nodes read it, in jobs of
 * some directories each (see `share.ts`); the run reads what is little, and what nobody else can.
 */
export async function walk(run: ScanRun, onSaved: () => void): Promise<void> {
  const { sql } = run.deps.store;
  const tally: Tally = { done: 0, total: await countDirectories(sql, run.library.id), onSaved };
  for (const { id, removedAt } of run.roots.values()) {
    const root = run.roots.get(id);
    if (root === undefined || removedAt !== null || root.unavailableSince !== null) continue;
    await walkRoot({ run, root, tally });
  }
  const directories = await countDirectories(sql, run.library.id);
  await run.change(async () => ({ directories: directories - (run.counters().directories ?? 0) }));
}

interface Tally {
  done: number;
  total: number;
  readonly onSaved: () => void;
}

interface Walk {
  readonly run: ScanRun;
  readonly root: Root;
  readonly tally: Tally;
}

/** Thrown inside a walk when its root stopped answering; what was saved stays. */
class RootLostError extends Error {}

async function walkRoot(walk: Walk): Promise<void> {
  try {
    await revisit(walk);
    await explore(walk);
    // The share may have gone while we walked; then what we saw of it proves nothing.
    await confirmRoot(walk.run, walk.root);
  } catch (error) {
    if (!(error instanceof RootLostError)) throw error;
  }
}

/** Reads the known directories that changed. */
async function revisit(walk: Walk): Promise<void> {
  const { sql } = walk.run.deps.store;
  const { run, root, tally } = walk;
  const top = await topDirectory(sql, root.id);
  let page: KnownDirectory[] = top === undefined || top.isDue || top.isGone ? [] : [top];
  for (let after = ''; ; after = page.at(-1)?.path ?? after) {
    const next = await directoryPage(sql, { rootId: root.id, after, limit: pageSize });
    page = [...page.slice(0, after === '' ? 1 : 0), ...next];
    if (page.length === 0) return;
    const changed = await changedOf(walk, page);
    tally.done += page.length - changed.length;
    run.report('walk', tally.done, tally.total);
    if (isMuch(run, changed.length)) await leave(walk, changed);
    else await read(walk, changed);
    if (next.length < pageSize) return;
  }
}

/** Lets `explore` read them, with all nodes. */
async function leave({ run }: Walk, directories: readonly KnownDirectory[]): Promise<void> {
  await run.change(async (tx) => {
    await markDue(
      tx,
      directories.map(({ id }) => id),
    );
    return {};
  });
}

/** Has read what was discovered, here and by other nodes, until nothing is left. */
async function explore(walk: Walk): Promise<void> {
  const { run, root, tally } = walk;
  const { sql } = run.deps.store;
  let latest: Left['latest'] | undefined;
  const share = createShare(run, root.id, async (left) => {
    // They are counted anew only when some were found.
    if (left.latest !== latest) tally.total = await countDirectories(sql, run.library.id);
    latest = left.latest;
    tally.done = Math.max(0, tally.total - left.count);
    run.report('walk', tally.done, tally.total);
  });
  for (;;) {
    const due = await share.next();
    if (due.length === 0) return;
    tally.total = Math.max(tally.total, tally.done + due.length);
    await read(walk, due);
  }
}

async function changedOf(
  { run, root }: Walk,
  directories: readonly KnownDirectory[],
): Promise<KnownDirectory[]> {
  const isFull = run.scan.mode === 'full';
  const isUnsure = ({ mtimeMs, holdsRules }: KnownDirectory) => mtimeMs === null || holdsRules;
  const unsure = directories.filter(
    (directory) => (isFull || isUnsure(directory)) && directory.readScanId !== run.scan.id,
  );
  if (isFull) return unsure;
  const trusted = directories.filter((directory) => !isUnsure(directory));
  const changed = await mapAtOnce(chunksOf(trusted, statsAtOnce), callsAhead, async (chunk) => {
    const stats = await statAll(run, root, chunk);
    return chunk.filter(({ mtimeMs }, at) => stats[at]?.mtimeMs !== mtimeMs);
  });
  return [...unsure, ...changed.flat()];
}

/** Times of directories; without an answer they are simply read, which tells what is wrong. */
async function statAll(
  run: ScanRun,
  root: Root,
  directories: readonly KnownDirectory[],
): Promise<({ mtimeMs: number } | undefined)[]> {
  const paths = directories.map(({ path }) => path);
  try {
    return await run.deps.media.statDirectories(root.path, paths, { signal: run.signal });
  } catch (error) {
    await mustGoOn(run, root, error);
    return [];
  }
}

/** Reads directories and saves what they hold, a few calls ahead of the saving. */
async function read(walk: Walk, directories: readonly KnownDirectory[]): Promise<void> {
  const groups = chunksOf(directories, listingsAtOnce);
  let visits: Visit[] = [];
  let entries = 0;
  const save = async () => {
    const batch = visits;
    visits = [];
    entries = 0;
    await saveVisits(walk, batch);
  };
  for await (const group of inOrder(groups, callsAhead, (group) => visit(walk, group))) {
    for (const one of group) {
      visits.push(one);
      entries += one.result instanceof MediaError ? 0 : one.result.entries.length;
      if (visits.length >= directoriesPerSave || entries >= entriesPerSave) await save();
    }
  }
  if (visits.length > 0) await save();
}

async function saveVisits({ run, root, tally }: Walk, visits: readonly Visit[]): Promise<void> {
  const discovered = await saveUnread(visits, (left, prove) =>
    saveListings(run, root, { visits: left, prove }),
  );
  tally.done += visits.length;
  tally.total = Math.max(tally.total + (discovered ?? 0), tally.done);
  tally.onSaved();
  run.report('walk', tally.done, tally.total);
  const failed = visits.filter(({ result }) => result instanceof MediaError && isOutage(result));
  if (failed.length === 0) return;
  if (!(await inspectRoot(run, root))) throw new RootLostError();
}

async function visit({ run, root }: Walk, group: readonly KnownDirectory[]): Promise<Visit[]> {
  const readAt = run.deps.now();
  const results = await listAll(run, root, group);
  return group.map((directory, at) =>
    toVisit(directory, results[at] ?? new MediaError('unavailable', 'no answer'), readAt),
  );
}

async function listAll(
  run: ScanRun,
  root: Root,
  group: readonly KnownDirectory[],
): Promise<(Listing | MediaError)[]> {
  const paths = group.map(({ path }) => path);
  try {
    return await run.deps.media.listMany(root.path, paths, { signal: run.signal });
  } catch (error) {
    const fault = await mustGoOn(run, root, error);
    return group.map(() => fault);
  }
}

/** After a call failed as a whole: ends the walk of a root that is lost, else says what to note. */
async function mustGoOn(run: ScanRun, root: Root, error: unknown): Promise<MediaError> {
  if (!(error instanceof MediaError) || error.code === 'cancelled') throw error;
  if (!(await inspectRoot(run, root))) throw new RootLostError();
  return error;
}

const isOutage = ({ code }: MediaError): boolean => code === 'unavailable' || code === 'timeout';
