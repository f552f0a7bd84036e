import { allRoots } from './libraries-store.ts';
import type { Root } from './model.ts';
import { repeat } from './repeat.ts';
import { look } from './roots.ts';
import type { ScannerDeps } from './run.ts';
import { requestScan } from './start.ts';
import { forgetViews, saveViews, seenBy, type RootView } from './views-store.ts';

/** What looking at roots works with. */
export interface ViewingDeps extends Pick<ScannerDeps, 'store' | 'media' | 'jobs' | 'log'> {
  readonly nodeId: string;
  /** Milliseconds of any clock that never goes back. */
  readonly clock: () => number;
  /** Kept up to date: the paths of roots that this node does not see. */
  readonly unseen?: Set<string> | undefined;
}

const everyMs = 30_000;
/** A folder that does not answer costs no more than this each time. */
const timeoutMs = 5_000;
/** Between two scans of a library that are asked for because a folder came or went. */
const scanAgainMs = { first: 60_000, last: 15 * 60_000 };

/**
 * Says again and again which roots this node sees, so that others need not take a folder for gone
 * that is only not mounted on them; and has a library scanned when a folder is there again, or is
 * seen by nobody any more.
 */
export function startViewing(deps: ViewingDeps): AsyncDisposable {
  const view = createViewing(deps);
  const looks = repeat(view.once, everyMs, (error) =>
    deps.log.warn('which folders are there could not be said', { error: String(error) }),
  );
  return {
    async [Symbol.asyncDispose]() {
      view.stop();
      await looks();
      try {
        await deps.store.write((tx) => forgetViews(tx, deps.nodeId));
      } catch (error) {
        // What it said last is over soon.
        deps.log.warn('what this node saw could not be taken back', { error: String(error) });
      }
    },
  };
}

/** One look at all roots at a time. */
export function createViewing(deps: ViewingDeps) {
  const { store, nodeId } = deps;
  const stopping = new AbortController();
  const scanned = new Map<string, { at: number; pauseMs: number }>();
  const askForScan = async ({ libraryId }: Root): Promise<void> => {
    const last = scanned.get(libraryId);
    const now = deps.clock();
    if (last !== undefined && now - last.at < last.pauseMs) return;
    const grown = Math.min((last?.pauseMs ?? 0) * 2, scanAgainMs.last);
    scanned.set(libraryId, { at: now, pauseMs: Math.max(grown, scanAgainMs.first) });
    const request = { libraryId, mode: 'quick', requestedBy: undefined } as const;
    await store.write((tx) => requestScan(tx, deps.jobs, request));
  };
  const once = async (): Promise<void> => {
    const roots = await allRoots(store.sql);
    const views = await Promise.all(roots.map((root) => viewOf(deps, root, stopping.signal)));
    if (stopping.signal.aborted) return;
    noteUnseen(deps, roots, views);
    await store.write((tx) => saveViews(tx, nodeId, views));
    const settled = new Set(roots.map(({ libraryId }) => libraryId));
    for (const [at, root] of roots.entries()) {
      const isSeen = views[at]?.isSeen === true;
      if (isSeen === (root.unavailableSince === null)) continue;
      settled.delete(root.libraryId);
      if (isSeen || (await seenBy(store.sql, root.id, nodeId)).length === 0) {
        await askForScan(root);
      }
    }
    for (const libraryId of settled) scanned.delete(libraryId);
  };
  return { once, stop: () => stopping.abort() };
}

function noteUnseen(
  { unseen }: ViewingDeps,
  roots: readonly Root[],
  views: readonly RootView[],
): void {
  unseen?.clear();
  for (const [at, { path }] of roots.entries()) {
    if (views[at]?.isSeen === false) unseen?.add(path);
  }
}

async function viewOf(
  { store, media }: ViewingDeps,
  root: Root,
  signal: AbortSignal,
): Promise<RootView> {
  // One that no scan has seen yet has nothing that could be missing.
  const found = await look({ store, media, signal, timeoutMs }, root).catch((error: unknown) => {
    if (signal.aborted) return 'this node stops';
    throw error;
  });
  const isSeen = typeof found !== 'string';
  return { rootId: root.id, isSeen, reason: isSeen ? null : found };
}
