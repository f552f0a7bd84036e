/** Series that a person makes one, or takes apart. */
import type { Tx } from '#storage/postgres/connect.ts';
import { mergeFurthest } from '../../progress/merge.ts';
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
import { settle } from './identify.ts';
import { moveEpisodes } from './move.ts';
import { planUnit } from './plan.ts';
import { refreshSeries } from './refresh.ts';
import { forgetSeries, type Gone } from './remove.ts';
import { buildUnits } from './units.ts';

/** Makes series one, with all their seasons and episodes. Throws as `joinWorks` does. */
export async function joinSeries(tx: Tx, joining: Joining, gone: Gone): Promise<Joined> {
  const joined = await joinWorks(tx, editableSeries, joining);
  for (const move of joined.moves) {
    const shared = await inheritSeasons(tx, move);
    await mergeFurthest(tx, 'episode', shared);
    await moveEpisodes(tx, move, shared);
  }
  const left = joined.moves.map(({ from }) => from);
  await forgetSeries(tx, left, gone);
  if (left.length > 0) await refreshSeries(tx, [joining.into], gone);
  return joined;
}

/** Makes files of a series one of their own, named by their names. Throws as `splitOff` does. */
export async function splitSeries(
  tx: Tx,
  { id, fileIds, by, nowMs }: Split,
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
  await settle(tx, library, { resolved, known: [], loose: [], gone, apart: id });
  // Ids that are the other series' would make the two one record again.
  if (own.some((plan, at) => plan !== plans[at])) await enrichedSeries.lockIds?.(tx, newId);
  await noteSplit(tx, editableSeries, { id, newId, title, by });
  return { libraryId: library.id, newId };
}
