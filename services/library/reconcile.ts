import type { KnownFile, SeenFile } from './model.ts';

/** A seen file that no row at its place stands for: it is new, was moved here, or replaces `here`. */
export interface Arrival {
  readonly seen: SeenFile;
  /** The row of another file that had this place, missing or not. */
  readonly here: KnownFile | undefined;
}

/** What directories hold, compared with what the catalogue says they hold. */
export interface Comparison {
  /** The same file; its row may still lack a new role or inode, or be marked missing. */
  readonly same: readonly { row: KnownFile; seen: SeenFile }[];
  /** The same file with other content. */
  readonly rewritten: readonly { row: KnownFile; seen: SeenFile }[];
  readonly arrivals: readonly Arrival[];
  /** Rows not marked missing that have no file at their place any more. */
  readonly absent: readonly KnownFile[];
}

/** What is to be done to the rows so that they say what the directories hold. */
export interface FilePlan {
  /** Rows that stay where they are and get what was seen. */
  readonly update: readonly { row: KnownFile; seen: SeenFile; isNewContent: boolean }[];
  /** Rows that follow their file; `leaves` says that another file took their old place before. */
  readonly move: readonly { row: KnownFile; seen: SeenFile; leaves: boolean }[];
  readonly insert: readonly SeenFile[];
  /** Rows replaced at their place, with what they were, in case that turns up elsewhere. */
  readonly trace: readonly KnownFile[];
  readonly missing: readonly KnownFile[];
}

/** Where a moved file's row was found: a row whose file left its place, or what a row once was. */
export interface MoveSource {
  readonly row: KnownFile;
  /** The row now stands for another file at its place; that file needs a row of its own. */
  readonly isTrace: boolean;
}

/**
 * Compares what some directories hold with their rows. Content is the same when size and
 * modification time are; then the inode may differ, since some file systems number anew at every
 * mount. The same inode with other content is a file that was rewritten in place; but where none
 * was, its inode may be another's by now, which may have been moved here.
 */
export function compare(seen: readonly SeenFile[], known: readonly KnownFile[]): Comparison {
  const byPlace = Map.groupBy(known, placeOf);
  const same: { row: KnownFile; seen: SeenFile }[] = [];
  const rewritten: { row: KnownFile; seen: SeenFile }[] = [];
  const arrivals: Arrival[] = [];
  const met = new Set<string>();
  for (const file of seen) {
    const row = rowAt(byPlace.get(placeOf(file)) ?? [], file);
    if (row !== undefined) met.add(row.id);
    if (row !== undefined && isSameContent(row, file)) same.push({ row, seen: file });
    else if (row?.missingSince === null && row.inode === file.inode)
      rewritten.push({ row, seen: file });
    else arrivals.push({ seen: file, here: row });
  }
  const absent = known.filter((row) => row.missingSince === null && !met.has(row.id));
  return { same, rewritten, arrivals, absent };
}

/** Decides what happens to every row, once it is known which arrivals were moved from where. */
export function planFiles(
  comparison: Comparison,
  moves: ReadonlyMap<SeenFile, MoveSource>,
): FilePlan {
  const taken = new Set([...moves.values()].map((source) => source.row.id));
  const update = [
    ...comparison.same.filter(needsUpdate).map((pair) => ({ ...pair, isNewContent: false })),
    ...comparison.rewritten.map((pair) => ({ ...pair, isNewContent: true })),
  ];
  const move: { row: KnownFile; seen: SeenFile; leaves: boolean }[] = [];
  const insert: SeenFile[] = [];
  const trace: KnownFile[] = [];
  const missing = comparison.absent.filter((row) => !taken.has(row.id));
  for (const { seen, here } of comparison.arrivals) {
    const source = moves.get(seen);
    if (source !== undefined) {
      move.push({ row: source.row, seen, leaves: source.isTrace });
      if (here?.missingSince === null && !taken.has(here.id)) missing.push(here);
    } else if (here === undefined || taken.has(here.id)) {
      insert.push(seen);
    } else {
      if (here.missingSince === null) trace.push(here);
      update.push({ row: here, seen, isNewContent: true });
    }
  }
  return { update, move, insert, trace, missing };
}

/** Whether a row and a file have the same content, as far as stat tells. */
export const isSameContent = (row: KnownFile, file: Fingerprint): boolean =>
  row.sizeBytes === file.sizeBytes && row.mtimeMs === file.mtimeMs;

interface Fingerprint {
  readonly sizeBytes: number;
  readonly mtimeMs: number;
}

const placeOf = (file: SeenFile): string => `${file.directoryId}/${file.name}`;

/** The row that stands at a place: the present one, else the missing one that fits best. */
function rowAt(rows: readonly KnownFile[], file: SeenFile): KnownFile | undefined {
  const present = rows.find((row) => row.missingSince === null);
  if (present !== undefined) return present;
  const missing = rows.toSorted((a, b) => Number(b.missingSince) - Number(a.missingSince));
  return (
    missing.find((row) => isSameContent(row, file)) ??
    missing.find((row) => row.inode === file.inode) ??
    missing[0]
  );
}

function needsUpdate({ row, seen }: { row: KnownFile; seen: SeenFile }): boolean {
  return (
    row.missingSince !== null ||
    row.role !== seen.role ||
    row.inode !== seen.inode ||
    row.device !== seen.device
  );
}
