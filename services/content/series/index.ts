import type { HandlersOf } from '#api/handler.ts';
import type { CompoundKind, ProgressKind } from '../../progress/kinds.ts';
import type { SearchSource } from '../../search/source.ts';
import { classify, ignores } from '../classify.ts';
import type { ContentModule } from '../module.ts';
import { identify } from './identify.ts';
import { refreshSeries } from './refresh.ts';
import { removeSeries } from './remove.ts';
import { createRoutes, type SeriesOperation } from './routes.ts';
import { seriesSearch } from './search.ts';
import { listTag, type SeriesDeps } from './series.ts';
import { episodeProgress, seriesCompounds, seriesProgress } from './summaries.ts';

export type { SeriesDeps } from './series.ts';

/** What series bring to the system. */
export interface Series {
  readonly module: ContentModule;
  readonly handlers: HandlersOf<SeriesOperation>;
  readonly searchSource: SearchSource;
  readonly progressKinds: readonly ProgressKind[];
  readonly compounds: readonly CompoundKind[];
}

/** Series with their seasons and episodes: files belong to the series, and hold its episodes. */
export const createSeries = (deps: SeriesDeps): Series => ({
  module: {
    kind: 'series',
    listTags: [listTag],
    classify,
    ignores,
    identify: (tx, batch) => identify(tx, batch, { now: deps.now }),
    refresh: refreshSeries,
    remove: removeSeries,
  },
  handlers: createRoutes(deps),
  searchSource: seriesSearch,
  progressKinds: [episodeProgress(deps.images), seriesProgress(deps.images)],
  compounds: seriesCompounds,
});
