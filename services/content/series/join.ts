/** Series that a person makes one, or takes apart. */
import type { Tx } from '#storage/postgres/connect.ts';
import { mergeFurthest } from '../../progress/merge.ts';
import type { Move } from '../edit.ts';
import {
  joinWorks,
  noteSplit,
  splitOff,
  withoutIds,
  type Joined,
  type Joining,
  type Split,
} from '../join.ts';
import { newIds } from '../works.ts';
import { editableSeries, inheritSeasons } from './edit.ts';
import { enrichedSeries } from './enrich.ts';
import { moveWork, settle } from './identify.ts';
import { planUnit } from './plan.ts';
import { refreshSeries } from './refresh.ts';
import { forgetSeries, type Gone } from './remove.ts';
import { buildUnits } from './units.ts';

/** Makes series one, with all their seasons and episodes. Throws as `joinWorks` does. */
export async function joinSeries(tx: Tx, joining: Joining, gone: Gone): Promise<Joined> {
  const joined = await joinWorks(tx, editableSeries, joining);
  for (const move of joined.moves) await moveEpisodes(tx, move);
  const left = joined.moves.map(({ from }) => from);
  await forgetSeries(tx, left, gone);
  if (left.length > 0) await refreshSeries(tx, [joining.into], gone);
  return joined;
}

/** Episodes that both have are one with the files of both; the others change hands as they are. */
async function moveEpisodes(tx: Tx, move: Move): Promise<void> {
  const { from, to } = move;
  const shared = await inheritSeasons(tx, move);
  await mergeFurthest(tx, 'episode', shared);
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

/** Makes files of a series one of their own, named by their names. Throws as `splitOff` does. */
export async function splitSeries(
  tx: Tx,
  { id, fileIds, userId, nowMs }: Split,
  gone: Gone,
): Promise<{ libraryId: string; newId: string }> {
  const newId = (await newIds(tx, 1))();
  const { library, directories, title, ids } = await splitOff(tx, editableSeries, {
    ...{ id, fileIds, newId },
  });
  const latestYear = new Date(nowMs).getUTCFullYear() + 2;
  const batch = { library: { ...library, options: {} }, directories, texts: new Map() };
  const plans = buildUnits(batch, []).flatMap(
    (unit) => planUnit(unit, new Map(), { kind: 'series', latestYear }).plans,
  );
  const own = plans.map((plan) => withoutIds(plan, ids));
  const resolved = own.map((plan) => ({ plan, seriesId: newId }));
  await settle(tx, library, { resolved, known: [], loose: [], gone });
  // Ids that are the other series' would make the two one record again.
  if (own.some((plan, at) => plan !== plans[at])) await enrichedSeries.lockIds?.(tx, newId);
  await noteSplit(tx, editableSeries, { id, newId, title, userId });
  return { libraryId: library.id, newId };
}
