/**
 * Which tables LevelDB's manifest says are in use: a log of version edits, each adding and removing
 * files (LevelDB's doc/impl.md, db/version_edit.cc). Others are left from a compaction that was cut
 * off, and may be half written.
 */
import { createCursor, readNumber, skip, type Cursor } from './cursor.ts';
import { recordsOf } from './wal.ts';

const tags = {
  comparator: 1,
  logNumber: 2,
  nextFile: 3,
  lastSequence: 4,
  compactPointer: 5,
  deletedFile: 6,
  newFile: 7,
  previousLog: 9,
} as const;

/** The numbers of the tables in use. Of an edit that cannot be read LevelDB will speak itself. */
export function tablesOf(manifest: Buffer): ReadonlySet<number> {
  const tables = new Set<number>();
  try {
    for (const edit of recordsOf(manifest)) applyEdit(createCursor(edit), tables);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return tables;
}

function applyEdit(cursor: Cursor, tables: Set<number>): void {
  while (cursor.at < cursor.bytes.length) {
    switch (readNumber(cursor)) {
      case tags.comparator:
        skip(cursor, readNumber(cursor));
        break;
      case tags.logNumber:
      case tags.nextFile:
      case tags.lastSequence:
      case tags.previousLog:
        readNumber(cursor);
        break;
      case tags.compactPointer:
        readNumber(cursor); // its level
        skip(cursor, readNumber(cursor));
        break;
      case tags.deletedFile:
        readNumber(cursor); // its level
        tables.delete(readNumber(cursor));
        break;
      case tags.newFile:
        addFile(cursor, tables);
        break;
      default:
        throw new RangeError('an edit that is not known here');
    }
  }
}

function addFile(cursor: Cursor, tables: Set<number>): void {
  readNumber(cursor); // its level
  tables.add(readNumber(cursor));
  readNumber(cursor); // its size
  skip(cursor, readNumber(cursor)); // its smallest key
  skip(cursor, readNumber(cursor)); // its largest
}
