import type { Probe } from '#storage/media/media.ts';
import type { Queryable, Tx } from '#storage/postgres/connect.ts';

/** A file to probe, and where it is. */
export interface ProbeTarget {
  readonly id: string;
  readonly rootPath: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
}

/** Those of the files given that are (still) to be probed and can be reached. */
export async function probeTargets(
  sql: Queryable,
  fileIds: readonly string[],
): Promise<ProbeTarget[]> {
  return sql<ProbeTarget[]>`
    select f.id, r.path as "rootPath", f.path, f.size_bytes as "sizeBytes",
      f.mtime_ms as "mtimeMs"
    from files f join library_roots r on r.id = f.root_id
    where f.id = any (${fileIds}::uuid[]) and f.probe_state = 'due' and f.missing_since is null
      and r.removed_at is null and r.unavailable_since is null
    order by f.id`;
}

/** What probing a file told: its content, or why it has none. */
export interface ProbeResult {
  readonly target: ProbeTarget;
  readonly probe: Probe | undefined;
  readonly error: string | undefined;
  readonly oshash: string | undefined;
}

/** Records results, unless the file has changed since; resolves to the works concerned. */
export async function saveProbes(tx: Tx, results: readonly ProbeResult[]): Promise<string[]> {
  const records = results.map(({ target, probe, error, oshash }) => ({
    id: target.id,
    size_bytes: target.sizeBytes,
    mtime_ms: target.mtimeMs,
    probe: probe ?? null,
    error: error ?? null,
    oshash: oshash ?? null,
  }));
  const rows = await tx<{ itemId: string | null }[]>`
    update files f set
      probe = r.probe, probe_error = r.error, oshash = coalesce(r.oshash, f.oshash),
      probe_state = case when r.error is null then 'done' else 'failed' end, updated_at = now()
    from jsonb_to_recordset(${tx.json(records as never)}) as r (id uuid, size_bytes bigint,
      mtime_ms double precision, probe jsonb, error text, oshash text)
    where f.id = r.id and f.size_bytes = r.size_bytes and f.mtime_ms = r.mtime_ms
      and f.probe_state = 'due'
    returning f.item_id as "itemId"`;
  return [...new Set(rows.flatMap(({ itemId }) => itemId ?? []))];
}
