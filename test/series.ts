import { expect } from 'chai';
import type { Call, Handler, OperationId } from '#api/handler.ts';
import type { Identified } from '#services/content/module.ts';
import { createSeries, type Series } from '#services/content/series/index.ts';
import type { Principal } from '#services/principal.ts';
import { createTestOrder } from './clock.ts';
import { filmLibrary, type FilmLibrary } from './films.ts';
import { testDatabase, type TestDatabase } from './postgres.ts';
import { toldOf, writeOn, type Told } from './write.ts';

/** Now, in these tests. */
export const nowMs = Date.UTC(2026, 5, 1);

const principal = (userId: string): Principal => ({
  userId,
  username: 'ann',
  role: 'user',
  via: 'session',
  credentialId: 'x',
  permissions: new Set(),
});

/** What tests read of an episode. */
export interface EpisodeCard {
  id: string;
  seriesTitle: string;
  season: number;
  number: number | null;
  absolute: number | null;
  airDate: string | null;
  title: string | null;
  isAvailable: boolean;
  durationMs: number | null;
}

/** What tests read of a page. */
export interface SeriesPage {
  items: { id: string; title: string; year: number | null; episodeCount: number }[];
  nextCursor: string | null;
  total?: number;
}

/** What a test asks of a handler. */
export interface SeriesAsk {
  readonly params?: object;
  readonly query?: object;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The size of a film. */
export const GB = 1_000_000_000;

/** A suite with a database, a library of series that is empty before each test, and their API. */
export function seriesSuite() {
  let db: TestDatabase;
  let userId: string;
  let series: Series;
  let library: FilmLibrary;
  /** What search was told of, as `kind id`, since the test began. */
  let noted: string[] = [];
  /** Series whose order was asked for since the test began. */
  let ordered: string[] = [];
  /** What clients were told of since the test began. */
  let told: Told[] = [];

  before(async () => {
    db = await testDatabase();
    const [user] = await db.sql<{ id: string }[]>`
      insert into shared.users (username, role) values ('ann', 'user') returning id`;
    userId = user!.id;
    series = createSeries({
      sql: db.sql,
      write: writeOn(db.sql, createTestOrder().node(), (effects) => told.push(...toldOf(effects))),
      images: { forItems: async () => new Map() },
      search: {
        changed: async (_tx, kind, ids) => void noted.push(...ids.map((id) => `${kind} ${id}`)),
      },
      onOrderSet: async (_tx, _kind, id) => void ordered.push(id),
      now: () => nowMs,
    });
  });
  after(() => db.close());

  beforeEach(async () => {
    await db.sql`delete from libraries`;
    noted = [];
    ordered = [];
    told = [];
    library = await filmLibrary(db.sql, 'Series', 'series');
  });

  const scan = async (directories?: readonly string[]): Promise<Identified> => {
    const batch = await library.batch(directories);
    return db.sql.begin<Identified>((tx) => series.module.identify(tx, batch));
  };

  async function ask<Id extends OperationId, Body>(
    handler: Handler<Id>,
    { headers = {}, ...asked }: SeriesAsk = {},
  ): Promise<Body> {
    const request = { headers };
    const call = { params: {}, query: {}, ...asked, request, principal: principal(userId) };
    const reply = (await handler(call as unknown as Call<Id>)) as { body: Body };
    return reply.body;
  }

  const handlers = () => series.handlers;
  const list = (query: object = {}) =>
    ask<'listSeries', SeriesPage>(handlers().listSeries, { query });
  const episodes = async (seriesId: string, query: object = {}) =>
    (
      await ask<'listEpisodes', { items: EpisodeCard[] }>(handlers().listEpisodes, {
        ...{ params: { seriesId }, query },
      })
    ).items;
  const one = async () => {
    const { items } = await list();
    expect(items).to.have.length(1);
    return items[0]!;
  };
  return {
    get db() {
      return db;
    },
    get userId() {
      return userId;
    },
    get series() {
      return series;
    },
    get told() {
      return told;
    },
    get noted() {
      return noted;
    },
    get ordered() {
      return ordered;
    },
    get library() {
      return library;
    },
    ...{ scan, ask, handlers, list, episodes, one },
  };
}
