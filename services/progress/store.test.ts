import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { readProgress } from './rules.ts';
import {
  mergeStates,
  saveProgress,
  saveShelf,
  saveWatched,
  statesOf,
  type StateKey,
} from './store.ts';

const minute = 60_000;
const durationMs = 100 * minute;
const start = Date.UTC(2026, 0, 1);

describe('what people did with works', () => {
  let db: TestDatabase;
  let userId: string;
  before(async () => {
    db = await testDatabase();
    const [user] = await db.sql<{ id: string }[]>`
      insert into shared.users (username, role) values ('ann', 'user') returning id`;
    userId = user!.id;
  });
  after(() => db.close());

  const newKey = (): StateKey => ({ userId, kind: 'movie', itemId: randomUUID() });
  const at = (minutes: number) => start + minutes * minute;
  type Event = { type: 'play' | 'mark' | 'unmark'; at: number; position: number };

  const apply = (key: StateKey, event: Event) =>
    db.sql.begin(async (tx) => {
      const atMs = at(event.at);
      if (event.type !== 'play')
        return saveWatched(tx, key, { isWatched: event.type === 'mark', atMs });
      const report = { positionMs: event.position * minute, durationMs, atMs };
      const kept = readProgress(report, at(1_000_000));
      return saveProgress(tx, key, { ...kept, durationMs, fileId: undefined });
    });
  const state = async (key: StateKey) =>
    (await statesOf(db.sql, userId, { kind: 'movie', itemIds: [key.itemId] })).get(key.itemId);
  const play = (time: number, position: number): Event => ({ type: 'play', at: time, position });

  it('lets the later report win, whichever comes first', async () => {
    const key = newKey();
    await apply(key, play(10, 30));
    await apply(key, play(5, 60));
    expect(await state(key)).to.include({ positionMs: 30 * minute, watchedAt: null, playCount: 0 });
  });

  it('counts a viewing once, and another after it was begun anew', async () => {
    const key = newKey();
    for (const event of [play(1, 50), play(2, 91), play(3, 95), play(3, 95), play(4, 99)]) {
      await apply(key, event);
    }
    expect(await state(key)).to.include({ positionMs: 0, playCount: 1 });
    await apply(key, play(10, 40));
    expect(await state(key)).to.include({ positionMs: 40 * minute, playCount: 1 });
    await apply(key, play(11, 92));
    expect(await state(key)).to.include({ positionMs: 0, playCount: 2 });
    expect((await state(key))?.watchedAt?.getTime()).to.equal(at(11));
  });

  it('notes that a work was watched when the report comes late', async () => {
    const key = newKey();
    await apply(key, play(10, 20));
    await apply(key, play(5, 95));
    const found = await state(key);
    expect(found).to.include({ positionMs: 20 * minute, playCount: 1 });
    expect(found?.watchedAt?.getTime()).to.equal(at(5));
  });

  it('takes marks by hand, which end what was begun', async () => {
    const key = newKey();
    await apply(key, play(1, 50));
    await apply(key, { type: 'mark', at: 2, position: 0 });
    expect(await state(key)).to.include({ positionMs: 0, playCount: 1 });
    await apply(key, { type: 'unmark', at: 3, position: 0 });
    expect(await state(key)).to.include({ watchedAt: null, positionMs: 0 });
    await apply(key, play(2.5, 95));
    expect(await state(key)).to.include({ watchedAt: null });
  });

  it('comes to the same position and watched state in any order of events', async () => {
    const event = fc.record({
      type: fc.constantFrom('play' as const, 'play' as const, 'mark' as const, 'unmark' as const),
      at: fc.integer({ min: 1, max: 50 }),
      position: fc.constantFrom(0, 10, 40, 70, 89, 90, 95, 100),
    });
    const events = fc.uniqueArray(event, { maxLength: 6, selector: (one) => one.at });
    const shuffled = events.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    );
    await fc.assert(
      fc.asyncProperty(shuffled, async ([one, other]) => {
        const results = [];
        for (const order of [one, [...other, ...other]]) {
          const key = newKey();
          for (const each of order) await apply(key, each);
          const found = await state(key);
          results.push(found && [found.positionMs, found.watchedAt !== null]);
        }
        expect(results[0]).to.deep.equal(results[1]);
      }),
      { numRuns: 40 },
    );
  });

  it('breaks ties of reports at one time the same way in any order', async () => {
    const reports = fc.array(fc.constantFrom(0, 10, 40, 89, 90, 100), {
      minLength: 2,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(reports, async (positions) => {
        const results = [];
        for (const order of [positions, positions.toReversed()]) {
          const key = newKey();
          for (const position of order) await apply(key, play(7, position));
          const found = await state(key);
          results.push([found?.positionMs, found?.watchedAt?.getTime()]);
        }
        expect(results[0]).to.deep.equal(results[1]);
      }),
      { numRuns: 20 },
    );
  });

  it('keeps shelves and joins the states of works that turn out to be one', async () => {
    const [from, to] = [newKey(), newKey()];
    await db.sql.begin(async (tx) => {
      await saveShelf(tx, from, { shelf: 'favourite', atMs: at(1) });
      await saveShelf(tx, from, { shelf: 'favourite', atMs: at(9) });
      await saveShelf(tx, to, { shelf: 'watchlist', atMs: at(2) });
    });
    await apply(from, play(5, 95));
    await apply(to, play(6, 30));
    await db.sql.begin((tx) => mergeStates(tx, 'movie', [{ from: from.itemId, to: to.itemId }]));
    const joined = await state(to);
    expect(joined).to.include({ positionMs: 30 * minute, playCount: 1 });
    expect(joined?.favouriteAt?.getTime()).to.equal(at(1));
    expect(joined?.watchlistAt?.getTime()).to.equal(at(2));
    expect(joined?.watchedAt?.getTime()).to.equal(at(5));
    expect(await state(from)).to.equal(undefined);
    await db.sql.begin((tx) => saveShelf(tx, to, { shelf: 'watchlist', atMs: null }));
    expect(await state(to)).to.include({ watchlistAt: null });
  });
});
