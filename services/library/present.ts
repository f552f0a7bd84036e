import { displayName } from '#storage/media/path.ts';
import type { components } from '#api/types.ts';
import { failureIn } from '../failures.ts';
import type { LibraryNumbers } from './libraries-store.ts';
import { counterNames, joinPath, type Library, type Root, type Scan } from './model.ts';
import type { ProblemRow } from './problems-store.ts';
import { reasonOf } from './reasons.ts';
import type { WatchState } from './watches-store.ts';

type Schemas = components['schemas'];

/** What belongs to a library besides its row; what is left out is not shown. */
export interface LibraryParts {
  readonly roots?: readonly Root[] | undefined;
  readonly watches?: ReadonlyMap<string, WatchState> | undefined;
  readonly numbers?: LibraryNumbers | undefined;
  readonly lastScan?: Scan | undefined;
}

/** A library as the API shows it. */
export function libraryJson(library: Library, parts: LibraryParts): Schemas['Library'] {
  const { roots, watches, numbers, lastScan } = parts;
  return {
    id: library.id,
    kind: library.kind,
    name: library.name,
    language: library.language,
    options: library.options,
    scanIntervalMinutes: library.scanIntervalMinutes,
    ...(roots && { roots: roots.map((root) => rootJson(root, watches?.get(root.id))) }),
    ...(numbers && { numbers }),
    ...(lastScan && { lastScan: scanJson(lastScan, roots !== undefined) }),
    createdAt: library.createdAt.toISOString(),
    updatedAt: library.updatedAt.toISOString(),
  };
}

const toReason = (reason: string) => {
  const { code: reasonCode, values: reasonValues } = reasonOf(reason);
  return { reason, reasonCode, reasonValues };
};

const toError = (error: string) => {
  const { code: errorCode, values: errorValues } = failureIn(error);
  return { error, errorCode, errorValues };
};

const rootJson = (root: Root, watch: WatchState | undefined): Schemas['LibraryRoot'] => ({
  id: root.id,
  path: root.path,
  isAvailable: root.unavailableSince === null,
  ...(root.unavailableSince && { unavailableSince: root.unavailableSince.toISOString() }),
  ...(root.unavailableReason !== null && toReason(root.unavailableReason)),
  isWatched: watch?.isWatched ?? false,
  ...(watch?.isWatched === false && watch.reason !== null && { unwatchedReason: watch.reason }),
});

/** A scan as the API shows it; where folders lie is only for some. */
export const scanJson = (scan: Scan, maySeePaths: boolean): Schemas['LibraryScan'] => ({
  id: scan.id,
  libraryId: scan.libraryId,
  mode: scan.mode,
  state: scan.state,
  phase: scan.phase,
  counters: Object.fromEntries(
    counterNames.map((name) => [name, scan.counters[name] ?? 0]),
  ) as unknown as Schemas['LibraryScanCounters'],
  ...(maySeePaths && {
    ignoredBy: scan.ignoredBy.map(({ path, entries }) => ({ path: displayName(path), entries })),
  }),
  ...(scan.error !== null && toError(scan.error)),
  ...(scan.requestedBy !== null && { requestedBy: scan.requestedBy }),
  createdAt: scan.createdAt.toISOString(),
  ...(scan.startedAt && { startedAt: scan.startedAt.toISOString() }),
  ...(scan.finishedAt && { finishedAt: scan.finishedAt.toISOString() }),
});

/** A problem as the API shows it; its path is for people to read. */
export const problemJson = (row: ProblemRow): Schemas['LibraryProblem'] => ({
  type: row.type,
  path: displayName(row.path === '' ? row.rootPath : joinPath(row.rootPath, row.path)),
  reason: row.reason,
  ...reasonOf(row.reason),
  ...(row.fileId !== null && { fileId: row.fileId }),
  ...(row.itemId !== null && { itemId: row.itemId }),
});
