import type { Tx } from '#storage/postgres/connect.ts';
import { idEntries } from '../../naming/ids.ts';
import { saveFiles, sideDecision, versionDecisions, type FileDecision } from '../files.ts';
import type { Identified, IdentifyBatch } from '../module.ts';
import type { LyingFile, PlacedFile } from '../placed.ts';
import { noteChanges, scanChangesOf } from '../history.ts';
import { mapInTurns } from '../map-in-turns.ts';
import { heirsOf, inheritFiles, mergeWorks } from '../merge.ts';
import { followPins, loadPins } from '../pins.ts';
import { lockLibrary, newIds, saveExternalIds, withoutFiles, withoutVideos } from '../works.ts';
import { saveCast } from './cast.ts';
import { editableSeries, inheritSeasons } from './edit.ts';
import { applyPlan, fieldNames, type SeriesRow } from './fields.ts';
import * as store from './identify-store.ts';
import { moveEpisodes, moveWork } from './move.ts';
import { pinnedPlans } from './pinned.ts';
import { planUnit, type GroupPlan, type SeriesPlan } from './plan.ts';
import { refreshSeries } from './refresh.ts';
import { forgetSeries, type Gone } from './remove.ts';
import { bestPlan, resolve, titleOf, type Resolution } from './resolve.ts';
import { works } from './series.ts';
import { buildUnits, foldersOf } from './units.ts';

/** The series a scan's batch holds, with their episodes, as names and NFO files tell them. */
export async function identify(
  tx: Tx,
  batch: IdentifyBatch,
  options: { readonly now: () => number; readonly gone: Gone },
): Promise<Identified> {
  const { library } = batch;
  await lockLibrary(tx, 'series', library.id);
  const context = await store.loadBelow(tx, foldersOf(batch));
  const latestYear = new Date(options.now()).getUTCFullYear() + 2;
  const naming = { kind: 'series' as const, latestYear };
  const planned = await mapInTurns(buildUnits(batch, context), (unit) =>
    planUnit(unit, batch.texts, naming),
  );
  const named = planned.flatMap((unit) => unit.plans);
  const files = named.flatMap((plan) => [...videosOf(plan), ...plan.around]);
  const pins = await loadPins(tx, works, { libraryId: library.id, files });
  const plans = named.flatMap((plan) => pinnedPlans(plan, pins, naming));
  await followPins(
    tx,
    pins,
    plans.map((plan) => ({ pin: plan.pin, videos: videosOf(plan) })),
  );
  const known = await loadKnown(tx, library.id, { plans, context });
  const { resolved, lost } = resolve(plans, known, await newIds(tx, plans.length));
  const loose = [
    ...planned.flatMap((unit) => unit.loose),
    ...lost.flatMap(({ sides }) => sides.map(({ file }) => file)),
  ];
  return settle(tx, library, { resolved, known, loose, gone: options.gone });
}

/** What was found in a library, ready to be kept. */
export interface Findings {
  readonly resolved: readonly Resolution[];
  readonly known: readonly store.KnownRow[];
  /** Files of no series. */
  readonly loose: readonly PlacedFile[];
  readonly gone: Gone;
  /** What a person took some of them out of: that is no other series, whatever is left of it. */
  readonly apart?: string;
}

/** Writes series as they were found, and gives them their files and episodes. */
export async function settle(
  tx: Tx,
  library: Pick<IdentifyBatch['library'], 'id' | 'language'>,
  { resolved, known, loose, gone, apart }: Findings,
): Promise<Identified> {
  const telling = resolved.filter(({ plan }) => plan.keepsRow !== true);
  const { rows, added, updated } = decideRows(telling, known, library.language);
  await store.saveSeries(tx, library.id, rows);
  await noteChanges(tx, 'series', scanChangesOf(rows, known, fieldNames));
  await saveIds(tx, telling, known);
  const recast = await saveCast(tx, telling, known);
  const saved = new Set(rows.map(({ id }) => id));
  await store.touchSeries(
    tx,
    recast.filter((id) => !saved.has(id)),
  );
  const moved = await saveFiles(tx, decideFiles(resolved, loose));
  const told = await saveEpisodes(tx, resolved);
  const touched = [...new Set([...moved, ...told])];
  const others = touched.filter((id) => id !== apart);
  await settleOrphans(tx, { touched: others, resolved, gone });
  await refreshSeries(tx, touched, gone);
  const isNew = new Set(added);
  // Series that are gone count as updated: whoever looks them up anew finds them gone.
  const changed = [...new Set([...updated, ...recast, ...touched])].filter((id) => !isNew.has(id));
  return { added, updated: changed };
}

/** Ids that a person set are not a name's to say. */
async function saveIds(
  tx: Tx,
  resolved: readonly Resolution[],
  known: readonly store.KnownRow[],
): Promise<void> {
  const locked = known.filter(({ lockedFields }) => lockedFields.includes('ids'));
  const theirs = new Set(locked.map(({ id }) => id));
  const open = resolved.filter(({ seriesId }) => !theirs.has(seriesId));
  await saveExternalIds(
    tx,
    'series',
    open.map(({ plan, seriesId }) => ({ itemId: seriesId, ids: plan.ids })),
  );
}

/**
 * A series whose last video that is there now belongs to another is that other one: what people did
 * moves over, with what is missing of it.
 */
async function settleOrphans(
  tx: Tx,
  {
    touched,
    resolved,
    gone,
  }: { touched: readonly string[]; resolved: readonly Resolution[]; gone: Gone },
): Promise<void> {
  const orphans = await withoutVideos(tx, touched);
  if (orphans.length === 0) return;
  const taken = resolved.flatMap(({ plan, seriesId }) =>
    plan.itemIds.map((id) => [id, seriesId] as const),
  );
  const moves = heirsOf(orphans, taken);
  await inheritFiles(tx, moves);
  await mergeWorks(tx, editableSeries, moves);
  for (const move of moves) await moveEpisodes(tx, move, await inheritSeasons(tx, move));
  await forgetSeries(tx, await withoutFiles(tx, works, orphans), gone);
}

const videosOf = ({ groups }: SeriesPlan): PlacedFile[] =>
  groups.flatMap(({ group }) => group.versions.flatMap(({ parts }) => parts));

function loadKnown(
  tx: Tx,
  libraryId: string,
  { plans, context }: { plans: readonly SeriesPlan[]; context: readonly LyingFile[] },
): Promise<store.KnownRow[]> {
  return store.loadKnown(tx, libraryId, {
    itemIds: [
      ...new Set(plans.flatMap(({ itemIds, pin }) => (pin ? [...itemIds, pin.itemId] : itemIds))),
    ],
    ids: plans.flatMap((plan) => idEntries(plan.ids)),
    titles: [...new Set(plans.map(({ identity }) => titleOf(identity)))],
    // A folder that is renamed may be too much for one batch: the rest of it is no other place.
    videoIds: [...plans.flatMap(videosOf), ...context].map(({ id }) => id),
  });
}

/** One row per series that changes: what its best evidence of this batch makes of it. */
function decideRows(
  resolved: readonly Resolution[],
  known: readonly store.KnownRow[],
  language: string,
): { rows: SeriesRow[]; added: string[]; updated: string[] } {
  const before = new Map(known.map((row) => [row.id, row]));
  const rows: SeriesRow[] = [];
  const added: string[] = [];
  const updated: string[] = [];
  for (const [id, found] of Map.groupBy(resolved, ({ seriesId }) => seriesId)) {
    const row = before.get(id);
    const next = applyPlan(row, bestPlan(found), { id, language });
    if (next === undefined) continue;
    rows.push(next);
    (row === undefined ? added : updated).push(id);
  }
  return { rows, added, updated };
}

function decideFiles(
  resolved: readonly Resolution[],
  loose: readonly PlacedFile[],
): FileDecision[] {
  return [
    ...resolved.flatMap(({ plan, seriesId }) => [
      ...plan.groups.flatMap((one) => groupFiles(one, seriesId)),
      ...plan.sides.map(({ file, facts }) => sideDecision(file, seriesId, facts)),
    ]),
    ...loose.map((file) => sideDecision(file, null)),
  ];
}

/** Versions of one episode are told apart by what their names say of picture and source. */
function groupFiles({ group }: GroupPlan, itemId: string): FileDecision[] {
  const isOne = group.versions.length === 1;
  return group.versions.flatMap(({ reading, parts }) => {
    const { edition, release } = reading.best;
    const label = [edition, release.resolution, release.source].filter(Boolean).join(' ');
    const version = isOne || label === '' ? null : label;
    return versionDecisions({ itemId, version, parts, facts: { ...release, edition } });
  });
}

/** Episodes, and which files hold them; what people did moves with a file that is renumbered. */
async function saveEpisodes(tx: Tx, resolved: readonly Resolution[]): Promise<string[]> {
  const rows = new Map<string, store.EpisodeRow>();
  const links: store.Link[] = [];
  for (const { plan, seriesId } of resolved) {
    for (const { episodes, group } of plan.groups) {
      const files = group.versions.flatMap(({ parts }) => parts);
      for (const [position, episode] of episodes.entries()) {
        const { key } = episode;
        const id = `${seriesId} ${key}`;
        const before = rows.get(id);
        rows.set(id, before === undefined ? { ...episode, seriesId } : joined(before, episode));
        links.push(...files.map((file) => ({ fileId: file.id, seriesId, key, position })));
      }
    }
  }
  const fileIds = resolved.flatMap(({ plan }) => videosOf(plan)).map(({ id }) => id);
  const told = await store.saveEpisodes(tx, [...rows.values()]);
  const before = await store.linksOf(tx, fileIds);
  const unique = new Map(
    links.map((link) => [`${link.fileId} ${link.seriesId} ${link.key}`, link]),
  );
  const relinked = await store.saveLinks(tx, fileIds, [...unique.values()]);
  await moveStates(tx, before, fileIds);
  return [...told, ...relinked];
}

const joined = (
  before: store.EpisodeRow,
  { title, overview, airDate }: GroupPlan['episodes'][number],
): store.EpisodeRow => ({
  ...before,
  title: before.title ?? title,
  overview: before.overview ?? overview,
  airDate: before.airDate ?? airDate,
});

async function moveStates(
  tx: Tx,
  before: readonly store.Relinked[],
  fileIds: readonly string[],
): Promise<void> {
  const after = new Map((await store.linksOf(tx, fileIds)).map((one) => [one.fileId, one]));
  const moves = new Map<string, string>();
  for (const { fileId, episodeIds } of before) {
    const now = after.get(fileId)?.episodeIds ?? [];
    if (now.length !== episodeIds.length) continue;
    for (const [at, from] of episodeIds.entries()) {
      const to = now[at] ?? from;
      if (from !== to) moves.set(from, to);
    }
  }
  const orphans = await store.withoutLinks(tx, [...moves.keys()]);
  const renumbered = orphans.map((from) => ({ from, to: moves.get(from) ?? from }));
  await moveWork(tx, renumbered);
}
