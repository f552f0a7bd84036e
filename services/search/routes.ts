import type { Call, HandlersOf } from '#api/handler.ts';
import type { components } from '#api/types.ts';
import type { Sql } from '#storage/postgres/connect.ts';
import type { SearchEngine, SearchHit, SearchQuery } from '#storage/search/engine.ts';
import type { Store } from '../changes.ts';
import { problem } from '../errors.ts';
import type { JobAdder } from '../jobs/job.ts';
import { callerOf, permits } from '../principal.ts';
import { limitsOf } from '../visible.ts';
import type { Answered } from './ask.ts';
import { explain, type Match } from './match.ts';
import { backlogOf, isFilled } from './pending.ts';
import {
  facetFields,
  sharedAudience,
  type Decorate,
  type PersonIds,
  type SearchSource,
} from './source.ts';
import { rebuildIndex } from './upkeep.ts';

export type SearchRoutes = HandlersOf<'search' | 'suggest' | 'getSearchStatus' | 'rebuildSearch'>;

type Item = components['schemas']['SearchItem'];
type Engine = components['schemas']['SearchEngine'];

export interface RouteDeps {
  readonly sql: Sql;
  readonly store: Store;
  readonly jobs: JobAdder;
  readonly engines: readonly SearchEngine[];
  readonly format: number;
  readonly sources: readonly SearchSource[];
  readonly decorate?: Decorate;
  readonly personIds?: PersonIds;
  find(query: SearchQuery): Promise<Answered>;
}

const backlogMax = 100_000;
const healthTimeoutMs = 3_000;

/** The operations of api/search.yaml. */
export function createRoutes(deps: RouteDeps): SearchRoutes {
  return {
    search: async (call) => {
      const { q, limit = 50, offset = 0, facets = [] } = call.query;
      const query = { text: q, filters: filtersOf(deps, call), limit, offset, prefix: true };
      const found = await deps.find({ ...query, facets });
      return {
        body: {
          items: await itemsOf(deps, found.hits, q),
          total: found.total,
          isTotalExact: found.isTotalExact,
          facets: Object.fromEntries(
            Object.entries(found.facets).map(([field, counts]) => [field, [...counts]]),
          ),
          engine: found.engine as Engine['name'],
        },
      };
    },
    suggest: async ({ query: { q, kinds, limit = 8 }, principal }) => {
      const filters = {
        audiences: [sharedAudience],
        kinds: kindsFor(deps, principal, kinds),
        facets: seenFacets({}, principal),
      };
      const found = await deps.find({ text: q, filters, limit, offset: 0, prefix: true });
      return { body: { items: await itemsOf(deps, found.hits, q) } };
    },
    getSearchStatus: async ({ request }) => {
      const signal = AbortSignal.any([request.signal, AbortSignal.timeout(healthTimeoutMs)]);
      const engines = deps.engines.map((engine) => statusOf(deps, engine, signal));
      return { body: { engines: await Promise.all(engines) } };
    },
    rebuildSearch: async ({ body }) => ({
      body: { jobIds: await startRebuild(deps, body?.engine) },
    }),
  };
}

/** Kinds the caller may read, of those asked for. */
function kindsFor(
  { sources }: RouteDeps,
  principal: Call<'search'>['principal'],
  wanted: readonly string[] | undefined,
): string[] {
  return sources
    .filter(({ kind }) => wanted === undefined || wanted.includes(kind))
    .filter(
      ({ permission }) =>
        permission === undefined ||
        (principal !== undefined && permits(principal.permissions, permission)),
    )
    .map(({ kind }) => kind);
}

function filtersOf(deps: RouteDeps, { query, principal }: Call<'search'>): SearchQuery['filters'] {
  const chosen = facetFields.flatMap((field) => {
    const values = query[field];
    return values === undefined || values.length === 0 ? [] : [[field, values] as const];
  });
  return {
    audiences: [sharedAudience],
    kinds: kindsFor(deps, principal, query.kinds),
    facets: seenFacets(Object.fromEntries(chosen), principal),
    yearFrom: query.yearFrom,
    yearTo: query.yearTo,
  };
}

type Facets = NonNullable<SearchQuery['filters']['facets']>;

/**
 * With the libraries that the caller is limited to, and of those asked for the ones among them; an
 * empty list finds nothing, in either engine.
 */
function seenFacets(asked: Facets, principal: Call<'search'>['principal']): Facets {
  const limits = limitsOf(callerOf(principal));
  if (limits === undefined) return asked;
  const wanted = asked['library'];
  const library = wanted === undefined ? limits : limits.filter((id) => wanted.includes(id));
  return { ...asked, library };
}

async function itemsOf(
  { decorate, personIds }: RouteDeps,
  hits: readonly SearchHit[],
  text: string,
): Promise<Item[]> {
  const matches = new Map(hits.map((hit) => [hit, explain(hit, text, true)]));
  const names = [...matches.values()].flatMap((match) =>
    match?.field === 'person' ? [match.text] : [],
  );
  const [decorations, people] = await Promise.all([
    hits.length === 0 ? undefined : decorate?.(hits),
    names.length === 0 ? undefined : personIds?.([...new Set(names)]),
  ]);
  const shownWith = ({ kind, id }: SearchHit) => decorations?.get(`${kind}:${id}`) ?? {};
  return hits.map((hit) => ({
    kind: hit.kind,
    id: hit.id,
    title: hit.title,
    year: hit.year ?? null,
    subtitle: hit.subtitle ?? null,
    match: withPerson(matches.get(hit), people) ?? null,
    poster: null,
    ...shownWith(hit),
  }));
}

/** A name that was found, with whose it is. */
function withPerson(
  match: Match | undefined,
  people: ReadonlyMap<string, string> | undefined,
): Item['match'] | undefined {
  const personId = match?.field === 'person' ? people?.get(match.text) : undefined;
  return match === undefined || personId === undefined ? match : { ...match, personId };
}

async function statusOf(
  { sql, format }: RouteDeps,
  engine: SearchEngine,
  signal: AbortSignal,
): Promise<Engine> {
  const health = await engine.health(signal);
  const { pending, since } = await backlogOf(sql, engine.name, backlogMax);
  const isReady = health.isReady && (await isFilled(sql, engine.name, format));
  return {
    name: engine.name as Engine['name'],
    isUp: health.isUp,
    state: isReady ? 'ready' : 'rebuild',
    ...(health.detail === undefined ? {} : { detail: health.detail }),
    pending,
    ...(since === null ? {} : { pendingSince: since.toISOString() }),
  };
}

async function startRebuild(deps: RouteDeps, only: string | undefined): Promise<string[]> {
  const engines = deps.engines.filter(({ name }) => only === undefined || name === only);
  if (engines.length === 0) throw problem('not-found', `no search engine ${only ?? ''} is set up`);
  return deps.store.write(async (tx) => {
    const ids: string[] = [];
    for (const { name } of engines) {
      const id = await deps.jobs.add(tx, rebuildIndex, { engine: name }, { key: name });
      if (id !== undefined) ids.push(id);
    }
    return ids;
  });
}
