import type { Entry, Save } from '#cluster/raft/core/types.ts';

/** A log as the saves tell it, kept apart from the core's own. `offset` is the index before the first. */
export interface Mirror {
  offset: number;
  offsetTerm: number | undefined;
  entries: Entry[];
}

export const createMirror = (): Mirror => ({ offset: 0, offsetTerm: 0, entries: [] });

export function copyMirror(mirror: Mirror): Mirror {
  return { ...mirror, entries: [...mirror.entries] };
}

export const mirrorLast = (mirror: Mirror): number => mirror.offset + mirror.entries.length;

export function mirrorTerm(mirror: Mirror, index: number): number | undefined {
  if (index === mirror.offset) return mirror.offsetTerm;
  return index > mirror.offset ? mirror.entries[index - mirror.offset - 1]?.term : undefined;
}

export const mirrorLastTerm = (mirror: Mirror): number | undefined =>
  mirrorTerm(mirror, mirrorLast(mirror));

export function cutMirror(mirror: Mirror, from: number): void {
  if (from <= mirrorLast(mirror)) mirror.entries.length = Math.max(0, from - mirror.offset - 1);
}

export function compactMirror(mirror: Mirror, to: number): void {
  const upTo = Math.min(to, mirrorLast(mirror));
  if (upTo <= mirror.offset) return;
  mirror.offsetTerm = mirrorTerm(mirror, upTo);
  mirror.entries.splice(0, upTo - mirror.offset);
  mirror.offset = upTo;
}

/** @returns what is wrong with the save, if anything. */
export function saveToMirror(mirror: Mirror, save: Save): string | undefined {
  const { snapshot, truncateFrom, entries, compactTo } = save;
  if (snapshot && mirrorTerm(mirror, snapshot.index) !== snapshot.term) {
    mirror.entries = [];
    mirror.offset = snapshot.index;
    mirror.offsetTerm = snapshot.term;
  }
  if (truncateFrom !== undefined) cutMirror(mirror, truncateFrom);
  const first = entries[0];
  if (first) {
    if (first.index > mirrorLast(mirror) + 1) {
      return `entry ${first.index} after ${mirrorLast(mirror)}`;
    }
    if (first.index <= mirror.offset) return `entry ${first.index} behind what was compacted`;
    cutMirror(mirror, first.index);
    let expected = first.index;
    for (const entry of entries) {
      if (entry.index !== expected) return `entry ${entry.index} where ${expected} belongs`;
      mirror.entries.push(entry);
      expected += 1;
    }
  }
  if (compactTo !== undefined) compactMirror(mirror, compactTo);
  return undefined;
}
