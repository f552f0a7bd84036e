import { expect } from 'chai';
import type { Call, Handler, OperationId } from '#api/handler.ts';
import type { components } from '#api/types.ts';
import { createTestOrder } from '#test/clock.ts';
import { filmLibrary, type FilmLibrary } from '#test/films.ts';
import { quiet } from '#test/log.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { toldOf, writeOn } from '#test/write.ts';
import { createCache } from '#storage/cache/index.ts';
import { saveProgress, saveShelf, saveWatched, statesOf } from '../../progress/store.ts';
import { editWork } from '../edit.ts';
import { historyOf } from '../history.ts';
import { createContent } from '../index.ts';
import { readDetail } from './detail.ts';
import { editableFilms } from './edit.ts';

type Film = components['schemas']['Movie'];

const images = { forItems: async () => new Map() };
const GB = 1_000_000_000;
const nowMs = Date.UTC(2026, 5, 1);

describe('films that a person makes one, and takes apart', () => {
  let db: TestDatabase;
  let library: FilmLibrary;
  let content: ReturnType<typeof createContent>;
  let told: string[];
  let noted: string[];
  const users: string[] = [];

  before(async () => {
    db = await testDatabase();
    for (const name of ['ann', 'ben']) {
      const [user] = await db.sql<{ id: string }[]>`
        insert into shared.users (username, role) values (${name}, 'user') returning id`;
      users.push(user!.id);
    }
  });
  after(() => db.close());
  beforeEach(async () => {
    await db.sql`delete from libraries`;
    await db.sql`delete from user_items`;
    library = await filmLibrary(db.sql);
    [told, noted] = [[], []];
    const clock = createTestOrder().node();
    const now = () => nowMs;
    content = createContent({
      ...{ sql: db.sql, now, random: () => 0.5 },
      cache: createCache({ clock, log: quiet, now, l1MaxBytes: 10_000_000 }),
      images,
      search: { changed: async () => undefined },
      onItemsChanged: async (_tx, _kind, ids) => void noted.push(...ids),
      write: writeOn(db.sql, clock, (events) => told.push(...toldOf(events).map((e) => e.name))),
    });
  });

  const scan = async (directories?: readonly string[]) => {
    const batch = await library.batch(directories);
    await db.sql.begin((tx) => content.modules[0]!.identify(tx, batch));
  };
  async function ask<Id extends OperationId>(handler: Handler<Id>, params: object, body?: object) {
    const principal = { userId: users[0]! };
    const call = { params, query: {}, body, principal, request: { headers: {} } };
    return ((await handler(call as unknown as Call<Id>)) as { body: Film }).body;
  }
  const merge = (movieId: string, ...movieIds: string[]) =>
    ask(content.handlers.mergeMovies, { movieId }, { movieIds });
  const split = (movieId: string, ...fileIds: string[]) =>
    ask(content.handlers.splitMovie, { movieId }, { fileIds });
  /** As it is kept; scans of these tests make nothing stale. */
  const show = async (movieId: string) => (await readDetail(db.sql, images, movieId))!.view;
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => undefined,
      (error: { code?: string }) => error.code,
    );
  /** The files of films by title, in their order. */
  const films = async () => {
    const rows = await db.sql<{ film: string; files: string[] }[]>`
      select m.title as film, array_agg(f.name order by f.name) as files
      from movies m join files f on f.item_id = m.id and f.role = 'video'
        and f.missing_since is null
      group by m.id order by m.title, min(f.name)`;
    return rows.map(({ film, files }) => `${film}: ${files.join(', ')}`);
  };
  const idOf = async (title: string) => {
    const [row] = await db.sql<{ id: string }[]>`
      select id from movies where title = ${title} order by id limit 1`;
    return row!.id;
  };
  const fileOf = async (name: string) => {
    const [row] = await db.sql<{ id: string }[]>`
      select id from files where name = ${name} and missing_since is null`;
    return row!.id;
  };
  const two = async () => {
    await library.put({
      'Heat (1995) [tmdbid-949]/Heat.mkv': 4 * GB,
      'Heat Directors Definitive [tmdbid-7]/Heat DDE.mkv': 6 * GB,
    });
    await scan();
    return { heat: await idOf('Heat'), other: await idOf('Heat Directors Definitive') };
  };
  const asOne = ['Heat: Heat DDE.mkv, Heat.mkv'];

  it('are one with the versions of both, and stay so through scans', async () => {
    const { heat, other } = await two();
    const film = await merge(heat, other);
    expect(film).to.deep.include({ id: heat, title: 'Heat', externalIds: { tmdb: '949' } });
    expect(film.versions).to.have.length(2);
    expect(await db.sql`select id from movies`).to.deep.equal([{ id: heat }]);
    expect(told).to.deep.equal(['item.updated', 'item.updated']);
    expect(noted).to.have.members([heat, other]);
    for (const directories of [
      undefined,
      ['Heat Directors Definitive [tmdbid-7]'],
      ['Heat (1995) [tmdbid-949]'],
    ]) {
      await scan(directories);
      expect(await films()).to.deep.equal(asOne);
      expect(await show(heat)).to.deep.include({
        ...{ title: 'Heat', year: 1995, externalIds: { tmdb: '949' } },
      });
    }
  });

  it('stay one when files of either are renamed, or replaced by better ones', async () => {
    const { heat, other } = await two();
    await merge(heat, other);
    await library.move('Heat (1995) [tmdbid-949]/Heat.mkv', 'Hitze (1995)/Hitze.mkv');
    await library.move('Heat Directors Definitive [tmdbid-7]/Heat DDE.mkv', 'X (1970)/X.mkv');
    await db.sql`delete from directories where path like 'Heat %'`;
    await scan();
    expect(await db.sql`select id from movies`).to.deep.equal([{ id: heat }]);
    await library.lose('X (1970)/X.mkv');
    await library.put({ 'X (1970)/X 2160p.mkv': 20 * GB });
    await scan();
    await db.sql`delete from files where missing_since is not null`;
    await scan();
    expect(await films()).to.deep.equal(['Hitze: Hitze.mkv, X 2160p.mkv']);
  });

  describe('in a folder of many films', () => {
    const flat = {
      'Flat/Alien (1979).mkv': 4 * GB,
      'Flat/Alien Bonus (2003).mkv': 2 * GB,
      'Flat/Ran (1985).mkv': 2 * GB,
    };
    const bonus = 'Flat/Alien Bonus (2003).mkv';
    const better = 'Flat/Alien.Bonus.2003.2160p.WEB.mkv';
    const merged = async () => {
      await library.put(flat);
      await scan();
      const alien = await idOf('Alien');
      await merge(alien, await idOf('Alien Bonus'));
      return alien;
    };
    const orders: Readonly<Record<string, () => Promise<void>>> = {
      'is there with it, then goes': async () => {
        await library.put({ [better]: 9 * GB });
        await scan();
        await library.lose(bonus);
      },
      'came after it went': async () => {
        await library.lose(bonus);
        await scan();
        await library.put({ [better]: 9 * GB });
      },
      'came when it went': async () => {
        await library.lose(bonus);
        await library.put({ [better]: 9 * GB });
      },
    };
    for (const [when, replace] of Object.entries(orders)) {
      it(`stay one when a better file that ${when} replaces one of them`, async () => {
        const alien = await merged();
        await replace();
        await scan();
        const both = 'Alien: Alien (1979).mkv, Alien.Bonus.2003.2160p.WEB.mkv';
        const now = [both, 'Ran: Ran (1985).mkv'];
        expect(await films()).to.deep.equal(now);
        await db.sql`delete from files where missing_since is not null`;
        await scan();
        expect(await films(), 'once the old one is forgotten').to.deep.equal(now);
        expect(await show(alien)).to.include({ title: 'Alien', year: 1979 });
      });
    }

    it('stay apart when a better file replaces one of them', async () => {
      const cut = 'Flat/Alien (1979) Directors Cut.mkv';
      await library.put({ ...flat, [cut]: 3 * GB });
      await scan();
      const alien = await idOf('Alien');
      const other = await split(alien, await fileOf('Alien (1979) Directors Cut.mkv'));
      await library.lose(cut);
      await library.put({ 'Flat/Alien.1979.Directors.Cut.2160p.mkv': 9 * GB });
      await scan();
      const files = await db.sql`
        select name from files where item_id = ${other.id} and missing_since is null`;
      expect([...files]).to.deep.equal([{ name: 'Alien.1979.Directors.Cut.2160p.mkv' }]);
      await library.put({ 'Flat/Alien (1979) 1080p.mkv': 5 * GB });
      await scan();
      expect((await show(alien)).versions).to.have.length(2);
    });

    it('are not what another film is that comes after one went', async () => {
      const alien = await merged();
      await library.lose(bonus);
      await library.put({ 'Flat/Alien Bonus (2012).mkv': 2 * GB, 'Flat/Brave (2012).mkv': GB });
      await scan();
      expect((await show(alien)).versions).to.have.length(1);
      expect(await db.sql`select id from movies`).to.have.length(4);
    });

    it('keep what a person set when a better file bears no id, or has no NFO beside it', async () => {
      await library.put({
        'Flat/Foo (2001) [tmdbid-7].mkv': GB,
        'Other/Bar (2001) [tmdbid-7].mkv': GB,
        'Flat/Baz (2002).mkv': GB,
        'Flat/Baz (2002).nfo': '<movie><title>Told</title><year>1999</year></movie>',
      });
      await scan();
      const [foo] = await db.sql<{ id: string }[]>`
        select id from movies where title in ('Foo', 'Bar')`;
      const told = await idOf('Told');
      for (const id of [foo!.id, told]) {
        const update = { overview: 'By me' };
        await db.sql.begin((tx) =>
          editWork(tx, editableFilms, { id, update, revision: undefined }),
        );
      }
      await library.lose('Flat/Foo (2001) [tmdbid-7].mkv');
      await library.lose('Other/Bar (2001) [tmdbid-7].mkv');
      await library.lose('Flat/Baz (2002).mkv');
      await library.put({
        'Flat/Foo.2001.2160p.mkv': 9 * GB,
        'Other/Bar.2001.2160p.mkv': 9 * GB,
        'Flat/Baz.2002.2160p.mkv': 9 * GB,
      });
      await scan();
      expect(await db.sql`select id from movies`).to.have.length(2);
      expect(await db.sql`select id from movies`).to.have.length(2);
      expect(await show(foo!.id)).to.include({ overview: 'By me' });
      expect(await show(told)).to.include({ overview: 'By me' });
      expect((await show(foo!.id)).versions).to.have.length(2);
      expect((await show(told)).versions).to.have.length(1);
    });
  });

  it('keep what people did with either, and what was set of the one that stays', async () => {
    const { heat, other } = await two();
    const [ann, ben] = users as [string, string];
    const key = (userId: string, itemId: string) => ({ userId, kind: 'movie', itemId });
    const at = (minute: number) => nowMs + minute * 60_000;
    const progress = (positionMs: number, atMs: number) => ({
      ...{ positionMs, atMs, isWatched: false, durationMs: 9_000_000, fileId: undefined },
    });
    await db.sql.begin(async (tx) => {
      await saveWatched(tx, key(ann, other), { isWatched: true, atMs: at(1) });
      await saveWatched(tx, key(ann, heat), { isWatched: false, atMs: at(2) });
      await saveShelf(tx, key(ann, other), { shelf: 'favourite', atMs: at(3) });
      await saveProgress(tx, key(ben, other), progress(5_000_000, at(1)));
      await saveProgress(tx, key(ben, heat), progress(60_000, at(2)));
      await saveShelf(tx, key(ben, heat), { shelf: 'watchlist', atMs: at(3) });
      const edit = { revision: undefined, userId: ann };
      const mine = { title: 'Mine', overview: 'Mine' };
      await editWork(tx, editableFilms, { ...edit, id: heat, update: { title: 'Mine' } });
      await editWork(tx, editableFilms, {
        ...{ ...edit, id: other, update: { ...mine, title: 'Not this' } },
      });
    });
    // What is cached of them is stale.
    await ask(content.handlers.getMovie, { movieId: heat });
    const film = await merge(heat, other);
    expect(film).to.deep.include({ title: 'Mine', overview: 'Mine' });
    expect(film.lockedFields).to.deep.equal(['overview', 'title']);
    expect(film.userState).to.include({ isWatched: true, isFavourite: true });
    const states = await statesOf(db.sql, ben, { kind: 'movie', itemIds: [heat] });
    expect(states.get(heat)).to.include({ positionMs: 5_000_000 });
    expect(states.get(heat)!.watchlistAt).to.be.an.instanceOf(Date);
    const [last] = await historyOf(db.sql, 'movie', heat);
    expect(last).to.deep.include({
      ...{ source: 'user', username: 'ann', fields: { merged: [null, 'Not this'] } },
    });
  });

  it('are made one once, however often that is asked', async () => {
    const { heat, other } = await two();
    await merge(heat, other, heat, other);
    const before = await db.sql`select * from work_changes`;
    expect((await merge(heat, other)).versions).to.have.length(2);
    expect(await db.sql`select * from work_changes`).to.deep.equal(before);
    const none = '00000000-0000-7000-8000-000000000000';
    expect(await failure(merge(heat, none))).to.equal('not-found');
    expect(await failure(merge(none, heat))).to.equal('not-found');
  });

  it('are not made one across libraries', async () => {
    const { heat } = await two();
    library = await filmLibrary(db.sql);
    await library.put({ 'Ran (1985)/Ran.mkv': GB });
    await scan();
    expect(await failure(merge(heat, await idOf('Ran')))).to.equal('unprocessable');
  });

  const together = {
    'Alien (1979) [tmdbid-348]/Alien (1979).mkv': 4 * GB,
    'Alien (1979) [tmdbid-348]/Alien (1979) - Fan Cut.mkv': 2 * GB,
    'Alien (1979) [tmdbid-348]/Alien (1979) - Fan Cut.en.srt': 9,
  };
  const apart = ['Alien: Alien (1979) - Fan Cut.mkv', 'Alien: Alien (1979).mkv'];

  it('keep what a person set through a better file, and a rename in two steps after it', async () => {
    const cut = 'Zulu (1995)/Zulu (1995) - Cut.mkv';
    await library.put({ 'Zulu (1995)/Zulu (1995).mkv': GB, [cut]: GB });
    await scan();
    const id = await idOf('Zulu');
    await db.sql.begin((tx) =>
      editWork(tx, editableFilms, { id, update: { overview: 'By me' }, revision: undefined }),
    );
    await library.lose('Zulu (1995)/Zulu (1995).mkv');
    await library.put({ 'Zulu (1995)/Zulu (1995) 2160p.mkv': 9 * GB });
    await scan();
    for (const [from, to] of [
      ['Zulu (1995) 2160p.mkv', 'Alpha (1996).mkv'],
      ['Zulu (1995) - Cut.mkv', 'Alpha (1996) - Cut.mkv'],
    ]) {
      await library.move(`Zulu (1995)/${from}`, `Alpha (1996)/${to}`);
      await scan(['Alpha (1996)']);
    }
    expect(await db.sql`select title, overview from movies`).to.deep.equal([
      { title: 'Alpha', overview: 'By me' },
    ]);
    const missing = await db.sql`
      select from files f join movies m on m.id = f.item_id where f.missing_since is not null`;
    expect(missing, 'what may come back').to.have.length(1);
  });

  it('are taken apart where the rest is missing, and what is left stays', async () => {
    await library.put(together);
    await scan();
    const alien = await idOf('Alien');
    await library.lose('Alien (1979) [tmdbid-348]/Alien (1979).mkv');
    const film = await split(alien, await fileOf('Alien (1979) - Fan Cut.mkv'));
    const rows = await db.sql<{ id: string }[]>`select id from movies`;
    expect(rows.map(({ id }) => id)).to.have.members([alien, film.id]);
  });

  it('are taken apart, and no scan makes them one again', async () => {
    await library.put(together);
    await scan();
    const alien = await idOf('Alien');
    const cut = await fileOf('Alien (1979) - Fan Cut.mkv');
    const film = await split(alien, cut);
    expect(film.id).to.not.equal(alien);
    expect(film.versions.map(({ files }) => files[0]!.id)).to.deep.equal([cut]);
    expect(film.externalIds).to.deep.equal({});
    expect(told).to.deep.equal(['item.updated', 'item.added']);
    for (const directories of [undefined, ['Alien (1979) [tmdbid-348]']]) {
      await scan(directories);
      expect(await films()).to.deep.equal(apart);
    }
    expect((await show(alien)).externalIds).to.deep.equal({ tmdb: '348' });
    const [subtitle] = await db.sql`select item_id from files where role = 'subtitle'`;
    expect(subtitle).to.deep.equal({ item_id: film.id });
    expect((await split(alien, cut)).id, 'asked again').to.equal(film.id);
    const [[of], [mine]] = [
      await historyOf(db.sql, 'movie', alien),
      await historyOf(db.sql, 'movie', film.id),
    ];
    expect(of!.fields).to.deep.equal({ split: [null, 'Alien (1979)'] });
    expect(mine!.fields).to.deep.equal({ splitFrom: [null, 'Alien (1979)'] });
  });

  it('take each other back, whichever was first', async () => {
    await library.put(together);
    await scan();
    const alien = await idOf('Alien');
    const { id } = await split(alien, await fileOf('Alien (1979) - Fan Cut.mkv'));
    await merge(alien, id);
    await scan();
    expect(await films()).to.deep.equal(['Alien: Alien (1979) - Fan Cut.mkv, Alien (1979).mkv']);
    expect((await show(alien)).externalIds).to.deep.equal({ tmdb: '348' });

    const { heat, other } = await two();
    await merge(heat, other);
    const film = await split(heat, await fileOf('Heat DDE.mkv'));
    expect(film).to.deep.include({
      ...{ title: 'Heat Directors Definitive', externalIds: { tmdb: '7' }, lockedFields: [] },
    });
    await library.put({
      'Heat Directors Definitive [tmdbid-7]/movie.nfo': '<movie><plot>Told.</plot></movie>',
    });
    await scan();
    expect(await show(film.id)).to.deep.include({ overview: 'Told.' });
    expect(await db.sql`select from movies`).to.have.length(3);
  });

  it('are not taken apart where nothing would be left, nor by files of others', async () => {
    const { heat, other } = await two();
    const [mine, theirs] = [await fileOf('Heat.mkv'), await fileOf('Heat DDE.mkv')];
    expect(await failure(split(heat, mine))).to.equal('unprocessable');
    expect(await failure(split(heat, theirs))).to.equal('not-found');
    expect(await failure(split('00000000-0000-7000-8000-000000000000', mine))).to.equal(
      'not-found',
    );
    expect(await db.sql`select from file_pins`).to.have.length(0);
    expect((await show(other)).versions).to.have.length(1);
  });

  it('take all parts of a version along', async () => {
    await library.put({
      'Das Boot (1981)/Das Boot (1981) - Cut cd1.avi': GB,
      'Das Boot (1981)/Das Boot (1981) - Cut cd2.avi': GB,
      'Das Boot (1981)/Das Boot (1981).mkv': GB,
    });
    await scan();
    await split(await idOf('Das Boot'), await fileOf('Das Boot (1981) - Cut cd1.avi'));
    await scan();
    expect(await films()).to.deep.equal([
      'Das Boot: Das Boot (1981) - Cut cd1.avi, Das Boot (1981) - Cut cd2.avi',
      'Das Boot: Das Boot (1981).mkv',
    ]);
  });
});
