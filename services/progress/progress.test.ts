import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { Call, Handler, OperationId } from '#api/handler.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import type { Write } from '../changes.ts';
import type { Principal } from '../principal.ts';
import { createProgress } from './index.ts';
import type { CompoundKind, ItemSummary, ProgressKind } from './kinds.ts';

const start = Date.UTC(2026, 0, 1);
const pairId = randomUUID();

/** What a promise rejects with. */
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('progress and personal lists', () => {
  let db: TestDatabase;
  let users: [string, string];
  before(async () => {
    db = await testDatabase();
    const rows = await db.sql<{ id: string }[]>`
      insert into shared.users (username, role) values ('ann', 'user'), ('bob', 'user') returning id`;
    users = [rows[0]!.id, rows[1]!.id];
  });
  after(() => db.close());

  function setup(count: number) {
    const items: ItemSummary[] = Array.from({ length: count }, (_, index) => ({
      id: randomUUID(),
      title: `Film ${index}`,
      year: 2000 + index,
      durationMs: 6_000_000,
      isAvailable: true,
      images: {},
      externalIds: { imdb: `tt000000${index}` },
    }));
    const kind: ProgressKind = {
      kind: 'movie',
      exists: async (_sql, id) => items.some((item) => item.id === id),
      summaries: async (_sql, ids) => items.filter(({ id }) => ids.includes(id)),
      seen: (sql) => sql`true`,
    };
    const told: unknown[] = [];
    const stale: string[] = [];
    let clock = start;
    const write: Write = async (work) =>
      (await db.sql.begin((tx) =>
        work(
          tx,
          (...tags) => stale.push(...tags),
          (...args) => told.push(args),
        ),
      )) as never;
    const now = async () => clock;
    const pair: CompoundKind = {
      ...{ kind: 'series', of: 'movie' },
      parts: async (_sql, id) => (id === pairId ? items.map((item) => item.id) : undefined),
    };
    const deps = { sql: db.sql, write, now, kinds: [kind], compounds: [pair] };
    const { handlers } = createProgress(deps);
    const ask = async <Id extends OperationId>(
      handler: Handler<Id>,
      asked: {
        userId?: string;
        itemId?: string;
        kind?: string;
        query?: object;
        body?: object;
      } = {},
    ) => {
      const principal = { userId: asked.userId ?? users[0] } as Principal;
      const params = { kind: asked.kind ?? 'movie', itemId: asked.itemId };
      const call = { params, query: asked.query ?? {}, body: asked.body, principal };
      return (await handler(call as unknown as Call<Id>)) as { body: never };
    };
    return { items, handlers, told, stale, ask, later: (ms: number) => (clock += ms) };
  }

  it('goes from a report over the list to watched, and tells only its owner', async () => {
    const { items, handlers, told, stale, ask, later } = setup(1);
    const itemId = items[0]!.id;
    const body = { positionMs: 600_000, durationMs: 6_000_000 };
    const state = (await ask(handlers.putProgress, { itemId, body })).body;
    expect(state).to.include({ positionMs: 600_000, isWatched: false });
    expect(told).to.deep.equal([
      ['progress.changed', { userId: users[0], kind: 'movie', itemId }, { userId: users[0] }],
    ]);
    expect(stale).to.deep.equal([`user-items:${users[0]}`]);
    const begun = (await ask(handlers.listContinueWatching)).body as { items: object[] };
    expect(begun.items).to.containSubset([{ title: 'Film 0', userState: { positionMs: 600_000 } }]);
    const other = (await ask(handlers.listContinueWatching, { userId: users[1] })).body;
    expect(other).to.deep.equal({ items: [], nextCursor: null });
    const early = { positionMs: 1_000_000, durationMs: 6_000_000, at: '2020-01-01T00:00:00Z' };
    expect((await ask(handlers.putProgress, { itemId, body: early })).body).to.include({
      positionMs: 600_000,
    });
    const future = { positionMs: 5_900_000, durationMs: 6_000_000, at: '2099-01-01T00:00:00Z' };
    const watched = (await ask(handlers.putProgress, { itemId, body: future })).body;
    expect(watched).to.include({ positionMs: 0, isWatched: true, playCount: 1 });
    expect(watched).to.have.property('watchedAt', new Date(start).toISOString());
    expect((await ask(handlers.listContinueWatching)).body).to.have.deep.property('items', []);
    expect((await ask(handlers.getProgress, { itemId })).body).to.include({ isWatched: true });
    later(1_000);
    const undone = (await ask(handlers.unmarkWatched, { itemId })).body;
    expect(undone).to.include({ isWatched: false, playCount: 1 });
  });

  it('pages through favourites, latest first, each once', async () => {
    const { items, handlers, ask, later } = setup(7);
    for (const [index, { id }] of items.entries()) {
      if (index % 3 !== 0) later(1_000);
      await ask(handlers.addFavourite, { itemId: id });
    }
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const query = { limit: 2, ...(cursor === null ? {} : { cursor }) };
      const page = (await ask(handlers.listFavourites, { query })).body as {
        items: { id: string; at: string }[];
        nextCursor: string | null;
      };
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect([...seen].sort()).to.deep.equal(items.map(({ id }) => id).sort());
    expect(seen[0]).to.be.oneOf([items[5]!.id, items[6]!.id]);
    for (const { id } of items) await ask(handlers.removeFavourite, { itemId: id });
    expect((await ask(handlers.listFavourites)).body).to.have.deep.property('items', []);
  });

  it('marks all parts of what is watched in parts', async () => {
    const { items, handlers, told, ask, later } = setup(2);
    const asked = { kind: 'series', itemId: pairId };
    expect((await ask(handlers.markWatched, asked)).body).to.include({ isWatched: true });
    expect(told).to.deep.equal([
      ['progress.changed', { userId: users[0], ...asked }, { userId: users[0] }],
    ]);
    const watched = async () =>
      Promise.all(
        items.map(async ({ id }) => {
          const state: { isWatched: boolean } = (await ask(handlers.getProgress, { itemId: id }))
            .body;
          return state.isWatched;
        }),
      );
    expect(await watched()).to.deep.equal([true, true]);
    later(1_000);
    await ask(handlers.unmarkWatched, asked);
    expect(await watched()).to.deep.equal([false, false]);
    const missing = ask(handlers.markWatched, { kind: 'series', itemId: randomUUID() });
    expect(await failure(missing)).to.have.property('code', 'not-found');
  });

  it('exports the watchlist', async () => {
    const { items, handlers, ask } = setup(2);
    for (const { id } of items) await ask(handlers.addToWatchlist, { itemId: id });
    const reply = async (format: string) =>
      (await ask(handlers.exportWatchlist, { query: { format } })) as unknown as {
        headers: Record<string, string>;
        stream: string;
      };
    const csv = await reply('csv');
    expect(csv.headers).to.include({ 'Content-Type': 'text/csv; charset=utf-8' });
    expect(csv.stream.trim().split('\r\n')).to.have.length(3);
    const rows = JSON.parse((await reply('json')).stream) as object[];
    expect(rows).to.containSubset([{ title: 'Film 1', imdb: 'tt0000001', year: 2001 }]);
  });

  it('refuses works that do not exist and cursors of other lists', async () => {
    const { handlers, ask } = setup(0);
    const missing = await failure(ask(handlers.addFavourite, { itemId: randomUUID() }));
    expect(missing).to.have.property('code', 'not-found');
    const id = randomUUID();
    const forged = [
      ['favourite', 1],
      ['favourite', 1, 'mov\0ie', id],
      ['favourite', 7_999_999_999_999_999, 'movie', id],
      ['favourite', -7_999_999_999_999_999, 'movie', id],
    ];
    for (const values of forged) {
      const cursor = Buffer.from(JSON.stringify(values)).toString('base64url');
      for (const list of [handlers.listFavourites, handlers.listWatchlist]) {
        const error = await failure(ask(list, { query: { cursor } }));
        expect(error).to.have.property('code', 'invalid-cursor');
      }
    }
  });
});
