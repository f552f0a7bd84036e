import type { HandlersOf } from '#api/handler.ts';
import { problem } from '../../errors.ts';
import { callerOf } from '../../principal.ts';
import { readEpisode, readSeries } from './detail.ts';
import { listEpisodes, listNextUp } from './episode-list.ts';
import { countFilters } from './filter.ts';
import { listMissing } from './known.ts';
import { listSeries } from './list.ts';
import type { SeriesDeps } from './series.ts';

/** Operations of api/series.yaml. */
export type SeriesOperation =
  | 'listSeries'
  | 'getSeriesFilters'
  | 'listNextUp'
  | 'getSeries'
  | 'listEpisodes'
  | 'listMissingEpisodes'
  | 'getEpisode';

/** The API of series. */
export const createRoutes = (deps: SeriesDeps): HandlersOf<SeriesOperation> => ({
  async listSeries({ query, principal }) {
    return { body: await listSeries(deps, query, callerOf(principal).userId) };
  },
  async getSeriesFilters() {
    return { body: await countFilters(deps.sql) };
  },
  async listNextUp({ query, principal }) {
    return { body: await listNextUp(deps, { ...query, userId: callerOf(principal).userId }) };
  },
  async getSeries({ params, principal }) {
    const body = await readSeries(deps, params.seriesId, callerOf(principal).userId);
    if (body === undefined) throw problem('not-found', `There is no series ${params.seriesId}`);
    return { body };
  },
  async listEpisodes({ params, query, principal }) {
    const asked = { ...query, userId: callerOf(principal).userId };
    return { body: await listEpisodes(deps, params.seriesId, asked) };
  },
  async listMissingEpisodes({ params }) {
    const today = new Date(deps.now()).toISOString().slice(0, 10);
    return { body: { items: await listMissing(deps.sql, params.seriesId, today) } };
  },
  async getEpisode({ params, principal }) {
    const body = await readEpisode(deps, params.episodeId, callerOf(principal).userId);
    if (body === undefined) throw problem('not-found', `There is no episode ${params.episodeId}`);
    return { body };
  },
});
