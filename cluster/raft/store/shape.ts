import type { Boot, HardState, Save, SnapshotMeta } from '../core/types.ts';
import { encodeEntry, encodeHardState, encodeSnapshotMeta, entryKey, keys } from './codec.ts';

export type Operation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array };

/** What the store knows of its log without reading it: its ends, and where each term begins. */
export interface Shape {
  hardState: HardState;
  snapshot: SnapshotMeta | undefined;
  /** The lowest index that may still be on disk. */
  lowest: number;
  /** Of the last entry, or of the snapshot when the log is empty. */
  last: number;
  /** Entries up to here may go. */
  compactTo: number;
  /** Ascending; a term holds from `from` to where the next begins. */
  terms: { readonly from: number; readonly term: number }[];
}

export function shapeOf({ hardState, snapshot, entries }: Boot): Shape {
  const last = entries.at(-1)?.index ?? snapshot?.index ?? 0;
  const shape: Shape = {
    hardState,
    snapshot,
    lowest: entries[0]?.index ?? last + 1,
    last,
    compactTo: 0,
    terms: [],
  };
  for (const { index, term } of entries) noteTerm(shape, index, term);
  return shape;
}

/** Adds to `into` what makes `save` durable, and takes it into the shape. */
export function planSave(shape: Shape, save: Save, into: Operation[]): void {
  if (save.hardState) planHardState(shape, save.hardState, into);
  if (save.snapshot) planSnapshot(shape, save.snapshot, into);
  if (save.truncateFrom !== undefined) planTruncation(shape, save.truncateFrom, into);
  planEntries(shape, save, into);
  if (save.compactTo !== undefined) {
    const end = shape.snapshot?.index ?? 0;
    must(save.compactTo <= end, `cutting up to ${save.compactTo} beyond the snapshot at ${end}`);
    shape.compactTo = Math.max(shape.compactTo, Math.min(save.compactTo, shape.last));
  }
}

export function termAt(shape: Shape, index: number): number | undefined {
  if (index === 0) return 0;
  if (index >= shape.lowest && index <= shape.last) {
    const run = shape.terms.findLast(({ from }) => from <= index);
    if (run) return run.term;
  }
  return index === shape.snapshot?.index ? shape.snapshot.term : undefined;
}

function planHardState(shape: Shape, hardState: HardState, into: Operation[]): void {
  const { term } = shape.hardState;
  must(hardState.term >= term, `going back from term ${term} to ${hardState.term}`);
  shape.hardState = hardState;
  into.push({ type: 'put', key: keys.hardState, value: encodeHardState(hardState) });
}

function planSnapshot(shape: Shape, snapshot: SnapshotMeta, into: Operation[]): void {
  const { index, term } = snapshot;
  const before = shape.snapshot?.index ?? 0;
  must(index >= before, `going back from the snapshot at ${before} to ${index}`);
  must(term <= shape.hardState.term, `a snapshot of term ${term} above the current term`);
  if (termAt(shape, index) !== term) {
    removeRange(shape.lowest, shape.last, into);
    Object.assign(shape, { lowest: index + 1, last: index, terms: [] });
  }
  shape.snapshot = snapshot;
  into.push({ type: 'put', key: keys.snapshot, value: encodeSnapshotMeta(snapshot) });
}

function planTruncation(shape: Shape, from: number, into: Operation[]): void {
  const end = shape.snapshot?.index ?? 0;
  must(from > end, `cutting off ${from} and what follows, which the snapshot at ${end} holds`);
  if (from > shape.last) return;
  removeRange(Math.max(from, shape.lowest), shape.last, into);
  shape.last = from - 1;
  while ((shape.terms.at(-1)?.from ?? 0) >= from) shape.terms.pop();
}

/**
 * Entries that begin within the log replace it from there on: after an installed snapshot the core
 * knows no more of the suffix that was kept.
 */
function planEntries(shape: Shape, { entries }: Save, into: Operation[]): void {
  const first = entries[0];
  if (first && first.index <= shape.last) planTruncation(shape, first.index, into);
  for (const entry of entries) {
    const { index, term } = entry;
    const previousTerm = termAt(shape, shape.last);
    must(index === shape.last + 1, `entry ${index} after ${shape.last}`);
    must(previousTerm !== undefined && term >= previousTerm, `entry ${index} of an earlier term`);
    must(term <= shape.hardState.term, `entry ${index} of term ${term} above the current term`);
    const key = entryKey(index);
    into.push({ type: 'put', key, value: encodeEntry(key, entry, previousTerm ?? 0) });
    shape.last = index;
    noteTerm(shape, index, term);
  }
}

function noteTerm(shape: Shape, index: number, term: number): void {
  if (shape.terms.at(-1)?.term !== term) shape.terms.push({ from: index, term });
}

export function removeRange(from: number, to: number, into: Operation[]): void {
  for (let index = from; index <= to; index += 1) into.push({ type: 'del', key: entryKey(index) });
}

function must(isRight: boolean, what: string): void {
  if (!isRight) throw new RangeError(`a save that cannot be: ${what}`);
}
