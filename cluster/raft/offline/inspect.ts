import type { Boot, Configuration, Entry, HardState, SnapshotMeta } from '../core/types.ts';
import { describeError } from '../store/errors.ts';
import { checkData } from '../store/snapshot-file.ts';
import { listSnapshots, type Skipped } from '../store/snapshots.ts';
import { withData } from './open.ts';

export interface State {
  readonly id: string | undefined;
  readonly generation: number;
  readonly hardState: HardState;
  readonly snapshot: SnapshotMeta | undefined;
  readonly log: { readonly first: number; readonly last: number; readonly lastTerm: number };
  readonly commitHint: number;
  readonly configuration: Configuration;
  readonly configurationIndex: number;
  readonly files: readonly {
    readonly path: string;
    readonly index: number;
    readonly size: number;
  }[];
  readonly skipped: readonly Skipped[];
}

/** Vote, snapshot, ends of the log, and the members by the latest configuration in it. */
export function readState(dir: string): Promise<State> {
  return withData(dir, async ({ store, identity, found, skipped }) => {
    const { files } = await listSnapshots(dir);
    return {
      id: identity?.id,
      generation: store.generation,
      hardState: found.hardState,
      snapshot: found.snapshot,
      log: endsOf(found),
      commitHint: store.commitHint,
      ...latestConfiguration(found),
      files: files.map(({ path, meta, size }) => ({ path, index: meta.index, size })),
      skipped,
    };
  });
}

export interface Range {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

const shown = 20;

/** The entries of a range; without one the last twenty. */
export function readLog(dir: string, { from, to }: Range): Promise<readonly Entry[]> {
  return withData(dir, async ({ found }) => {
    const end = to ?? (from === undefined ? Infinity : from + shown - 1);
    const inRange = found.entries.filter(({ index }) => index >= (from ?? 1) && index <= end);
    return from === undefined ? inRange.slice(-shown) : inRange;
  });
}

export interface Verified {
  readonly entries: number;
  readonly first: number;
  readonly last: number;
  readonly snapshots: readonly string[];
  readonly skipped: readonly Skipped[];
}

/**
 * Reads every byte, also of snapshots that are not needed; those are named in `skipped` when torn.
 * @throws DamagedError
 */
export function verify(dir: string): Promise<Verified> {
  return withData(dir, async ({ found }) => {
    const { first, last } = endsOf(found);
    const { files, skipped: torn } = await listSnapshots(dir);
    const skipped = [...torn];
    const snapshots: string[] = [];
    for (const file of files) {
      try {
        await checkData(file.path, file);
        snapshots.push(file.path);
      } catch (error) {
        skipped.push({ path: file.path, reason: describeError(error) });
      }
    }
    return { entries: found.entries.length, first, last, snapshots, skipped };
  });
}

export function endsOf({ entries, snapshot }: Boot): State['log'] {
  const last = entries.at(-1) ?? snapshot ?? { index: 0, term: 0 };
  return { first: entries[0]?.index ?? last.index + 1, last: last.index, lastTerm: last.term };
}

/** In force as soon as it is in the log. */
export function latestConfiguration({ entries, snapshot }: Boot) {
  const entry = entries.findLast(({ type }) => type === 'configuration');
  if (entry?.configuration && entry.index > (snapshot?.configurationIndex ?? 0)) {
    return { configuration: entry.configuration, configurationIndex: entry.index };
  }
  return {
    configuration: snapshot?.configuration ?? { servers: [] },
    configurationIndex: snapshot?.configurationIndex ?? 0,
  };
}
