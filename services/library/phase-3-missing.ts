import type { Tx } from '#storage/postgres/connect.ts';
import { clearTraces } from './moves-store.ts';
import { deleteRoot } from './libraries-store.ts';
import { retryFailedProbes, takeStaleProbes } from './identify-store.ts';
import { leftOutOf } from './ignore-store.ts';
import { refreshItems, releaseItems } from './items.ts';
import { deleteRootFiles, itemsToRefresh, markGoneFiles, unavailableOf } from './missing-store.ts';
import { addProbes } from './probe-jobs.ts';
import { joinPath } from './model.ts';
import type { ScanRun } from './run.ts';
import { setIgnoredBy } from './scans-store.ts';

const filesPerStep = 4_000;
const itemsPerStep = 200;
/** Told one by one per scan; beyond that clients hear that the library changed. */
const eventsMax = 100;
/** Ignore files named in a scan's report. */
const ignoreFilesMax = 100;
const probeLostMs = 24 * 3_600_000;

/**
 * Phase 3: what was there and is not becomes unavailable, and is kept. Files of directories that
 * are gone are marked missing, the works concerned take it over, folders that a person took out of
 * the library are cleared, and probes whose job was lost are asked for again.
 */
export async function settleMissing(run: ScanRun): Promise<void> {
  await markMissing(run);
  await clearRemovedRoots(run);
  await refresh(run);
  await askForProbes(run);
  await run.change(async (tx) => {
    await clearTraces(tx, run.library.id);
    const lost = [...run.roots.values()].filter(
      ({ removedAt, unavailableSince }) => removedAt === null && unavailableSince !== null,
    ).length;
    const counted = run.counters();
    return {
      rootsUnavailable: lost - (counted.rootsUnavailable ?? 0),
      ignored: (await tellIgnored(tx, run)) - (counted.ignored ?? 0),
    };
  });
}

/** Reports what is left out of the whole library, also where nothing was read; how many. */
async function tellIgnored(tx: Tx, { scan, library }: ScanRun): Promise<number> {
  const all = await leftOutOf(tx, library.id);
  const named = all.slice(0, ignoreFilesMax);
  const told = named.map(({ rootPath, path, entries }) => ({
    path: joinPath(rootPath, path),
    entries,
  }));
  await setIgnoredBy(tx, scan.id, told);
  return all.reduce((sum, { entries }) => sum + entries, 0);
}

/** Marks files of directories that are gone missing, and lets the works concerned take it over. */
export async function settleGone(run: ScanRun): Promise<void> {
  await markMissing(run);
  await refresh(run);
}

async function markMissing(run: ScanRun): Promise<void> {
  const rootIds = [...run.roots.keys()];
  for (let count = filesPerStep; count === filesPerStep;) {
    await run.change(async (tx) => {
      count = await markGoneFiles(tx, rootIds, filesPerStep);
      return { filesMissing: count };
    });
  }
}

async function refresh(run: ScanRun): Promise<void> {
  const { deps, module, library } = run;
  const { onItemsChanged } = deps;
  const { kind } = module;
  const libraryId = library.id;
  let told = 0;
  for (;;) {
    const itemIds = await itemsToRefresh(deps.store.sql, libraryId, itemsPerStep);
    if (itemIds.length === 0) return;
    let gone: string[] = [];
    await run.change(async (tx, stale, tell) => {
      await refreshItems(tx, { module, libraryId, itemIds, onItemsChanged, stale });
      gone = await unavailableOf(tx, itemIds);
      for (const itemId of gone.slice(0, eventsMax - told)) {
        tell('item.unavailable', { kind, itemId, libraryId });
      }
      const isMore = gone.length > eventsMax - told;
      if (isMore) tell('library.changed', { libraryId, change: 'updated' });
      return {};
    });
    told = Math.min(eventsMax, told + gone.length);
  }
}

/** Only while all other folders are there: their files may yet be found in one that is not. */
async function clearRemovedRoots(run: ScanRun): Promise<void> {
  const roots = [...run.roots.values()];
  if (roots.some((root) => root.removedAt === null && root.unavailableSince !== null)) return;
  for (const { id } of roots.filter(({ removedAt }) => removedAt !== null)) {
    await clearRoot(run, id);
    run.roots.delete(id);
  }
}

async function clearRoot(run: ScanRun, rootId: string): Promise<void> {
  const { module, library, deps } = run;
  for (let left = filesPerStep; left > 0;) {
    await run.change(async (tx, stale) => {
      const { count, itemIds } = await deleteRootFiles(tx, rootId, filesPerStep);
      left = count;
      const { onItemsChanged } = deps;
      await releaseItems(tx, { module, libraryId: library.id, itemIds, onItemsChanged, stale });
      return {};
    });
  }
  await run.change(async (tx) => {
    await deleteRoot(tx, rootId);
    return {};
  });
}

async function askForProbes(run: ScanRun): Promise<void> {
  const libraryId = run.library.id;
  const { jobs, now } = run.deps;
  if (run.scan.mode === 'full') {
    await run.change(async (tx) => {
      await retryFailedProbes(tx, libraryId);
      return {};
    });
  }
  const before = new Date(now() - probeLostMs);
  for (let count = filesPerStep; count === filesPerStep;) {
    await run.change(async (tx) => {
      const fileIds = await takeStaleProbes(tx, { libraryId, before, limit: filesPerStep });
      count = fileIds.length;
      await addProbes(tx, jobs, { libraryId, fileIds });
      return {};
    });
  }
}
