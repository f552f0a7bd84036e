import type { HandlersOf } from '#api/handler.ts';
import type { Cached } from '#storage/cache/cache.ts';
import { problem } from '../../errors.ts';
import { callerOf } from '../../principal.ts';
import { presentState, type UserStateView } from '../../progress/present.ts';
import { noState, statesOf } from '../../progress/store.ts';
import { limitsOf, sees, type Viewer } from '../../visible.ts';
import { editWork } from '../edit.ts';
import { digestOf, etagOf, revisionOf } from '../etag.ts';
import { removedTag } from '../module.ts';
import { readDetail, type SharedView } from './detail.ts';
import { editableFilms } from './edit.ts';
import { countFacets } from './facets.ts';
import { readListQuery } from './list-query.ts';
import { joinOperations } from '../join-routes.ts';
import { userTag } from '../works.ts';
import { joinFilms, splitFilm } from './join.ts';
import { itemTag, listTag, type MovieDeps, type MovieView } from './movie.ts';
import { definePages } from './pages.ts';

/** Operations of api/movies.yaml. */
export type MovieOperation =
  | 'listMovies'
  | 'getMovieFilters'
  | 'listMovieGenres'
  | 'getMovie'
  | 'updateMovie'
  | 'mergeMovies'
  | 'splitMovie';

const seconds = 1_000;
const minutes = 60 * seconds;

type CachedDetail = { view: SharedView; revision: number; digest: string };

/** The film API. */
export function createRoutes(deps: MovieDeps): HandlersOf<MovieOperation> {
  const { cache, sql, images } = deps;
  const pages = definePages(deps);
  const details = cache.define<string, CachedDetail | undefined>({
    name: 'movie',
    ttlMs: 5 * minutes,
    sharedTtlMs: 60 * minutes,
    negativeTtlMs: 10 * seconds,
    async load(id) {
      const detail = await readDetail(sql, images, id);
      return detail && { ...detail, digest: digestOf(detail.view) };
    },
    tags: (detail, id) => [itemTag(id), ...(detail ? [removedTag(detail.view.libraryId)] : [])],
  });
  const states = cache.define<string, UserStateView>({
    name: 'movie.state',
    ttlMs: 5 * minutes,
    async load(key) {
      const [userId = '', id = ''] = key.split(' ');
      const found = await statesOf(sql, userId, { kind: 'movie', itemIds: [id] });
      return presentState(found.get(id) ?? noState);
    },
    tags: (_state, key) => [userTag(key.slice(0, key.indexOf(' ')))],
  });
  const facets = defineFacets(deps);
  const show = (id: string, viewer: Viewer) => showFilm({ details, states }, id, viewer);
  return {
    ...createJoining(deps, show),
    async listMovies({ query, principal }) {
      const { userId, libraries } = callerOf(principal);
      const caller = { userId, random: deps.random, ...(libraries && { libraries }) };
      return { body: await pages.get(readListQuery(query, caller)) };
    },
    async getMovieFilters({ query, principal }) {
      return { body: await facets.get(query.library, callerOf(principal)) };
    },
    async listMovieGenres({ query, principal }) {
      const { genres } = await facets.get(query.library, callerOf(principal));
      return { body: { items: genres.toSorted((a, b) => a.value.localeCompare(b.value, 'en')) } };
    },
    getMovie: ({ params, principal }) => show(params.movieId, callerOf(principal)),
    async updateMovie({ params, body, principal, request }) {
      const id = params.movieId;
      const revision = revisionOf(request.headers['if-match']);
      await deps.write(async (tx, stale, tell) => {
        const found = await editWork(tx, editableFilms, {
          ...{ id, update: body, revision, by: callerOf(principal) },
        });
        if (found === undefined) throw problem('not-found', `There is no film ${id}`);
        if (body.externalIds !== undefined) await deps.onIdsSet?.(tx, 'movie', id);
        await deps.search.changed(tx, 'movie', [id]);
        stale(itemTag(id), listTag);
        const { libraryId } = found;
        tell('item.updated', { kind: 'movie', itemId: id, libraryId });
      });
      return show(id, callerOf(principal));
    },
  };
}

/** What films can be filtered by, as one viewer sees it; kept for all who see the same libraries. */
function defineFacets({ cache, sql }: MovieDeps) {
  const facets = cache.define({
    name: 'movie.filters',
    ttlMs: 5 * minutes,
    sharedTtlMs: 60 * minutes,
    load(key: string) {
      const [library = '', limits] = key.split(' ');
      return countFacets(sql, {
        library: library === '' ? undefined : library,
        limits: limits?.split(',').filter(Boolean),
      });
    },
    tags: () => [listTag],
  });
  return {
    get(library: string | undefined, viewer: Viewer) {
      const limits = limitsOf(viewer);
      return facets.get(`${library ?? ''}${limits === undefined ? '' : ` ${limits.join(',')}`}`);
    },
  };
}

/** Making films one, and taking one apart. */
function createJoining(
  deps: MovieDeps,
  show: (id: string, viewer: Viewer) => Promise<Shown>,
): HandlersOf<'mergeMovies' | 'splitMovie'> {
  const joining = joinOperations(deps, {
    ...{ kind: 'movie', listTag, itemTag, join: joinFilms, split: splitFilm },
    changed: async (tx, ids) => deps.onItemsChanged?.(tx, 'movie', ids),
  });
  return {
    async mergeMovies({ params, body, principal }) {
      const by = callerOf(principal);
      await joining.merge({ into: params.movieId, from: body.movieIds, by });
      return show(params.movieId, by);
    },
    async splitMovie({ params, body, principal }) {
      const by = callerOf(principal);
      const asked = { id: params.movieId, fileIds: body.fileIds, by, nowMs: deps.now() };
      return { ...(await show(await joining.split(asked), by)), status: 201 };
    },
  };
}

interface Shown {
  readonly body: MovieView;
  readonly headers: Record<string, string>;
}

async function showFilm(
  caches: {
    details: Cached<string, CachedDetail | undefined>;
    states: Cached<string, UserStateView>;
  },
  id: string,
  viewer: Viewer,
): Promise<Shown> {
  const [detail, userState] = await Promise.all([
    caches.details.get(id),
    caches.states.get(`${viewer.userId} ${id}`),
  ]);
  // What is cached is the same for all; who may see it is not.
  if (detail === undefined || !sees(viewer, detail.view.libraryId))
    throw problem('not-found', `There is no film ${id}`);
  const etag = etagOf(detail.revision, detail.digest, digestOf(userState));
  return { body: { ...detail.view, userState }, headers: { ETag: etag } };
}
