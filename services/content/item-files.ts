/** Files of works as their pages need them, of all kinds alike. */
import type { Probe, StreamLoudness } from '#storage/media/media.ts';
import type { Queryable } from '#storage/postgres/connect.ts';

/** A file of a work as its page needs it. */
export interface ItemFile {
  readonly id: string;
  readonly name: string;
  readonly role: 'video' | 'subtitle' | 'extra' | 'audio';
  readonly version: string | null;
  readonly part: number | null;
  readonly sizeBytes: number;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly probe: Probe | null;
  readonly probeState: 'none' | 'due' | 'done' | 'failed';
  readonly probeError: string | null;
  /** Null: not measured, or of another file than is there now. */
  readonly loudness: readonly StreamLoudness[] | null;
  readonly isMissing: boolean;
  readonly isAvailable: boolean;
}

/** The files `f` that fulfil a condition, in the order of their paths; at most 1,000. */
export const readItemFiles = async (
  sql: Queryable,
  condition: ReturnType<Queryable>,
): Promise<ItemFile[]> =>
  await sql<ItemFile[]>`
    select f.id, f.name, f.role, f.version, f.part, f.size_bytes as "sizeBytes", f.facts, f.probe,
      f.probe_state as "probeState", f.probe_error as "probeError", m.streams as loudness,
      f.missing_since is not null as "isMissing",
      f.missing_since is null and r.unavailable_since is null as "isAvailable"
    from files f join library_roots r on r.id = f.root_id and r.removed_at is null
    left join file_loudness m on m.file_id = f.id
      and m.size_bytes = f.size_bytes and m.mtime_ms = f.mtime_ms
    where ${condition}
    order by f.path, f.id
    limit 1000`;

/** Of a work's files those to show: what is away only while nothing else could be played. Pure. */
export function shownFiles(files: readonly ItemFile[]): readonly ItemFile[] {
  const hasPresent = files.some(({ role, isMissing }) => role === 'video' && !isMissing);
  return hasPresent ? files.filter(({ isMissing }) => !isMissing) : files;
}
