import type { HandlersOf } from '#api/handler.ts';
import type { Tx } from '#storage/postgres/connect.ts';
import type { PictureParts } from '../../artwork/parts.ts';
import type { EnrichedKind } from '../../metadata/kind.ts';
import type { SeriesRecord } from '../../metadata/provider.ts';
import { dayOr, type CreditedKind } from '../../people/credited.ts';
import type { CompoundKind, ProgressKind } from '../../progress/kinds.ts';
import type { SearchSource } from '../../search/source.ts';
import { whereSeen } from '../../visible.ts';
import { classify, ignores } from '../classify.ts';
import type { ContentModule } from '../module.ts';
import { enrichedSeries } from './enrich.ts';
import { identify } from './identify.ts';
import { episodePictures, seasonPictures } from './pictures.ts';
import { refreshSeries } from './refresh.ts';
import { removeSeries, type Gone } from './remove.ts';
import { createRoutes, type SeriesOperation } from './routes.ts';
import { episodesChangedIn, episodeSearch, seriesSearch } from './search.ts';
import { listTag, type SeriesDeps } from './series.ts';
import { episodeProgress, seriesCompounds, seriesProgress } from './summaries.ts';

export type { SeriesDeps } from './series.ts';

/** What of a series has pictures of its own. */
export { nameOfPart } from './names.ts';

export const pictureParts: readonly PictureParts[] = [seasonPictures, episodePictures];

/** What series bring to the system. */
export interface Series {
  readonly module: ContentModule;
  readonly handlers: HandlersOf<SeriesOperation>;
  readonly searchSources: readonly SearchSource[];
  readonly progressKinds: readonly ProgressKind[];
  readonly compounds: readonly CompoundKind[];
  readonly enriched: EnrichedKind<SeriesRecord>;
  readonly credited: CreditedKind;
}

/** Series with their seasons and episodes: files belong to the series, and hold its episodes. */
export const createSeries = (deps: SeriesDeps): Series => ({
  module: createModule(deps),
  handlers: createRoutes(deps),
  enriched: enrichedSeries,
  searchSources: [seriesSearch, episodeSearch],
  progressKinds: [episodeProgress(deps.images), seriesProgress(deps.images)],
  compounds: seriesCompounds,
  credited,
});

const credited: CreditedKind = {
  kind: 'series',
  permission: 'series:read',
  released: (sql, viewer) => sql`
    select s.id, ${dayOr(sql, sql`s.premiered`, sql`s.year`)} as released
    from series s ${whereSeen(sql, viewer, sql`s.library_id`)}`,
};

/** What a scan calls; search is told of episodes here, of series by the scan itself. */
function createModule({ now, search }: SeriesDeps): ContentModule {
  const gone: Gone = (tx, ids) => search.changed(tx, 'episode', ids);
  const changed = async (tx: Tx, seriesIds: readonly string[]) =>
    search.changed(tx, 'episode', await episodesChangedIn(tx, seriesIds));
  return {
    kind: 'series',
    listTags: [listTag],
    classify,
    ignores,
    async identify(tx, batch) {
      const found = await identify(tx, batch, { now, gone });
      await changed(tx, [...found.added, ...found.updated]);
      return found;
    },
    async refresh(tx, ids) {
      await refreshSeries(tx, ids, gone);
      await changed(tx, ids);
    },
    remove: (tx, which) => removeSeries(tx, which, gone),
  };
}
