import type { FileRole, Kind } from '../content/module.ts';

/** How thorough a scan is: `quick` trusts directories whose time is unchanged, `full` nothing. */
export type ScanMode = 'quick' | 'full';
export type ScanState = 'queued' | 'running' | 'completed' | 'failed' | 'cancelled';
export type ScanPhase = 'walk' | 'identify' | 'missing' | 'done';

/** A library as its row says. */
export interface Library {
  readonly id: string;
  readonly kind: Kind;
  readonly name: string;
  readonly language: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly scanIntervalMinutes: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A folder of a library. */
export interface Root {
  readonly id: string;
  readonly libraryId: string;
  /** Absolute, in the encoding of storage/media/path.ts. */
  readonly path: string;
  /** st_dev when a scan last found it. */
  readonly device: string | null;
  readonly unavailableSince: Date | null;
  readonly unavailableReason: string | null;
  readonly removedAt: Date | null;
}

/** One scan as its row says. */
export interface Scan {
  readonly id: string;
  readonly libraryId: string;
  readonly mode: ScanMode;
  readonly state: ScanState;
  readonly phase: ScanPhase;
  readonly epoch: number;
  readonly counters: Partial<Counters>;
  /** By which files entries are left out, the most first; paths are absolute and encoded. */
  readonly ignoredBy: readonly { readonly path: string; readonly entries: number }[];
  readonly error: string | null;
  readonly requestedBy: string | null;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

/** What a scan counts; each number is raised in the transaction that did what it counts. */
export interface Counters {
  directories: number;
  directoriesRead: number;
  files: number;
  filesNew: number;
  filesChanged: number;
  filesMoved: number;
  filesMissing: number;
  filesReturned: number;
  itemsAdded: number;
  itemsUpdated: number;
  refused: number;
  ignored: number;
  unreadable: number;
  rootsUnavailable: number;
}

/** All counters, in the order they are shown. */
export const counterNames = [
  'directories',
  'directoriesRead',
  'files',
  'filesNew',
  'filesChanged',
  'filesMoved',
  'filesMissing',
  'filesReturned',
  'itemsAdded',
  'itemsUpdated',
  'refused',
  'ignored',
  'unreadable',
  'rootsUnavailable',
] as const satisfies readonly (keyof Counters)[];

/** A file as the file system shows it now, at its place in a library. */
export interface SeenFile {
  readonly rootId: string;
  readonly directoryId: string;
  /** Relative to the root. */
  readonly path: string;
  readonly name: string;
  readonly role: FileRole;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  readonly inode: string;
  readonly device: string;
}

/** A file as the catalogue has it. */
export interface KnownFile extends SeenFile {
  readonly id: string;
  readonly itemId: string | null;
  readonly oshash: string | null;
  readonly missingSince: Date | null;
}

/** Joins a directory's path with a name in it; '' is the root. */
export const joinPath = (directory: string, name: string): string =>
  directory === '' ? name : `${directory}/${name}`;

/** The roles whose content a probe can tell something about. */
export const isProbed = (role: FileRole): boolean =>
  role === 'video' || role === 'audio' || role === 'extra';
