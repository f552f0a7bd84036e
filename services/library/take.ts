import { MediaError } from '#storage/media/media.ts';
import { chunksOf, inOrder } from './at-once.ts';
import type { KnownDirectory } from './directories-store.ts';
import { unsettledAmong } from './identify-store.ts';
import type { Root } from './model.ts';
import { distrustEmpty } from './mount-points.ts';
import { aboveThem, identifyIn, readTexts, viewsOf, type Within } from './phase-2-identify.ts';
import type { Count, ScanRun } from './run.ts';
import { apply, insist, saveUnread, workOut, type Batch, type Proof } from './save-listings.ts';
import { toVisit, type Visit } from './visit.ts';

/** Read by one call, saved and identified in one transaction. */
const directoriesAtOnce = 256;
const filesAtOnce = 400;

/** What is to be taken in. */
export interface Wish {
  readonly directories: readonly KnownDirectory[];
  /** Directories that lack something they had are left as they are, for the run of a scan. */
  readonly onlyAdds: boolean;
}

/**
 * Reads directories, and takes in and identifies what is in each within one transaction. What
 * cannot be read here, or was taken in by another meanwhile, is left as it is.
 */
export async function takeIn(
  run: ScanRun,
  root: Root,
  { directories, onlyAdds }: Wish,
): Promise<void> {
  const groups = chunksOf(directories, directoriesAtOnce);
  for await (const visits of inOrder(groups, 1, (group) => look(run, root, group))) {
    for (const batch of portions(visits)) {
      await saveUnread(batch, (left, prove) => take(run, root, { visits: left, prove, onlyAdds }));
    }
  }
}

/** What can be read of them here, and trusted. */
async function look(
  run: ScanRun,
  root: Root,
  group: readonly KnownDirectory[],
): Promise<readonly Visit[]> {
  const visits = await distrustEmpty(run, root, await list(run, root, group));
  return visits.filter(({ result }) => !(result instanceof MediaError));
}

async function list(
  { deps, signal, log }: ScanRun,
  root: Root,
  group: readonly KnownDirectory[],
): Promise<Visit[]> {
  const readAt = deps.now();
  try {
    const paths = group.map(({ path }) => path);
    const results = await deps.media.listMany(root.path, paths, { signal });
    return group.flatMap((directory, at) => {
      const result = results[at];
      return result === undefined ? [] : [toVisit(directory, result, readAt)];
    });
  } catch (error) {
    if (!(error instanceof MediaError) || error.code === 'cancelled') throw error;
    log.warn('this node cannot read what it is asked for', {
      rootId: root.id,
      error: error.message,
    });
    return [];
  }
}

/** Whole directories, of some hundred files together. */
function portions(visits: readonly Visit[]): Visit[][] {
  const all: Visit[][] = [];
  let files = Infinity;
  for (const visit of visits) {
    const more = visit.result instanceof MediaError ? 0 : visit.result.entries.length;
    if (files + more > filesAtOnce) {
      all.push([]);
      files = 0;
    }
    all.at(-1)?.push(visit);
    files += more;
  }
  return all;
}

interface Taken {
  readonly visits: readonly Visit[];
  readonly prove: Proof;
  readonly onlyAdds: boolean;
}

async function take(run: ScanRun, root: Root, taken: Taken): Promise<void> {
  const { visits, prove, onlyAdds } = taken;
  await insist(async () => {
    const batch = await (onlyAdds ? additionsOf : workOut)(run, root, visits);
    if (batch.contents.length === 0) return;
    const texts = await textsOf(run, batch);
    const above = await readTexts(run, await aboveThem(run.deps.store.sql, placesOf(batch)));
    await run.change(async (tx, stale, tell) => {
      await prove(tx);
      const count = await apply(tx, run, batch);
      return {
        ...count,
        ...(await identifyBatch({ run, tx, stale, tell }, batch, { texts, above })),
      };
    });
  });
}

/** Leaves out the directories that would lose something. */
async function additionsOf(run: ScanRun, root: Root, visits: readonly Visit[]): Promise<Batch> {
  const batch = await workOut(run, root, visits);
  const losing = new Set([
    ...batch.plan.missing.map(({ directoryId }) => directoryId),
    ...batch.gone.map(({ parentId }) => parentId),
  ]);
  if (losing.size === 0) return batch;
  const rest = visits.filter(({ directory }) => !losing.has(directory.id));
  // What was taken for moved may have come from one of those: then it is missing there now.
  return rest.length === visits.length ? batch : additionsOf(run, root, rest);
}

/** NFO files by path, as they have no rows yet. */
function textsOf(run: ScanRun, { root, contents }: Batch): Promise<Map<string, Uint8Array>> {
  const files = contents.flatMap((content) =>
    content.files.map(({ path, role, sizeBytes }) => ({ id: path, path, role, sizeBytes })),
  );
  return readTexts(run, [{ rootId: root.id, files }]);
}

const placesOf = ({ root, contents }: Batch) =>
  contents.map(({ visit }) => ({ rootId: root.id, path: visit.directory.path }));

interface Read {
  /** By path. */
  readonly texts: ReadonlyMap<string, Uint8Array>;
  /** By id. */
  readonly above: ReadonlyMap<string, Uint8Array>;
}

async function identifyBatch(
  within: Within,
  { contents }: Batch,
  { texts, above }: Read,
): Promise<Count> {
  const ids = contents.map(({ visit }) => visit.directory.id);
  const directories = await unsettledAmong(within.tx, ids);
  if (directories.length === 0) return {};
  const views = await viewsOf(within.tx, directories);
  const byId = new Map(above);
  for (const { id, path } of views.flatMap(({ files }) => files)) {
    const text = texts.get(path);
    if (text !== undefined) byId.set(id, text);
  }
  return identifyIn(within, { directories, views, texts: byId });
}
