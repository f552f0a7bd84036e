/** Films that a person makes one, or takes apart. */
import type { Tx } from '#storage/postgres/connect.ts';
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
import { editableFilms } from './edit.ts';
import { enrichedFilms } from './enrich.ts';
import { settle } from './identify.ts';
import { planUnit } from './plan.ts';
import { refreshFilms } from './refresh.ts';
import { forgetFilms } from './remove.ts';
import { buildUnits } from './units.ts';

/** Makes films one. Throws as `joinWorks` does. */
export async function joinFilms(tx: Tx, joining: Joining): Promise<Joined> {
  const joined = await joinWorks(tx, editableFilms, joining);
  const gone = joined.moves.map(({ from }) => from);
  await forgetFilms(tx, gone);
  if (gone.length > 0) await refreshFilms(tx, [joining.into]);
  return joined;
}

/** Makes files of a film one of their own, named by their names. Throws as `splitOff` does. */
export async function splitFilm(
  tx: Tx,
  { id, fileIds, by, nowMs }: Split,
): Promise<{ libraryId: string; newId: string }> {
  const newId = (await newIds(tx, 1))();
  const split = await splitOff(tx, editableFilms, { id, fileIds, newId });
  const { library, directories, title } = split;
  const latestYear = new Date(nowMs).getUTCFullYear() + 2;
  const batch = { library: { ...library, options: {} }, directories, texts: new Map() };
  const shared = new Set(
    directories.filter(({ isWhole }) => !isWhole).map(({ rootId, path }) => `${rootId} ${path}`),
  );
  const plans = buildUnits(batch, []).flatMap((unit) => {
    // In a folder with other films, its name is not theirs.
    const isShared = shared.has(`${unit.rootId} ${unit.owner}`);
    const own = isShared ? { ...unit, owner: '', isPartial: false } : unit;
    return planUnit({ ...own, isPartial: false }, new Map(), { latestYear }).plans;
  });
  const own = plans.map((plan) => withoutIds(plan, split.ids));
  const resolved = own.map((plan) => ({ plan, filmId: newId, isNew: true }));
  await settle(tx, library, { resolved, known: [], loose: [], apart: id });
  // Ids that are the other film's would make the two one record again.
  if (own.some((plan, at) => plan !== plans[at])) await enrichedFilms.lockIds?.(tx, newId);
  await noteSplit(tx, editableFilms, { id, newId, title, by });
  return { libraryId: library.id, newId };
}
