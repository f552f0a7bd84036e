/** Keeps NFO files beside the media of libraries that ask for it (`writeNfo`). */
import { createHash } from 'node:crypto';
import { MediaError, type Media } from '#storage/media/media.ts';
import type { Sql } from '#storage/postgres/connect.ts';
import { defineJob, on, type JobContext, type JobHandler } from '../jobs/job.ts';
import { safeMessage } from '../jobs/failure.ts';
import { isOurs, marked } from '../nfo/mark.ts';
import type { Kind } from './module.ts';
import { nfoTargets, otherNfos, type NfoTarget } from './nfo-targets.ts';

/** What writing needs. */
export interface NfoDeps {
  readonly sql: Sql;
  readonly media: Pick<Media, 'read' | 'put'>;
  readonly log: { readonly warn: (message: string, facts: object) => void };
}

/** Writes what has changed. */
export const nfoJob = defineJob<object>('nfo.write', {
  queue: 'metadata',
  attempts: 1,
  timeoutMs: 30 * 60_000,
  priority: 'low',
  cron: '* * * * *',
});

const batchSize = 1_000;
const maxBytes = 1024 * 1024;
const retryMs = 15 * 60_000;
const readOnlyMs = 24 * 3_600_000;

/** A work that says something else than its NFO files. */
interface Due {
  readonly kind: Kind;
  readonly id: string;
  /** The state of the work that is to be told. */
  readonly version: string;
}

/** What became of a work's files. */
interface Outcome {
  readonly problem: string | null;
  readonly nextMs: number;
}
const done: Outcome = { problem: null, nextMs: 0 };

/** Makes the job that writes. */
export function createNfoWriting(deps: NfoDeps): { readonly jobs: readonly JobHandler[] } {
  // Of each root it is said once by a node, however many works it has.
  const told = new Set<string>();
  return { jobs: [on(nfoJob, (_payload, context) => writeDue(deps, told, context))] };
}

async function writeDue(
  deps: NfoDeps,
  told: Set<string>,
  { signal }: Pick<JobContext, 'signal'>,
): Promise<void> {
  for (;;) {
    const due = await dueWorks(deps.sql);
    if (due.length === 0) return;
    for (const work of due) {
      signal.throwIfAborted();
      await saveState(deps.sql, work, await writeWork({ deps, told, signal }, work));
    }
  }
}

/** Works that changed since they were written, of libraries that ask for it. */
const dueWorks = (sql: Sql): Promise<Due[]> => sql<Due[]>`
  with due as (
    select 'movie' as kind, m.id, concat_ws('|', m.revision, s.checked_at) as version
    from libraries l join movies m on m.library_id = l.id and m.is_available
    left join metadata_states s on s.kind = 'movie' and s.item_id = m.id
    where l.options @> '{"writeNfo": true}'
    union all
    select 'series', w.id, concat_ws('|', w.revision, s.checked_at, (
      select max(e.updated_at)::text || count(*) from episodes e where e.series_id = w.id))
    from libraries l join series w on w.library_id = l.id and w.is_available
    left join metadata_states s on s.kind = 'series' and s.item_id = w.id
    where l.options @> '{"writeNfo": true}'
  )
  select d.kind, d.id, d.version
  from due d left join nfo_states n on n.kind = d.kind and n.item_id = d.id
  where n.item_id is null
    or (n.next_at <= now() and (n.version <> d.version or n.problem is not null))
  order by d.kind, d.id limit ${batchSize}`;

async function saveState(sql: Sql, { kind, id, version }: Due, outcome: Outcome): Promise<void> {
  const { problem, nextMs } = outcome;
  await sql`
    insert into nfo_states (kind, item_id, version, problem, next_at)
    values (${kind}, ${id}, ${version}, ${problem}, now() + ${nextMs} * interval '1 ms')
    on conflict (kind, item_id) do update set version = excluded.version,
      problem = excluded.problem, next_at = excluded.next_at`;
}

interface Within {
  readonly deps: NfoDeps;
  readonly told: Set<string>;
  readonly signal: AbortSignal;
}

async function writeWork(within: Within, { kind, id }: Due): Promise<Outcome> {
  const { deps, signal } = within;
  try {
    const targets = await nfoTargets[kind](deps.sql, id);
    if (kind === 'movie' && (await isTold(within, id, targets))) return done;
    for (const target of targets) {
      if ((await writeOne(within, target)) === 'read-only') {
        sayReadOnly(within, target.root);
        return { problem: 'nothing may be written there', nextMs: readOnlyMs };
      }
    }
    return done;
  } catch (error) {
    if (signal.aborted || !(error instanceof MediaError)) throw error;
    return { problem: safeMessage(error), nextMs: error.retryAfterMs ?? retryMs };
  }
}

/** Whether somebody else tells of a film in a file of another name: it would be told twice. */
async function isTold(
  { deps, signal }: Within,
  id: string,
  targets: readonly NfoTarget[],
): Promise<boolean> {
  const paths = targets.map(({ path }) => path);
  for (const { root, path } of await otherNfos(deps.sql, id, paths)) {
    const bytes = await readAt({ deps, signal }, { root, path });
    if (bytes !== undefined && (bytes === 'foreign' || !isOurs(bytes))) return true;
  }
  return false;
}

async function writeOne({ deps, signal }: Within, target: NfoTarget) {
  const { root, path, text } = target;
  const before = await readAt({ deps, signal }, target);
  if (before === 'foreign' || (before !== undefined && !isOurs(before))) return 'kept';
  const over = before && createHash('sha256').update(before).digest('hex');
  const bytes = new TextEncoder().encode(marked(text));
  return deps.media.put(root, path, { bytes, over, signal });
}

/** What is there; `foreign`: something that no NFO of ours is. */
async function readAt(
  { deps, signal }: Pick<Within, 'deps' | 'signal'>,
  { root, path }: { readonly root: string; readonly path: string },
): Promise<Uint8Array | 'foreign' | undefined> {
  try {
    return await deps.media.read(root, path, { maxBytes, signal });
  } catch (error) {
    const code = error instanceof MediaError ? error.code : undefined;
    if (code === 'not-found') return undefined;
    if (code === 'too-large' || code === 'forbidden' || code === 'unreadable') return 'foreign';
    throw error;
  }
}

function sayReadOnly({ deps, told }: Within, root: string): void {
  if (told.has(root)) return;
  told.add(root);
  deps.log.warn('NFO files are asked for, but nothing may be written there', { root });
}
