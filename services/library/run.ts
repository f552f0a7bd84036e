import type { Media } from '#storage/media/media.ts';
import type { Tx } from '#storage/postgres/connect.ts';
import type { Store } from '../changes.ts';
import type { ContentModule, Kind } from '../content/module.ts';
import type { EventPublisher, Tell } from '../events.ts';
import type { JobAdder } from '../jobs/job.ts';
import type { Log } from '../log.ts';
import type { Turns } from './at-once.ts';
import {
  counterNames,
  type Counters,
  type Library,
  type Root,
  type Scan,
  type ScanPhase,
} from './model.ts';
import { holds, raiseCounters } from './scans-store.ts';

/** Told in the same transaction which works came or changed, so that others can follow up by jobs. */
export type OnItemsChanged = (tx: Tx, kind: Kind, itemIds: readonly string[]) => Promise<void>;

/** What the scanner works with. */
export interface ScannerDeps {
  readonly store: Store;
  readonly jobs: JobAdder;
  readonly media: Media;
  readonly modules: ReadonlyMap<Kind, ContentModule>;
  readonly events: EventPublisher;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onItemsChanged?: OnItemsChanged;
  /** Told in the same transaction of videos that were looked into. */
  readonly onProbed?: (tx: Tx, fileIds: readonly string[]) => Promise<void>;
  /** By library: what waits for its lock in PostgreSQL would keep a connection from others. */
  readonly turns: Turns;
  /** Which node this is; undefined: the only one. */
  readonly nodeId?: string;
  /** How reading is shared out among all nodes; see `share.ts`. */
  readonly sharing?: Partial<SharingRules>;
}

/** When others are to help, and how long they are waited for, in milliseconds. */
export interface SharingRules {
  /** So many directories to read are worth it. */
  readonly from: number;
  /** As long as nobody is known to help. */
  readonly beginMs: number;
  /** Since somebody has last got on. */
  readonly helpMs: number;
}

/** One run of one scan: from its start, or from where an earlier run was cut off. */
export interface ScanRun {
  readonly deps: ScannerDeps;
  readonly scan: Scan;
  readonly library: Library;
  readonly module: ContentModule;
  /** All roots by id, as they were found to be; those taken out of use too. */
  readonly roots: Map<string, Root>;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Does one step in a transaction, with its share of the counters; see `createRun`. */
  change(work: Step): Promise<void>;
  /** What the scan has counted so far. */
  counters(): Readonly<Partial<Counters>>;
  /** Tells how far it is; may be called as often as one likes. */
  report(phase: ScanPhase, done: number, total: number): void;
}

/** What a step adds to the counters. */
export type Count = Partial<Counters>;

/** One step, as `Write` does it. */
export type Step = (tx: Tx, stale: (...tags: string[]) => void, tell: Tell) => Promise<Count>;

/** The scan was cancelled, its library deleted, or another run has taken it over: stop quietly. */
export class ScanOverError extends Error {
  constructor() {
    super('the scan is over, or another run has it');
    this.name = 'ScanOverError';
  }
}

/** The parts a run is made of. */
export interface RunParts {
  readonly deps: ScannerDeps;
  readonly scan: Scan;
  readonly library: Library;
  readonly module: ContentModule;
  readonly roots: readonly Root[];
  readonly signal: AbortSignal;
  readonly report: ScanRun['report'];
  /** False: `scan` has no row; then nothing is proved and counted but in memory. */
  readonly isOnRecord?: boolean;
}

/**
 * Makes a run. Each of its changes first proves, in its own transaction, that the scan is still
 * this run's: a run that was given up for dead and is not can so never write beside its successor.
 * A change throws ScanOverError when it is not, and the signal's reason once that is aborted.
 */
export function createRun(parts: RunParts): ScanRun {
  const { deps, scan, library, module, signal, isOnRecord = true } = parts;
  let counters: Partial<Counters> = scan.counters;
  return {
    deps,
    scan,
    library,
    module,
    signal,
    roots: new Map(parts.roots.map((root) => [root.id, root])),
    log: deps.log.child({ scanId: scan.id, libraryId: library.id }),
    async change(work) {
      await deps.turns(library.id, async () => {
        signal.throwIfAborted();
        counters = await deps.store.write(async (tx, stale, tell) => {
          await lockItems(tx, library.id);
          if (isOnRecord && !(await holds(tx, scan.id, scan.epoch))) throw new ScanOverError();
          const count = await work(tx, stale, tell);
          if (isEmpty(count)) return counters;
          return isOnRecord ? raiseCounters(tx, scan.id, count) : sum(counters, count);
        });
      });
    },
    counters: () => counters,
    report: parts.report,
  };
}

function sum(a: Partial<Counters>, b: Count): Partial<Counters> {
  const all = { ...a };
  for (const name of counterNames) {
    if (b[name] !== undefined) all[name] = (a[name] ?? 0) + b[name];
  }
  return all;
}

const isEmpty = (count: Count): boolean => Object.values(count).every((by) => by === 0);

/** The cache tags that a change of works makes stale. */
export function tagsOf(
  module: ContentModule,
  libraryId: string,
  itemIds: readonly string[],
): string[] {
  const lists = module.listTags ?? [`${module.kind}s`];
  return [`library:${libraryId}`, ...lists, ...itemIds.map((id) => `${module.kind}:${id}`)];
}

/**
 * Lets one transaction at a time change the files and works of a library; held until it ends. So
 * that two films are never made of one, and no two writers wait for each other's rows.
 */
export async function lockItems(tx: Tx, libraryId: string): Promise<void> {
  await tx`select pg_advisory_xact_lock(hashtextextended(${`library-items:${libraryId}`}, 0))`;
}
