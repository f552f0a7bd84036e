import type { Tx } from '#storage/postgres/connect.ts';
import { readSequence } from '#storage/postgres/copy-catalog.ts';
import { record } from '../activity/record.ts';
import { createAdder } from '../jobs/enqueue.ts';
import { scheduleKey } from '../jobs/cron.ts';
import { keepIndex } from '../search/upkeep.ts';
import { BackupError } from './errors.ts';
import type { Manifest } from './manifest.ts';

/** Folders that are elsewhere on the machines that are restored to. */
export interface PathMapping {
  /** Absolute, in the encoding of paths in the database. */
  readonly from: string;
  readonly to: string;
}

export interface SettleOptions {
  readonly manifest: Manifest;
  readonly mappings: readonly PathMapping[];
  /** Everybody has to sign in again. */
  readonly isSigningOut: boolean;
}

/** Makes restored content fit the present: part of the restore's transaction, at its end. */
export async function settleContent(tx: Tx, options: SettleOptions): Promise<void> {
  const { manifest, mappings, isSigningOut } = options;
  await moveFolders(tx, mappings);
  if (isSigningOut) await tx`delete from shared.sessions`;
  // Whoever ran it runs it no more. That try does not count.
  await tx`
    update shared.jobs set state = 'waiting', attempt = greatest(attempt - 1, 0), node_id = null,
      worker_id = null, started_at = null, cancel_requested = false, progress_done = null,
      progress_total = null, progress_note = null
    where state = 'running'`;
  // The search index was not in the backup: this finds it empty, and fills it.
  await createAdder().add(tx, keepIndex, {}, { key: scheduleKey });
  await record(tx, {
    action: 'backup.restored',
    details: { madeAt: manifest.madeAt, clusterId: manifest.cluster.id },
  });
}

/** @throws BackupError `refused` for a mapping that fits no folder, and for two folders in one place */
async function moveFolders(tx: Tx, mappings: readonly PathMapping[]): Promise<void> {
  const roots = await tx<{ id: string; path: string }[]>`
    select id, path from library_roots order by id`;
  const used = new Set<PathMapping>();
  for (const { id, path } of roots) {
    const mapping = longest(mappings, path);
    if (mapping === undefined) continue;
    used.add(mapping);
    const rest = path.slice(mapping.from.length);
    await tx`update library_roots set path = ${joined(mapping.to, rest)} where id = ${id}`;
  }
  const unused = mappings.find((mapping) => !used.has(mapping));
  if (unused === undefined) return;
  const there = roots.map(({ path }) => path).join(', ') || 'none';
  throw new BackupError(
    'refused',
    `no library of the backup lies in ${unused.from}; its folders are: ${there}`,
  );
}

const joined = (folder: string, rest: string) =>
  folder === '/' && rest.startsWith('/') ? rest : `${folder}${rest}` || '/';

/** The mapping of the innermost folder that holds a path. Pure. */
export function longest(mappings: readonly PathMapping[], path: string): PathMapping | undefined {
  return mappings
    .filter(({ from }) => path === from || path.startsWith(from === '/' ? '/' : `${from}/`))
    .sort((a, b) => b.from.length - a.from.length)[0];
}

/**
 * Begins a new epoch of the clock: what any cache was given before is older than that, and who led
 * before may write no more. Sequences know no rollback, but this one only ever grows.
 */
export async function beginEpoch(
  tx: Tx,
  { atLeast, clusterId }: { atLeast: number; clusterId: string | undefined },
): Promise<void> {
  const { value } = await readSequence(tx, 'shared.clock_epoch');
  const [owner] = await tx<{ epoch: number }[]>`
    select coalesce(max(epoch), 0) as epoch from shared.cluster`;
  const epoch = Math.max(Number(value), atLeast, owner!.epoch) + 1;
  await tx`select setval('shared.clock_epoch', ${epoch})`;
  await tx`
    update shared.leadership set epoch = ${epoch}, term = 0, node_id = '', since = now()`;
  const known = await tx`update shared.cluster set epoch = ${epoch}`;
  if (known.count > 0 || clusterId === undefined) return;
  await tx`insert into shared.cluster (cluster_id, epoch) values (${clusterId}, ${epoch})`;
}
