import type { HandlersOf } from '#api/handler.ts';
import type { Tx } from '#storage/postgres/connect.ts';
import { problem } from '../../errors.ts';
import type { Doer } from '../../activity/record.ts';
import { callerOf } from '../../principal.ts';
import { editWork, type Update } from '../edit.ts';
import { digestOf, etagOf, revisionOf } from '../etag.ts';
import { joinOperations } from '../join-routes.ts';
import { readEpisode, readSeason, readSeries, type Seen } from './detail.ts';
import {
  editableEpisodes,
  editableSeasons,
  editableSeries,
  editPart,
  type EditablePart,
} from './edit.ts';
import { listEpisodes, listNextUp } from './episode-list.ts';
import { listSeriesFiles } from './file-list.ts';
import { countFilters } from './filter.ts';
import { joinSeries, splitSeries } from './join.ts';
import { listMissing } from './known.ts';
import { listSeries } from './list.ts';
import { matchKnown } from './order.ts';
import type { Gone } from './remove.ts';
import { episodesChangedIn } from './search.ts';
import { itemTag, listTag, type SeriesDeps } from './series.ts';

/** Operations of api/series.yaml. */
export type SeriesOperation =
  | 'listSeries'
  | 'getSeriesFilters'
  | 'listNextUp'
  | 'getSeries'
  | 'updateSeries'
  | 'getSeason'
  | 'updateSeason'
  | 'listEpisodes'
  | 'listSeriesFiles'
  | 'listMissingEpisodes'
  | 'getEpisode'
  | 'updateEpisode'
  | 'mergeSeries'
  | 'splitSeries';

/** The API of series. */
export const createRoutes = (deps: SeriesDeps): HandlersOf<SeriesOperation> => ({
  ...createJoining(deps),
  async listSeries({ query, principal }) {
    return { body: await listSeries(deps, query, callerOf(principal)) };
  },
  async getSeriesFilters({ principal }) {
    return { body: await countFilters(deps.sql, callerOf(principal)) };
  },
  async listNextUp({ query, principal }) {
    return { body: await listNextUp(deps, { ...query, viewer: callerOf(principal) }) };
  },
  async getSeries({ params, principal }) {
    const { seriesId: id } = params;
    return shown('series', id, await readSeries(deps, id, callerOf(principal)));
  },
  async updateSeries({ params, body, principal, request }) {
    const { seriesId: id } = params;
    const by = callerOf(principal);
    await updateSeries(deps, id, { update: body, ifMatch: request.headers['if-match'], by });
    return shown('series', id, await readSeries(deps, id, by));
  },
  async getSeason({ params, principal }) {
    const { seasonId: id } = params;
    return shown('season', id, await readSeason(deps, id, callerOf(principal)));
  },
  async updateSeason({ params, body, principal, request }) {
    const { seasonId: id } = params;
    const by = callerOf(principal);
    await updatePart(deps, id, {
      ...{ part: editableSeasons, update: body, ifMatch: request.headers['if-match'], by },
    });
    return shown('season', id, await readSeason(deps, id, by));
  },
  async listEpisodes({ params, query, principal }) {
    const asked = { ...query, viewer: callerOf(principal) };
    return { body: await listEpisodes(deps, params.seriesId, asked) };
  },
  async listSeriesFiles({ params, query, principal }) {
    const asked = { ...query, viewer: callerOf(principal) };
    return { body: await listSeriesFiles(deps.sql, params.seriesId, asked) };
  },
  async listMissingEpisodes({ params, principal }) {
    const today = new Date(deps.now()).toISOString().slice(0, 10);
    const asked = { today, viewer: callerOf(principal) };
    return { body: { items: await listMissing(deps.sql, params.seriesId, asked) } };
  },
  async getEpisode({ params, principal }) {
    const { episodeId: id } = params;
    return shown('episode', id, await readEpisode(deps, id, callerOf(principal)));
  },
  async updateEpisode({ params, body, principal, request }) {
    const { episodeId: id } = params;
    const by = callerOf(principal);
    await updatePart(deps, id, {
      ...{ part: editableEpisodes, update: body, ifMatch: request.headers['if-match'], by },
    });
    return shown('episode', id, await readEpisode(deps, id, by));
  },
});

/** Making series one, and taking one apart. */
function createJoining(deps: SeriesDeps): HandlersOf<'mergeSeries' | 'splitSeries'> {
  const gone: Gone = (tx, ids) => deps.search.changed(tx, 'episode', ids);
  const joining = joinOperations(deps, {
    ...{ kind: 'series', listTag, itemTag },
    join: (tx, asked) => joinSeries(tx, asked, gone),
    split: (tx, asked) => splitSeries(tx, asked, gone),
    async changed(tx, ids) {
      await deps.onItemsChanged?.(tx, 'series', ids);
      await askForOrders(deps, tx, ids);
      await deps.search.changed(tx, 'episode', await episodesChangedIn(tx, ids));
    },
  });
  return {
    async mergeSeries({ params: { seriesId: into }, body, principal }) {
      const by = callerOf(principal);
      await joining.merge({ into, from: body.seriesIds, by });
      return shown('series', into, await readSeries(deps, into, by));
    },
    async splitSeries({ params: { seriesId: id }, body, principal }) {
      const by = callerOf(principal);
      const newId = await joining.split({ id, fileIds: body.fileIds, by, nowMs: deps.now() });
      return { ...shown('series', newId, await readSeries(deps, newId, by)), status: 201 };
    },
  };
}

/** Asks for the orders that some series have: one may have come by what it was joined with. */
async function askForOrders(deps: SeriesDeps, tx: Tx, ids: readonly string[]): Promise<void> {
  const ordered = await tx<{ id: string }[]>`
    select id from series
    where id = any (${ids as string[]}::uuid[]) and episode_order is not null order by id`;
  for (const { id } of ordered) await deps.onOrderSet?.(tx, 'series', id);
}

/** An answer with its ETag; throws `not-found`. */
function shown<View>(label: string, id: string, seen: Seen<View> | undefined) {
  if (seen === undefined) throw noSuch(label, id);
  const { view, revision } = seen;
  return { body: view, headers: { ETag: etagOf(revision, digestOf(view)) } };
}

const noSuch = (label: string, id: string) => problem('not-found', `There is no ${label} ${id}`);

/** What a person asks for, of what they have read. */
interface Asked {
  readonly update: Update;
  readonly ifMatch: string | undefined;
  readonly by: Doer;
}

async function updateSeries(
  deps: SeriesDeps,
  id: string,
  { update, ifMatch, by }: Asked,
): Promise<void> {
  const revision = revisionOf(ifMatch);
  await deps.write(async (tx, stale, tell) => {
    const found = await editWork(tx, editableSeries, { id, update, revision, by });
    if (found === undefined) throw noSuch('series', id);
    if (update.externalIds !== undefined) await deps.onIdsSet?.(tx, 'series', id);
    if (update['episodeOrder'] !== undefined) {
      await matchKnown(tx, [id]);
      await deps.onOrderSet?.(tx, 'series', id);
    }
    await deps.search.changed(tx, 'series', [id]);
    await deps.search.changed(tx, 'episode', await episodesChangedIn(tx, [id]));
    stale(itemTag(id), listTag);
    tell('item.updated', { kind: 'series', itemId: id, libraryId: found.libraryId });
  });
}

async function updatePart(
  deps: SeriesDeps,
  id: string,
  { part, update, ifMatch, by }: Asked & { readonly part: EditablePart },
): Promise<void> {
  const revision = revisionOf(ifMatch);
  await deps.write(async (tx, stale, tell) => {
    const found = await editPart(tx, part, { id, update, revision, by });
    if (found === undefined) throw noSuch(part.label, id);
    const { seriesId: itemId, libraryId } = found;
    if (part === editableEpisodes) await deps.search.changed(tx, 'episode', [id]);
    stale(itemTag(itemId), listTag);
    tell('item.updated', { kind: 'series', itemId, libraryId });
  });
}
