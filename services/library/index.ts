import type { Kind } from '../content/module.ts';
import { on, type JobHandler } from '../jobs/job.ts';
import { createArrivalRoutes, type ArrivalHandlers } from './arrival-routes.ts';
import { lookAtArrivals, runArrivals } from './arrive.ts';
import { createTurns } from './at-once.ts';
import type { FolderDeps } from './folders.ts';
import { runReads } from './help.ts';
import { allRoots, findLibrary } from './libraries-store.ts';
import { addLibrary, startScan } from './manage.ts';
import type { Library, Scan, ScanMode } from './model.ts';
import { runProbes } from './probe.ts';
import { probeFiles } from './probe-jobs.ts';
import { createQuarantineRoutes, type QuarantineHandlers } from './quarantine.ts';
import { readDirectories } from './read-jobs.ts';
import { createRoutes, type LibraryHandlers } from './routes.ts';
import type { ScannerDeps } from './run.ts';
import { failScan, runScan } from './scan.ts';
import { clean, cleanMissing, scanAll, scanDue } from './schedule.ts';
import { libraryScan } from './start.ts';
import { createVanishedRoutes, type VanishedHandlers } from './vanished.ts';
import { startViewing } from './viewing.ts';
import { startWatching, type WatchingDeps } from './watching.ts';

export { ourPath, readMappings } from './arrivals.ts';
export type { OnItemsChanged } from './run.ts';
export type { Counters, Library, Root, Scan, ScanMode, ScanState } from './model.ts';
export { mediaOfSeen } from './seen-media.ts';
export { libraryScan } from './start.ts';

/** What libraries need of the rest. */
export interface LibraryDeps extends Omit<ScannerDeps, 'turns'>, Partial<FolderOptions> {
  readonly dataDir: string;
  /** Kept up to date: the paths of folders that this node does not see; see `mediaOfSeen`. */
  readonly unseen?: Set<string>;
}

interface FolderOptions {
  /** Absolute folders below which libraries may lie; `/`, all, unless stated. */
  readonly allowedFolders: readonly string[];
  /** Days that what vanished is kept; 30 unless stated, asked at each clean-up. */
  readonly missingGraceDays: () => Promise<number>;
  /** Of a library that may be forgotten without a person's word; 25 unless stated. */
  readonly vanishPercent: () => Promise<number>;
  /** `path elsewhere=path here; …`; none unless stated, asked whenever a path is told. */
  readonly pathMappings: () => Promise<string>;
}

/** Libraries: folders of one kind of content each, and the scans that keep the catalogue true. */
export interface LibraryService {
  readonly handlers: LibraryHandlers & ArrivalHandlers & VanishedHandlers & QuarantineHandlers;
  readonly jobs: readonly JobHandler[];
  /**
   * Makes sure that a folder belongs to a library, for `serve --movies DIR`. A folder that a library
   * has already is left as it is. Throws `unprocessable` or `conflict` like the API.
   */
  ensureLibrary(wanted: {
    kind: Kind;
    name: string;
    paths: readonly string[];
  }): Promise<{ library: Library; scan: Scan }>;
  /** Hears of changes on this node's local disks, until it is disposed of. */
  watchFolders(
    parts: Pick<WatchingDeps, 'watcher' | 'nodeId' | 'clock' | 'timing'>,
  ): AsyncDisposable;
  /** Says which folders this node sees, until it is disposed of. */
  viewFolders(parts: Pick<WatchingDeps, 'nodeId' | 'clock'>): AsyncDisposable;
  /** Starts a scan, or finds the one that waits or runs already. Throws `not-found`. */
  startScan(libraryId: string, mode?: ScanMode): Promise<Scan>;
}

const graceDaysDefault = 30;
const vanishPercentDefault = 25;

/** Builds libraries and their jobs. */
export function createLibrary(deps: LibraryDeps): LibraryService {
  const scanner: ScannerDeps & FolderDeps = {
    ...deps,
    allowedFolders: deps.allowedFolders ?? ['/'],
    turns: createTurns(),
    log: deps.log.child({ module: 'library' }),
  };
  const graceDays = deps.missingGraceDays ?? (() => Promise.resolve(graceDaysDefault));
  const percent = deps.vanishPercent ?? (() => Promise.resolve(vanishPercentDefault));
  const mappings = deps.pathMappings ?? (() => Promise.resolve(''));
  return {
    handlers: {
      ...createRoutes(scanner),
      ...createArrivalRoutes(scanner, mappings),
      ...createVanishedRoutes(scanner, percent),
      ...createQuarantineRoutes(scanner, graceDays),
    },
    jobs: [
      on(libraryScan, async ({ scanId }, context) => {
        try {
          await runScan(scanner, scanId, context);
        } catch (error) {
          const isLast = context.attempt >= libraryScan.options.attempts;
          // Cut off by a shutdown is not failed: the next try carries on.
          if (isLast && !context.signal.aborted) await failScan(scanner, scanId, reasonOf(error));
          throw error;
        }
      }),
      on(readDirectories, (payload, context) => runReads(scanner, payload, context)),
      on(probeFiles, (payload, context) => runProbes(scanner, payload, context)),
      on(lookAtArrivals, (payload, context) => runArrivals(scanner, payload, context)),
      on(scanAll, () => scanDue(scanner)),
      on(clean, async (_payload, context) => {
        const rules = { graceDays: await graceDays(), percent: await percent() };
        await cleanMissing(scanner, rules, context);
      }),
    ],
    watchFolders: (parts) => startWatching({ ...scanner, ...parts }),
    viewFolders: (parts) => startViewing({ ...scanner, ...parts, unseen: deps.unseen }),
    ensureLibrary: (wanted) => ensureLibrary(scanner, wanted),
    startScan: (libraryId, mode = 'quick') =>
      startScan(scanner, { libraryId, mode, by: undefined }),
  };
}

const reasonOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

async function ensureLibrary(
  deps: ScannerDeps & FolderDeps,
  wanted: { kind: Kind; name: string; paths: readonly string[] },
): Promise<{ library: Library; scan: Scan }> {
  const roots = await allRoots(deps.store.sql);
  const owner = roots.find(({ path }) => wanted.paths.includes(path))?.libraryId;
  const known = owner === undefined ? undefined : await findLibrary(deps.store.sql, owner);
  const fields = { language: 'en', options: {}, scanIntervalMinutes: 60, ...wanted };
  const library = known ?? (await addLibrary(deps, fields, undefined)).library;
  const request = { libraryId: library.id, mode: 'quick', by: undefined } as const;
  return { library, scan: await startScan(deps, request) };
}
