import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { filmLibrary } from '#test/films.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import type { Tx } from '#storage/postgres/connect.ts';
import { hasItem } from './index.ts';
import { removeFilms } from './movie/remove.ts';
import { removeSeries } from './series/remove.ts';

interface Made {
  readonly itemId: string;
  readonly remove: (tx: Tx) => Promise<void>;
}

describe('a picture that is added to what is being deleted', function () {
  let db: TestDatabase;
  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());

  const film = async (): Promise<Made> => {
    const library = await filmLibrary(db.sql);
    const itemId = randomUUID();
    await db.sql`
      insert into movies (id, library_id, title, sort_title, identity)
      values (${itemId}, ${library.id}, 'Heat', 'heat', 'heat')`;
    return { itemId, remove: (tx) => removeFilms(tx, { itemIds: [itemId] }) };
  };
  const show = async (of: 'series' | 'season' | 'episode'): Promise<Made> => {
    const library = await filmLibrary(db.sql, undefined, 'series');
    const ids = { series: randomUUID(), season: randomUUID(), episode: randomUUID() };
    await db.sql`
      insert into series (id, library_id, title, sort_title, identity)
      values (${ids.series}, ${library.id}, 'Dark', 'dark', 'dark')`;
    await db.sql`
      insert into seasons (id, series_id, number) values (${ids.season}, ${ids.series}, 1)`;
    await db.sql`
      insert into episodes (id, series_id, season_id, key, place)
      values (${ids.episode}, ${ids.series}, ${ids.season}, 's1e1', '1')`;
    const which = { itemIds: [ids.series] };
    return { itemId: ids[of], remove: (tx) => removeSeries(tx, which, async () => undefined) };
  };
  const addPicture = (tx: Tx, kind: string, itemId: string) => tx`
    insert into images (kind, item_id, type, source, sha256, format, width, height, blurhash)
    values (${kind}, ${itemId}, 'poster', 'upload', ${'a'.repeat(64)}, 'png', 1, 1, 'L00000')`;
  const isWaiting = async () => {
    const [row] = await db.sql<[{ count: number }]>`
      select count(*)::int from pg_stat_activity
      where wait_event_type = 'Lock' and datname = current_database()`;
    return row.count > 0;
  };

  const kinds: [string, () => Promise<Made>][] = [
    ['movie', film],
    ['series', () => show('series')],
    ['season', () => show('season')],
    ['episode', () => show('episode')],
  ];
  for (const [kind, make] of kinds) {
    it(`goes with it: ${kind}`, async () => {
      const { itemId, remove } = await make();
      let removed: Promise<unknown> | undefined;
      await db.sql.begin(async (tx) => {
        expect(await hasItem(tx, kind, itemId)).to.equal(true);
        let isDone = false;
        removed = db.sql.begin(remove).finally(() => (isDone = true));
        while (!isDone && !(await isWaiting())) await new Promise(setImmediate);
        await addPicture(tx, kind, itemId);
      });
      await removed;
      expect(await db.sql`select from images where item_id = ${itemId}`).to.have.length(0);
      expect(await hasItem(db.sql, kind, itemId)).to.equal(false);
    });
  }
});
