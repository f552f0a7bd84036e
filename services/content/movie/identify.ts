import { createHash } from 'node:crypto';
import type { Tx } from '#storage/postgres/connect.ts';
import { idEntries } from '../../naming/ids.ts';
import { creditsTold } from '../../nfo/people.ts';
import { replaceCredits } from '../../people/index.ts';
import { saveFiles, sideDecision, versionDecisions, type FileDecision } from '../files.ts';
import type { Identified, IdentifyBatch } from '../module.ts';
import type { PlacedFile } from '../placed.ts';
import { noteChanges, scanChangesOf } from '../history.ts';
import { mapInTurns } from '../map-in-turns.ts';
import { heirsOf, inheritFiles, mergeWorks } from '../merge.ts';
import { followPins, loadPins } from '../pins.ts';
import { lockLibrary, newIds, saveExternalIds, withoutVideos } from '../works.ts';
import { derive, type Derived, type FileFacts } from './derive.ts';
import { editableFilms } from './edit.ts';
import {
  applyPlan,
  emptyRow,
  fieldNames,
  outranks,
  matchOf,
  type FilmRow,
  type Match,
} from './fields.ts';
import * as store from './identify-store.ts';
import { works } from './movie.ts';
import type { NfoFilm } from './nfo.ts';
import { pinnedPlans } from './pinned.ts';
import { planUnit, type Plan, type Texts, type Version } from './plan.ts';
import { forgetFilms } from './remove.ts';
import { refreshFilms } from './refresh.ts';
import { resolve, type Resolution } from './resolve.ts';
import { buildUnits, wantedDirectories } from './units.ts';

/** The films a scan's batch holds, and everything about them that names and NFO files tell. */
export async function identify(
  tx: Tx,
  batch: IdentifyBatch,
  options: { readonly now: () => number },
): Promise<Identified> {
  const { library } = batch;
  const texts = digestTexts(batch.texts);
  await lockLibrary(tx, 'movie', library.id);
  const context = await store.loadContext(tx, wantedDirectories(batch));
  const latestYear = new Date(options.now()).getUTCFullYear() + 2;
  const planned = await mapInTurns(buildUnits(batch, context), (unit) =>
    planUnit(unit, texts, { latestYear }),
  );
  const named = planned.flatMap((unit) => unit.plans);
  const files = named.flatMap(({ videos }) => videos);
  const pins = await loadPins(tx, works, { libraryId: library.id, files });
  const plans = named.flatMap((plan) => pinnedPlans(plan, pins, { latestYear }));
  await followPins(tx, pins, plans);
  const known = await loadKnown(tx, library.id, plans);
  const resolved = resolve(plans, known, await newIds(tx, plans.length));
  const loose = planned.flatMap((unit) => unit.loose);
  return settle(tx, library, { resolved, known, loose });
}

/** What was found in a library, ready to be kept. */
export interface Findings {
  readonly resolved: readonly Resolution[];
  readonly known: readonly store.KnownRow[];
  /** Files of no film. */
  readonly loose: readonly PlacedFile[];
  /** What a person took some of them out of: that is no other film, whatever is left of it. */
  readonly apart?: string;
}

/** Writes films as they were found, and gives them their files. */
export async function settle(
  tx: Tx,
  library: Pick<IdentifyBatch['library'], 'id' | 'language'>,
  { resolved, known, loose, apart }: Findings,
): Promise<Identified> {
  const telling = resolved.filter(({ plan }) => plan.keepsRow !== true);
  const { rows, added, updated } = decideRows(telling, known, library.language);
  const seen = atFirstSight(resolved);
  const found = rows.map((row) => ({ ...row, ...seen.get(row.id) }));
  await store.saveFilms(tx, library.id, found);
  await noteChanges(tx, 'movie', scanChangesOf(rows, known, fieldNames));
  await saveFindings(tx, telling, known);
  const touched = await saveFiles(tx, decideFiles(resolved, loose));
  const others = touched.filter((id) => id !== apart);
  const removed = await settleOrphans(tx, others, resolved);
  const gone = new Set(removed);
  const alive = touched.filter((id) => !gone.has(id));
  await refreshFilms(tx, alive);
  const isNew = new Set(added);
  // Films that were merged away count as updated: whoever looks them up anew finds them gone.
  return {
    added,
    updated: [...new Set([...updated, ...touched])].filter((id) => !isNew.has(id)),
  };
}

function digestTexts(texts: ReadonlyMap<string, Uint8Array>): Texts {
  return new Map(
    [...texts].map(([id, bytes]) => [
      id,
      { bytes, digest: createHash('sha1').update(bytes).digest('base64url') },
    ]),
  );
}

function loadKnown(tx: Tx, libraryId: string, plans: readonly Plan[]): Promise<store.KnownRow[]> {
  const videos = plans.flatMap((plan) => plan.videos);
  const pinned = plans.flatMap(({ pin, replaces }) => [pin?.itemId ?? [], replaces ?? []].flat());
  const itemIds = [...videos.flatMap(({ itemId }) => itemId ?? []), ...pinned];
  return store.loadKnown(tx, libraryId, {
    itemIds: [...new Set(itemIds)],
    ids: plans.flatMap((plan) => idEntries(plan.ids)),
    identities: [...new Set(plans.map(({ identity }) => identity))],
    videoIds: videos.map(({ id }) => id),
  });
}

/** One row per film that changes: what its best evidence of this batch makes of it. */
function decideRows(
  resolved: readonly Resolution[],
  known: readonly store.KnownRow[],
  language: string,
): { rows: FilmRow[]; added: string[]; updated: string[] } {
  const before = new Map(known.map((row) => [row.id, row]));
  const rows: FilmRow[] = [];
  const added: string[] = [];
  const updated: string[] = [];
  for (const [filmId, found] of Map.groupBy(resolved, (one) => one.filmId)) {
    const row = before.get(filmId);
    const plan = best(found.map((one) => one.plan));
    if (row !== undefined && !mayChange(row, plan)) continue;
    const next = applyPlan(row ?? emptyRow(filmId), plan, language);
    if (next === undefined) continue;
    rows.push(next);
    (row === undefined ? added : updated).push(filmId);
  }
  return { rows, added, updated };
}

/** What lists want to know of new films as their files' names tell it: so each is written once. */
function atFirstSight(resolved: readonly Resolution[]): Map<string, Derived> {
  const added = resolved.filter(({ isNew }) => isNew);
  return new Map(
    [...Map.groupBy(added, ({ filmId }) => filmId)].map(([filmId, found]) => [
      filmId,
      derive(found.flatMap(({ plan }) => plan.group.versions.flatMap(unprobed))),
    ]),
  );
}

function unprobed({ parts, auxiliary, release }: Version): FileFacts[] {
  const nameResolution = release.resolution ?? null;
  const unknown = { stackId: null, durationMs: null, streams: null, nameResolution };
  return [
    ...parts.map(({ id, sizeBytes }) => ({ ...unknown, id, sizeBytes, isAuxiliary: false })),
    ...auxiliary.map(({ id, sizeBytes }) => ({ ...unknown, id, sizeBytes, isAuxiliary: true })),
  ];
}

const best = (plans: readonly Plan[]): Plan =>
  plans.reduce((a, b) => (outranks(matchOf(b), matchOf(a)) ? b : a));

/** Evidence in one folder must not undo better evidence that still stands in another. */
function mayChange(row: store.KnownRow, plan: Plan): boolean {
  if (plan.isPartial) return false;
  const match = row.match as Partial<Match>;
  if (row.others === 0 || match.path === undefined || match.path === plan.path) return true;
  return outranks(matchOf(plan), match as Match);
}

/** External ids of all plans; ratings and credits of NFO files that are new or have changed. */
async function saveFindings(
  tx: Tx,
  resolved: readonly Resolution[],
  known: readonly store.KnownRow[],
): Promise<void> {
  const before = new Map(known.map((row) => [row.id, row]));
  const locked = (id: string, field: string) => before.get(id)?.lockedFields.includes(field);
  const ids = resolved
    .filter(({ plan, filmId }) => !plan.isPartial && locked(filmId, 'ids') !== true)
    .map(({ plan, filmId }) => ({ itemId: filmId, ids: plan.ids }));
  const films = new Map<string, NfoFilm>();
  for (const { plan, filmId } of resolved) {
    if (plan.isPartial) continue;
    const row = before.get(filmId);
    const match = row?.match as Partial<Match> | undefined;
    const isNews = plan.nfo !== undefined && match?.nfo?.digest !== plan.nfo.digest;
    if (isNews && plan.nfo !== undefined && (row === undefined || mayChange(row, plan))) {
      films.set(filmId, plan.nfo.film);
    }
  }
  await saveExternalIds(tx, 'movie', ids);
  await store.saveRatings(tx, ratingsOf(films));
  const credited = [...films].filter(([id]) => locked(id, 'people') !== true);
  await replaceCredits(
    tx,
    'movie',
    credited.map(([itemId, film]) => ({ itemId, credits: creditsTold(film) })),
  );
}

const ratingsOf = (films: ReadonlyMap<string, NfoFilm>) =>
  [...films].flatMap(([itemId, film]) =>
    film.ratings.map(({ source, score, votes }) => ({
      itemId,
      source,
      score,
      votes: votes ?? null,
    })),
  );

function decideFiles(
  resolved: readonly Resolution[],
  loose: readonly PlacedFile[],
): FileDecision[] {
  return [
    ...resolved.flatMap(({ plan, filmId }) => [
      ...plan.group.versions.flatMap((version) => versionFiles(version, filmId)),
      ...plan.sides.map(({ file, facts }) => sideDecision(file, filmId, { ...facts })),
    ]),
    ...loose.map((file) => sideDecision(file, null)),
  ];
}

function versionFiles(
  { label, parts, auxiliary, release, edition }: Version,
  itemId: string,
): FileDecision[] {
  const version = label ?? null;
  return [
    ...versionDecisions({ itemId, version, parts, facts: { ...release, edition } }),
    ...auxiliary.map((file) => ({
      ...sideDecision(file, itemId, { auxiliary: true }),
      version,
    })),
  ];
}

/**
 * A film whose last video that is there now belongs to another is that other one: what people did
 * moves over, with what is missing of it.
 */
async function settleOrphans(
  tx: Tx,
  touched: readonly string[],
  resolved: readonly Resolution[],
): Promise<string[]> {
  const orphans = await withoutVideos(tx, touched);
  if (orphans.length === 0) return [];
  const taken = resolved.flatMap(({ plan, filmId }) =>
    plan.videos.map(({ itemId }) => [itemId, filmId] as const),
  );
  const moves = heirsOf(orphans, taken);
  await inheritFiles(tx, moves);
  await mergeWorks(tx, editableFilms, moves);
  const merged = moves.map(({ from }) => from);
  await forgetFilms(tx, merged);
  return merged;
}
