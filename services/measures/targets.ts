import type { Queryable } from '#storage/postgres/connect.ts';
import type { Kind } from '../content/module.ts';

/** A file to measure, and where it is. */
export interface Target {
  readonly id: string;
  readonly kind: Kind;
  readonly itemId: string | null;
  readonly root: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  readonly durationMs: number | null;
  /** How often it has taken too long. */
  readonly tries: number;
}

/** Which file: what it was like when it was read. */
export type Version = Pick<Target, 'sizeBytes' | 'mtimeMs'>;

/** The columns of a Target but its tries, from `files f`, `libraries l` and `library_roots r`. */
export const targetColumns = (sql: Queryable) => sql`
  f.id, l.kind, f.item_id as "itemId", r.path as root, f.path, f.size_bytes as "sizeBytes",
  f.mtime_ms as "mtimeMs", (f.probe ->> 'durationMs')::float8 as "durationMs"`;
