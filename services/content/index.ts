import type { SearchSource } from '../search/source.ts';
import type { ProgressKind } from '../progress/kinds.ts';
import { createHistory } from './history.ts';
import type { ContentModule } from './module.ts';
import { createMovie, type MovieDeps } from './movie/index.ts';
import { createSeries, type SeriesDeps } from './series/index.ts';

/** Parts of works, of all kinds, that have pictures of their own. */
export { pictureParts } from './series/index.ts';

/** What the kinds need together. */
export type ContentDeps = MovieDeps & SeriesDeps;

/** All kinds of content: the one list that a new kind is added to. */
export function createContent(deps: ContentDeps) {
  const movie = createMovie(deps);
  const series = createSeries(deps);
  return {
    modules: [movie.module, series.module] as readonly ContentModule[],
    handlers: { ...movie.handlers, ...series.handlers, ...createHistory(deps.sql) },
    searchSources: [movie.searchSource, ...series.searchSources] as readonly SearchSource[],
    enriched: { movie: movie.enriched, series: series.enriched },
    kinds: [movie.progressKind, ...series.progressKinds] as readonly ProgressKind[],
    compounds: series.compounds,
  };
}
