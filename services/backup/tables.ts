/**
 * What becomes of each table in a backup and in a restore. Who adds a table says it here: a test
 * compares this list with the database.
 *
 * - `content`: is in the backup, and replaced by a restore. `where` (SQL) leaves rows out.
 * - `derived`: is made again from the rest; emptied by a restore.
 * - `passing`: says something of the moment only; emptied by a restore.
 * - `own`: belongs to the cluster that uses the database and not to its content; a restore leaves
 *   it alone.
 */
export type TableFate =
  | { readonly fate: 'content'; readonly where?: string; readonly isMadeByItself?: true }
  | { readonly fate: 'derived' | 'passing' | 'own' };

const content = { fate: 'content' } as const;
/** Content that is there before anybody has done anything: it makes no database a used one. */
const initial = { fate: 'content', isMadeByItself: true } as const;
const derived = { fate: 'derived' } as const;
const passing = { fate: 'passing' } as const;
const own = { fate: 'own' } as const;

/** The job that makes backups: it does not back itself up. */
export const backupJobName = 'backup.make';

/**
 * What waits is the only memory of what has yet to be done for the catalogue, and what is dead
 * waits for an operator; what ran begins anew. Recurring jobs come by themselves, what is over is
 * history.
 */
const unfinished =
  `state in ('waiting', 'running', 'dead') and key is distinct from 'cron' ` +
  `and name <> '${backupJobName}'`;

export const tables: Readonly<Record<string, TableFate>> = {
  'public.libraries': content,
  'public.library_roots': content,
  'public.library_scans': content,
  'public.directories': content,
  'public.library_arrivals': content,
  'public.library_watches': passing,
  'public.root_views': passing,
  'public.files': content,
  'public.file_traces': content,
  'public.file_pins': content,
  // Read again from the files, of which it is 2 kB for each; loudness would take weeks.
  'public.file_keyframes': derived,
  'public.file_loudness': content,
  'public.nfo_states': derived,
  'public.nfo_libraries': derived,
  'public.nfo_files': content,
  'public.movies': content,
  'public.series': content,
  'public.seasons': content,
  'public.episodes': content,
  'public.episode_files': content,
  'public.known_episodes': content,
  'public.known_seasons': content,
  'public.known_orders': content,
  'public.external_ids': content,
  'public.ratings': content,
  'public.people': content,
  'public.credits': content,
  'public.images': content,
  'public.image_offers': content,
  'public.image_uploads': content,
  'public.metadata_states': content,
  'public.arr_works': content,
  'public.arr_rivals': content,
  'public.work_changes': content,
  'public.user_items': content,

  'shared.users': content,
  'shared.sessions': content,
  'shared.refresh_tokens': content,
  'shared.api_keys': content,
  'shared.address_epochs': content,
  'shared.settings': content,
  'shared.activity': content,
  'shared.setup': initial,
  // Signed addresses and tokens of the restored users are proven by these.
  'shared.secrets': initial,
  'shared.jobs': { ...initial, where: unfinished },
  'shared.job_queues': content,

  'shared.search_documents': derived,
  'shared.search_words': derived,
  'shared.search_pending': derived,
  'shared.search_engines': derived,

  'shared.job_workers': passing,
  'shared.job_schedules': passing,
  'shared.invalidation_outbox': passing,
  'shared.idempotency_keys': passing,

  'shared.schema_migrations': own,
  'shared.cluster': own,
  'shared.leadership': own,
  'shared.cluster_nodes': own,
  'shared.gathering': own,
  'shared.invitation': own,
};

/**
 * Sequences that no column draws from: `own` ones only ever grow. Those of a column share their
 * table's fate.
 */
export const sequences: Readonly<Record<string, 'content' | 'own'>> = {
  'shared.clock_epoch': 'own',
  'shared.search_generation': 'own',
};

/** The fate of a sequence; undefined where nobody has said it. */
export function fateOfSequence(name: string, table: string | null): TableFate['fate'] | undefined {
  return table === null ? sequences[name] : tables[table]?.fate;
}
