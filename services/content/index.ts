import type { SearchSource } from '../search/source.ts';
import type { ProgressKind } from '../progress/kinds.ts';
import type { ContentModule } from './module.ts';
import { createMovie, type MovieDeps } from './movie/index.ts';

/** What the kinds need together. */
export type ContentDeps = MovieDeps;

/** All kinds of content: the one list that a new kind is added to. */
export function createContent(deps: ContentDeps) {
  const movie = createMovie(deps);
  return {
    modules: [movie.module] as readonly ContentModule[],
    handlers: { ...movie.handlers },
    searchSources: [movie.searchSource] as readonly SearchSource[],
    kinds: [movie.progressKind] as readonly ProgressKind[],
  };
}
