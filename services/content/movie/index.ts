import type { HandlersOf } from '#api/handler.ts';
import type { EnrichedKind } from '../../metadata/kind.ts';
import { dayOr, type CreditedKind } from '../../people/credited.ts';
import type { ProgressKind } from '../../progress/kinds.ts';
import type { SearchSource } from '../../search/source.ts';
import { andSeen, whereSeen } from '../../visible.ts';
import type { ContentModule } from '../module.ts';
import { classify, ignores } from '../classify.ts';
import type { ImageLookup } from '../images.ts';
import { enrichedFilms } from './enrich.ts';
import { identify } from './identify.ts';
import { listTag, type MovieDeps } from './movie.ts';
import { refreshFilms } from './refresh.ts';
import { removeFilms } from './remove.ts';
import { createRoutes, type MovieOperation } from './routes.ts';
import { movieSearch } from './search.ts';
import { summariesOfFilms } from './summaries.ts';

export type { MovieDeps } from './movie.ts';

/** What films bring to the system. */
export interface Movie {
  readonly module: ContentModule;
  readonly handlers: HandlersOf<MovieOperation>;
  readonly searchSource: SearchSource;
  readonly progressKind: ProgressKind;
  readonly enriched: EnrichedKind;
  readonly credited: CreditedKind;
}

/** Films, the first kind of content. */
export function createMovie(deps: MovieDeps): Movie {
  return {
    module: {
      kind: 'movie',
      listTags: [listTag],
      classify,
      ignores,
      identify: (tx, batch) => identify(tx, batch, { now: deps.now }),
      async refresh(tx, ids) {
        await refreshFilms(tx, ids);
      },
      remove: removeFilms,
    },
    handlers: createRoutes(deps),
    searchSource: movieSearch,
    progressKind: progressKind(deps.images),
    enriched: enrichedFilms,
    credited,
  };
}

const credited: CreditedKind = {
  kind: 'movie',
  permission: 'movies:read',
  released: (sql, viewer) => sql`
    select m.id, ${dayOr(sql, sql`m.release_date`, sql`m.year`)} as released
    from movies m ${whereSeen(sql, viewer, sql`m.library_id`)}`,
};

const progressKind = (images: ImageLookup): ProgressKind => ({
  kind: 'movie',
  async exists(sql, id, viewer) {
    const rows = await sql`
      select from movies where id = ${id} ${andSeen(sql, viewer, sql`library_id`)}`;
    return rows.length > 0;
  },
  summaries: (sql, ids, viewer) => summariesOfFilms(sql, images, { ids, viewer }),
  seen: (sql, viewer, id) => sql`
    exists (
      select from movies m where m.id = ${id} ${andSeen(sql, viewer, sql`m.library_id`)})`,
});
