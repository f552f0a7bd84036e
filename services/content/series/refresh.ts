import type { Tx } from '#storage/postgres/connect.ts';
import { matchKnown } from './order.ts';
import { forgetEmpty, type Gone } from './remove.ts';

/**
 * Brings what is derived from files up to date: which episodes there are, whether they can be
 * played and how long they are. An episode whose files are missing stays, unavailable.
 */
export async function refreshSeries(tx: Tx, ids: readonly string[], gone: Gone): Promise<void> {
  if (ids.length === 0) return;
  await forgetEmpty(tx, ids, gone);
  await matchKnown(tx, ids);
  await tx`
    with versions as (
      select l.episode_id, bool_and(f.missing_since is null) as is_present,
        sum(round((f.probe ->> 'durationMs')::numeric)::int8)::int8 as duration_ms
      from episodes e
      join episode_files l on l.episode_id = e.id
      join files f on f.id = l.file_id
      where e.series_id = any (${ids as string[]}::uuid[])
      group by l.episode_id, coalesce(f.facts ->> 'stackId', f.id::text)
    ), derived as (
      select episode_id, bool_or(is_present) as is_available,
        max(duration_ms) filter (where is_present) as duration_ms
      from versions group by episode_id
    )
    update episodes e set is_available = d.is_available,
      duration_ms = coalesce(d.duration_ms, e.duration_ms), updated_at = now()
    from derived d
    where d.episode_id = e.id and (e.is_available, e.duration_ms) is distinct from
      (d.is_available, coalesce(d.duration_ms, e.duration_ms))`;
  await tx`
    update series s set is_available = not s.is_available, revision = s.revision + 1,
      updated_at = now()
    where s.id = any (${ids as string[]}::uuid[]) and s.is_available <>
      exists (select from episodes e where e.series_id = s.id and e.is_available)`;
}
