import type { Entry, SnapshotMeta } from './types.ts';

/** The log in memory. `offset` is the index before the first entry; what is behind it is gone. */
export interface Log {
  readonly entries: Entry[];
  offset: number;
  /** Unknown when a start found trailing entries whose predecessor had been compacted away. */
  offsetTerm: number | undefined;
  snapshot: SnapshotMeta | undefined;
  /** The last range cut, so that peers at the same place share one array (and its encoding). */
  cut: { readonly from: number; readonly entries: readonly Entry[] } | undefined;
}

export interface Window {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** What an entry costs besides its data, so that empty ones are not free. */
const overheadBytes = 32;
const none: readonly Entry[] = [];

export function entryBytes(entry: Entry): number {
  return entry.data.length + (entry.extensions?.length ?? 0) + overheadBytes;
}

/** @throws RangeError when the entries are not contiguous or do not join the snapshot. */
export function createLog(snapshot: SnapshotMeta | undefined, entries: readonly Entry[]): Log {
  const base = snapshot?.index ?? 0;
  const first = entries[0]?.index ?? base + 1;
  entries.forEach((entry, at) => {
    if (entry.index !== first + at) throw new RangeError(`the log has a hole at ${first + at}`);
  });
  if (first > base + 1 || first < 1) {
    throw new RangeError(`the log begins at ${first} but the snapshot ends at ${base}`);
  }
  const joins = entries[base - first];
  const isBehind = first + entries.length - 1 < base;
  const isForeign = base >= first && joins !== undefined && joins.term !== snapshot?.term;
  if (isBehind || isForeign)
    return { ...emptyLog(), offset: base, offsetTerm: snapshot?.term, snapshot };
  const offset = first - 1;
  const offsetTerm = offset === base ? (snapshot?.term ?? 0) : offset === 0 ? 0 : undefined;
  return { ...emptyLog(), entries: [...entries], offset, offsetTerm, snapshot };
}

function emptyLog(): Log {
  return { entries: [], offset: 0, offsetTerm: 0, snapshot: undefined, cut: undefined };
}

export function lastIndex(log: Log): number {
  return log.offset + log.entries.length;
}

export function lastTerm(log: Log): number {
  return log.entries[log.entries.length - 1]?.term ?? log.offsetTerm ?? 0;
}

function entryAt(log: Log, index: number): Entry | undefined {
  return log.entries[index - log.offset - 1];
}

/** The term of the entry at `index`, 0 before the first; undefined when it is gone or not there. */
export function termAt(log: Log, index: number): number | undefined {
  if (index === log.offset) return log.offsetTerm;
  return index > log.offset ? log.entries[index - log.offset - 1]?.term : undefined;
}

/** The first index, of those still here, whose entry has the term of the entry at `index`. */
export function firstOfTerm(log: Log, index: number): number {
  const term = termAt(log, index) ?? 0;
  let low = 0;
  let high = index - log.offset - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((log.entries[middle]?.term ?? 0) < term) low = middle + 1;
    else high = middle;
  }
  return log.offset + 1 + low;
}

export function appendTo(log: Log, entries: readonly Entry[]): void {
  for (const entry of entries) log.entries.push(entry);
}

/** Drops the entries from `index` on. */
export function truncateLog(log: Log, index: number): void {
  log.entries.length = index - log.offset - 1;
  log.cut = undefined;
}

/** Drops the entries up to `index`. */
export function compactLog(log: Log, index: number): void {
  log.offsetTerm = termAt(log, index);
  log.entries.splice(0, index - log.offset);
  log.offset = index;
  log.cut = undefined;
}

/** The log becomes the empty one behind an installed snapshot. */
export function replaceLog(log: Log, snapshot: SnapshotMeta): void {
  log.entries.length = 0;
  log.offset = snapshot.index;
  log.offsetTerm = snapshot.term;
  log.snapshot = snapshot;
  log.cut = undefined;
}

export function entriesBetween(log: Log, from: number, to: number): readonly Entry[] {
  const start = Math.max(from - log.offset - 1, 0);
  return log.entries.slice(start, Math.max(to - log.offset, start));
}

/** Entries from `from` on that fit the window; the first always does. */
export function entriesFrom(log: Log, from: number, window: Window): readonly Entry[] {
  const start = from - log.offset - 1;
  if (start >= log.entries.length) return none;
  const bound = Math.min(log.entries.length, start + window.maxEntries);
  let end = start;
  let bytes = 0;
  while (end < bound) {
    const entry = log.entries[end];
    if (!entry) break;
    bytes += entryBytes(entry);
    if (bytes > window.maxBytes && end > start) break;
    end += 1;
  }
  const cut = log.cut;
  if (cut && cut.from === from && cut.entries.length === end - start) return cut.entries;
  const entries = log.entries.slice(start, end);
  log.cut = { from, entries };
  return entries;
}

/** The index up to which the log may go once `snapshot` is durable. */
export function compactionPoint(log: Log, snapshot: SnapshotMeta, trailing: Window): number {
  let index = snapshot.index;
  let bytes = 0;
  const bound = Math.max(log.offset, snapshot.index - trailing.maxEntries);
  while (index > bound) {
    const entry = entryAt(log, index);
    if (!entry) break;
    bytes += entryBytes(entry);
    if (bytes > trailing.maxBytes) break;
    index -= 1;
  }
  return index;
}
