import { mkdir, readdir, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import type { FilmLibrary } from '#test/films.ts';
import { nfoRig, type NfoRig } from '#test/nfo.ts';
import { rowsRead, type PlanNode } from '#test/plan.ts';
import { editWork } from './edit.ts';
import type { Kind } from './module.ts';
import { editableFilms } from './movie/edit.ts';
import { dueWorks, saveState } from './nfo-due.ts';

describe('NFO files beside the media', () => {
  let rig: NfoRig;
  let db: NfoRig['db'];
  let writing: NfoRig['writing'];

  before(async () => {
    rig = await nfoRig();
    ({ db } = rig);
  });
  after(() => rig.close());
  beforeEach(async () => {
    await rig.begin();
    ({ writing } = rig);
  });
  afterEach(() => rig.end());

  const run = () => rig.run();
  const scan = (library: FilmLibrary, kind: Kind) => rig.scan(library, kind);
  const pathOf = (path: string) => rig.pathOf(path);
  const text = (path: string) => rig.text(path);
  const put = (files: Readonly<Record<string, string>>) => rig.put(files);
  const libraryOf = (kind: Kind, paths: readonly string[], isAsking = true) =>
    rig.libraryOf(kind, paths, isAsking);
  /** Has all works written anew, as in a library that has just begun to ask. */
  const again = () => db.sql`delete from nfo_libraries`;
  const state = async () => {
    const [row] = await db.sql<{ problem: string | null }[]>`select problem from nfo_states`;
    return row?.problem;
  };

  it('are written of films, each where others look for it', async () => {
    await libraryOf('movie', [
      'Heat (1995) [tmdbid-949]/Heat.mkv',
      'Flat/Alien (1979).mkv',
      'Flat/Brave (2012).mkv',
      'Top (2001).mkv',
    ]);
    await run();
    expect(await readdir(pathOf('Flat'))).to.deep.equal([
      'Alien (1979).mkv',
      'Alien (1979).nfo',
      'Brave (2012).mkv',
      'Brave (2012).nfo',
    ]);
    expect(await text('Top (2001).nfo')).to.contain('<title>Top</title>');
    const heat = await text('Heat (1995) [tmdbid-949]/movie.nfo');
    expect(heat).to.contain('<uniqueid type="tmdb" default="true">949</uniqueid>');
  });

  it('are written of series and their episodes', async () => {
    await libraryOf('series', [
      'Dark (2017) [tvdbid-1]/Season 1/Dark S01E01 Secrets.mkv',
      'Dark (2017) [tvdbid-1]/Season 1/Dark S01E02E03.mkv',
    ]);
    await run();
    const show = await text('Dark (2017) [tvdbid-1]/tvshow.nfo');
    expect(show).to.contain('<title>Dark</title>').and.contain('>1</uniqueid>');
    const one = await text('Dark (2017) [tvdbid-1]/Season 1/Dark S01E01 Secrets.nfo');
    expect(one).to.contain('<title>Secrets</title>').and.contain('<episode>1</episode>');
    const both = await text('Dark (2017) [tvdbid-1]/Season 1/Dark S01E02E03.nfo');
    expect(both.match(/<episodedetails>/g)).to.have.length(2);
  });

  it('are not written unless the library asks for it', async () => {
    await libraryOf('movie', ['Heat (1995)/Heat.mkv'], false);
    await run();
    expect(await readdir(pathOf('Heat (1995)'))).to.deep.equal(['Heat.mkv']);
  });

  it('are written anew when the work changes, and say nothing to the next scan', async () => {
    const library = await libraryOf('movie', ['Heat (1995)/Heat.mkv']);
    await run();
    const path = 'Heat (1995)/movie.nfo';
    const first = await text(path);
    await library.put({ [path]: first });
    const before = await db.sql`select title, year, sources, match, revision from movies`;
    await scan(library, 'movie');
    expect(await db.sql`select title, year, sources, match, revision from movies`).to.deep.equal(
      before,
    );
    const [film] = await db.sql<{ id: string }[]>`select id from movies`;
    await db.sql.begin(async (tx) => {
      await editWork(tx, editableFilms, {
        ...{ id: film!.id, update: { overview: 'By me' }, revision: undefined },
      });
      await writing.changed(tx, 'movie', [film!.id]);
    });
    await run();
    expect(await text(path)).to.contain('<plot>By me</plot>');
    expect(await readdir(pathOf('Heat (1995)'))).to.deep.equal(['Heat.mkv', 'movie.nfo']);
  });

  it('tell an empty catalogue which films and series they were', async () => {
    const paths = { movie: 'Odd name/odd.mkv', series: 'Odd/Odd S01E01.mkv' };
    for (const kind of ['movie', 'series'] as const) {
      const name = kind === 'movie' ? 'Odd name/movie.nfo' : 'Odd/tvshow.nfo';
      const library = await libraryOf(kind, [paths[kind]]);
      await db.sql`
        insert into external_ids (kind, item_id, source, value)
        select ${kind}, item_id, 'tmdb', '949' from files where role = 'video' limit 1`;
      await run();
      const written = await text(name);
      await db.sql`delete from libraries`;
      await db.sql`delete from external_ids`;
      await rm(pathOf(name));
      const again = await libraryOf(kind, []);
      await again.put({ [paths[kind]]: 1_000_000_000, [name]: written });
      await scan(again, kind);
      expect(await db.sql`select source, value from external_ids`).to.deep.equal([
        { source: 'tmdb', value: '949' },
      ]);
      await db.sql`delete from external_ids`;
      await db.sql`delete from libraries`;
      expect(library.id).to.not.equal(again.id);
    }
  });

  it('of others stay, and so do ours that somebody changed', async () => {
    const library = await libraryOf('movie', ['Heat (1995)/Heat.mkv', 'Ran (1985)/Ran.mkv']);
    const theirs = '<movie><title>Theirs</title></movie>';
    await put({ 'Heat (1995)/movie.nfo': theirs, 'Ran (1985)/Ran.nfo': theirs });
    await library.put({ 'Heat (1995)/movie.nfo': theirs, 'Ran (1985)/Ran.nfo': theirs });
    await scan(library, 'movie');
    await run();
    expect(await text('Heat (1995)/movie.nfo')).to.equal(theirs);
    expect(await readdir(pathOf('Ran (1985)'))).to.deep.equal(['Ran.mkv', 'Ran.nfo']);

    await rm(pathOf('Heat (1995)/movie.nfo'));
    await again();
    await run();
    const changed = (await text('Heat (1995)/movie.nfo')).replace(
      '</movie>',
      '<tag>x</tag></movie>',
    );
    await put({ 'Heat (1995)/movie.nfo': changed });
    await again();
    await run();
    expect(await text('Heat (1995)/movie.nfo')).to.equal(changed);
  });

  it('are never written through links that lead out', async () => {
    await libraryOf('movie', ['Heat (1995)/Heat.mkv']);
    await mkdir(join(rig.base, 'outside'));
    await rm(pathOf('Heat (1995)'), { recursive: true });
    await symlink(join(rig.base, 'outside'), pathOf('Heat (1995)'));
    await run();
    expect(await readdir(join(rig.base, 'outside'))).to.deep.equal([]);
  });

  it('are tried again where a mount is away, and refused ones are told of once', async () => {
    const library = await libraryOf('movie', ['Heat (1995)/Heat.mkv', 'Ran (1985)/Ran.mkv']);
    await db.sql`update library_roots set path = ${join(rig.base, 'unmounted')}`;
    await run();
    expect(await state()).to.contain('the root cannot be read');
    await db.sql`update library_roots set path = ${join(rig.base, 'library')}`;
    await run();
    expect(await readdir(pathOf('Ran (1985)'))).to.deep.equal(['Ran.mkv']);
    await db.sql`update nfo_states set next_at = now()`;
    await run();
    expect(await readdir(pathOf('Ran (1985)'))).to.deep.equal(['Ran.mkv', 'movie.nfo']);
    expect(await state()).to.equal(null);

    // The kernel's own files: nobody makes others there, whoever they are.
    await db.sql`update library_roots set path = '/sys'`;
    await db.sql`update directories set path = 'kernel' where path = 'Ran (1985)'`;
    await db.sql`update directories set path = 'devices' where path = 'Heat (1995)'`;
    await again();
    await run();
    await db.sql`update nfo_states set next_at = now()`;
    await run();
    expect(await state()).to.equal('nothing may be written there');
    expect(rig.warned).to.have.length(1);
    expect(library.id).to.be.a('string');
  });

  describe('of videos that have other names now', () => {
    /** As a scan does that finds a file under another name. */
    const renamed = async (library: FilmLibrary, kind: Kind, [from, to]: [string, string]) => {
      await mkdir(dirname(pathOf(to)), { recursive: true });
      await rename(pathOf(from), pathOf(to));
      await library.move(from, to);
      await scan(library, kind);
      const [row] = await db.sql<{ id: string }[]>`
        select item_id as id from files where path = ${to} and role = 'video'`;
      await writing.changed(db.sql, kind, [row!.id]);
      await run();
    };
    const flat = ['Flat/Alien (1979).mkv', 'Flat/Brave (2012).mkv'] as const;

    it('go, where they are ours', async () => {
      const library = await libraryOf('movie', flat);
      await run();
      const to = 'Flat/Alien.1979.2160p.mkv';
      await renamed(library, 'movie', [flat[0], to]);
      const files = ['Alien.1979.2160p.mkv', 'Alien.1979.2160p.nfo'];
      expect(await readdir(pathOf('Flat'))).to.deep.equal([
        ...files,
        ...['Brave (2012).mkv', 'Brave (2012).nfo'],
      ]);
      expect(await text('Flat/Alien.1979.2160p.nfo')).to.contain('<title>Alien</title>');
      await renamed(library, 'movie', [to, 'Alien (1979)/Alien.mkv']);
      expect(await readdir(pathOf('Flat'))).to.deep.equal(['Brave (2012).mkv', 'movie.nfo']);
      expect(await readdir(pathOf('Alien (1979)'))).to.deep.equal(['Alien.mkv', 'movie.nfo']);
    });

    it('stay, where somebody changed them, or has put their own there', async () => {
      const library = await libraryOf('movie', flat);
      await run();
      const changed = `${await text('Flat/Alien (1979).nfo')}<!-- mine -->`;
      const theirs = '<movie><title>Theirs</title></movie>';
      await put({ 'Flat/Alien (1979).nfo': changed, 'Flat/Brave (2012).nfo': theirs });
      await renamed(library, 'movie', [flat[0], 'Flat/Alien.1979.2160p.mkv']);
      await renamed(library, 'movie', [flat[1], 'Flat/Brave.2012.2160p.mkv']);
      expect(await text('Flat/Alien (1979).nfo')).to.equal(changed);
      expect(await text('Flat/Brave (2012).nfo')).to.equal(theirs);
    });

    it('go with those of episodes, and of a series whose folder is another', async () => {
      const [from, to] = ['Dark/Dark S01E01.mkv', 'Dark (2017)/Season 1/Dark S01E01 Secrets.mkv'];
      const library = await libraryOf('series', [from]);
      await run();
      expect(await readdir(pathOf('Dark'))).to.deep.equal([
        ...['Dark S01E01.mkv', 'Dark S01E01.nfo', 'tvshow.nfo'],
      ]);
      await renamed(library, 'series', [from, to]);
      expect(await readdir(pathOf('Dark'))).to.deep.equal([]);
      expect(await readdir(pathOf('Dark (2017)'))).to.deep.equal(['Season 1', 'tvshow.nfo']);
    });

    it('stay while nothing of the work is there, and while they cannot be looked at', async () => {
      const library = await libraryOf('movie', flat);
      await run();
      await library.lose(flat[0]);
      const ids = await db.sql<{ id: string }[]>`select id from movies order by title`;
      await writing.changed(
        db.sql,
        'movie',
        ids.map(({ id }) => id),
      );
      await run();
      expect(await readdir(pathOf('Flat'))).to.include('Alien (1979).nfo');
      expect(await db.sql`select from nfo_files`).to.have.length(2);
    });
  });

  it('on a root that is away stay ours, and keep nothing else waiting', async () => {
    const library = await libraryOf('movie', ['Heat (1995)/Heat.mkv']);
    const [film] = await db.sql<{ id: string }[]>`select id from movies`;
    await mkdir(join(rig.base, 'empty'));
    await db.sql`
      with away as (
        insert into library_roots (library_id, path, unavailable_since)
        select ${library.id}, ${rig.base} || '/' || name, now()
        from unnest(array['gone', 'empty']) as name returning id)
      insert into nfo_files select id, 'movie.nfo', 'movie', ${film!.id} from away`;
    await run();
    expect(await state()).to.equal(null);
    expect(await db.sql`select from nfo_files`).to.have.length(3);
  });

  it('cost nothing where nothing changed, however many works there are', async () => {
    await libraryOf('movie', ['Heat (1995)/Heat.mkv']);
    await db.sql`
      insert into movies (library_id, title, sort_title, identity)
      select id, 'x' || n, 'x', 'x' || n from libraries, generate_series(1, 5000) as n`;
    await db.sql`
      insert into nfo_states (kind, item_id, version, is_due)
      select 'movie', id, '', false from movies
      on conflict (kind, item_id) do update set is_due = false`;
    await db.sql`insert into nfo_libraries select id from libraries on conflict do nothing`;
    await db.sql`vacuum analyze`;
    const [heat] = await db.sql<{ id: string }[]>`select id from movies where title = 'Heat'`;
    for (const due of [0, 1]) {
      if (due === 1) await writing.changed(db.sql, 'movie', [heat!.id]);
      const [row] = await db.sql<[{ 'QUERY PLAN': [{ Plan: PlanNode }] }]>`
        explain (analyze, format json) ${dueWorks(db.sql, 1_000)}`;
      expect(rowsRead(row['QUERY PLAN'][0].Plan)).to.be.lessThan(20);
    }
    await run();
    expect(await text('Heat (1995)/movie.nfo')).to.contain('<title>Heat</title>');
    expect(await db.sql`select from nfo_states where is_due`).to.have.length(0);
  });

  it('of a change during writing are written anew', async () => {
    await libraryOf('movie', ['Heat (1995)/Heat.mkv']);
    await run();
    const [heat] = await db.sql<{ id: string }[]>`select id from movies`;
    await writing.changed(db.sql, 'movie', [heat!.id]);
    const [due] = await dueWorks(db.sql, 1);
    await writing.changed(db.sql, 'movie', [heat!.id]);
    await saveState(db.sql, due!, { problem: null, nextMs: 0 });
    expect(await dueWorks(db.sql, 10)).to.have.length(1);
  });

  it('are written of all works once a library asks, and of none once it does no more', async () => {
    await libraryOf('movie', ['Heat (1995)/Heat.mkv'], false);
    await run();
    expect(await readdir(pathOf('Heat (1995)'))).to.deep.equal(['Heat.mkv']);
    await db.sql`update libraries set options = '{"writeNfo": true}'`;
    await run();
    expect(await readdir(pathOf('Heat (1995)'))).to.deep.equal(['Heat.mkv', 'movie.nfo']);
    const [heat] = await db.sql<{ id: string }[]>`select id from movies`;
    await writing.changed(db.sql, 'movie', [heat!.id]);
    await db.sql`update libraries set options = '{}'`;
    await rm(pathOf('Heat (1995)/movie.nfo'));
    await run();
    expect(await readdir(pathOf('Heat (1995)'))).to.deep.equal(['Heat.mkv']);
    expect(await dueWorks(db.sql, 10)).to.have.length(0);
    await db.sql`update libraries set options = '{"writeNfo": true}'`;
    await run();
    expect(await readdir(pathOf('Heat (1995)'))).to.deep.equal(['Heat.mkv', 'movie.nfo']);
  });
});
