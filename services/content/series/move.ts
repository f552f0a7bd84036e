/** Episodes that turned out to be others. */
import type { Tx } from '#storage/postgres/connect.ts';
import { inheritChoices } from '../../artwork/inherit.ts';
import { mergeStates } from '../../progress/store.ts';
import type { Move } from '../edit.ts';
import { inheritEpisodeEdits } from './edit.ts';

/** What people did with episodes, and set of them, moves to others. */
export async function moveWork(tx: Tx, moves: readonly Move[]): Promise<void> {
  await mergeStates(tx, 'episode', moves);
  await inheritEpisodeEdits(tx, moves);
  await inheritChoices(tx, 'episode', moves);
}

/**
 * Moves the episodes of a series to another: those that both have (`shared`) are one with the files
 * of both, the others change hands as they are.
 */
export async function moveEpisodes(
  tx: Tx,
  { from, to }: Move,
  shared: readonly Move[],
): Promise<void> {
  await moveWork(tx, shared);
  await tx`
    insert into episode_files (file_id, episode_id, position)
    select l.file_id, m."to", l.position
    from jsonb_to_recordset(${tx.json(shared as never)}) as m ("from" uuid, "to" uuid)
    join episode_files l on l.episode_id = m."from"
    on conflict (file_id, episode_id) do nothing`;
  await tx`
    update seasons s set series_id = ${to} where s.series_id = ${from}
      and not exists (select from seasons t where t.series_id = ${to} and t.number = s.number)`;
  await tx`
    update episodes e set series_id = ${to}, updated_at = now(), season_id = (
      select t.id from seasons s join seasons t on t.number = s.number and t.series_id = ${to}
      where s.id = e.season_id)
    where e.series_id = ${from}
      and not exists (select from episodes t where t.series_id = ${to} and t.key = e.key)`;
}
