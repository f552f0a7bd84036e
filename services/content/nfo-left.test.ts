import { readdir } from 'node:fs/promises';
import { expect } from 'chai';
import { nfoRig, type NfoRig } from '#test/nfo.ts';
import { inheritFiles, mergeWorks } from './merge.ts';
import { editableFilms } from './movie/edit.ts';
import { removeFilms } from './movie/remove.ts';
import { dueWorks } from './nfo-due.ts';
import type { NfoDeps } from './nfo-job.ts';
import { removeSeries } from './series/remove.ts';

describe('NFO files of ours beside works that are gone', () => {
  let rig: NfoRig;
  let db: NfoRig['db'];

  before(async () => {
    rig = await nfoRig();
    ({ db } = rig);
  });
  after(() => rig.close());
  beforeEach(() => rig.begin());
  afterEach(() => rig.end());

  const flat = ['Flat/Alien (1979).mkv', 'Flat/Brave (2012).mkv'] as const;
  const idOf = async (title: string) => {
    const [film] = await db.sql<{ id: string }[]>`select id from movies where title = ${title}`;
    return film!.id;
  };
  /** As when their files have been missing for long. */
  const forget = async (title: string) => {
    const id = await idOf(title);
    await db.sql`delete from files where item_id = ${id}`;
    await db.sql.begin((tx) => removeFilms(tx, { itemIds: [id] }));
    return id;
  };
  const left = async () => (await readdir(rig.pathOf('Flat'))).filter((name) => /nfo$/.test(name));
  const states = () => db.sql`select is_due, problem from nfo_states where version = 'gone'`;

  it('go too', async () => {
    await rig.libraryOf('movie', flat);
    await rig.run();
    await forget('Alien');
    await rig.run();
    expect(await left()).to.deep.equal(['Brave (2012).nfo']);
    expect(await states()).to.have.length(0);
    expect(await db.sql`select from nfo_files`).to.have.length(1);
  });

  it('go with those of episodes', async () => {
    await rig.libraryOf('series', ['Dark/Dark S01E01.mkv']);
    await rig.run();
    await db.sql`delete from files`;
    const [show] = await db.sql<{ id: string }[]>`select id from series`;
    await db.sql.begin((tx) => removeSeries(tx, { itemIds: [show!.id] }, async () => undefined));
    await rig.run();
    expect(await readdir(rig.pathOf('Dark'))).to.deep.equal(['Dark S01E01.mkv']);
    expect(await db.sql`select from nfo_states`).to.have.length(0);
  });

  it('stay where somebody changed them, or has put their own there', async () => {
    await rig.libraryOf('movie', flat);
    await rig.run();
    const changed = `${await rig.text('Flat/Alien (1979).nfo')}<!-- mine -->`;
    const theirs = '<movie><title>Theirs</title></movie>';
    await rig.put({ 'Flat/Alien (1979).nfo': changed, 'Flat/Brave (2012).nfo': theirs });
    await forget('Alien');
    await forget('Brave');
    await rig.run();
    expect(await rig.text('Flat/Alien (1979).nfo')).to.equal(changed);
    expect(await rig.text('Flat/Brave (2012).nfo')).to.equal(theirs);
    expect(await db.sql`select from nfo_files`).to.have.length(0);
    expect(await states()).to.have.length(0);
  });

  it('stay while the library does not ask for any, and go once it does again', async () => {
    await rig.libraryOf('movie', flat);
    await rig.run();
    await db.sql`update libraries set options = '{}'`;
    await forget('Alien');
    await rig.run();
    expect(await left()).to.have.length(2);
    expect(await states()).to.have.length(0);
    await db.sql`update libraries set options = '{"writeNfo": true}'`;
    await rig.run();
    // The other is alone in its folder now.
    expect(await left()).to.deep.equal(['movie.nfo']);
  });

  it('stay with what they are, where the work turned out to be another', async () => {
    await rig.libraryOf('movie', flat);
    await rig.run();
    const [from, to] = [await idOf('Alien'), await idOf('Brave')];
    await db.sql.begin(async (tx) => {
      await mergeWorks(tx, editableFilms, [{ from, to }]);
      await inheritFiles(tx, [{ from, to }]);
      await removeFilms(tx, { itemIds: [from] });
      await rig.writing.changed(tx, 'movie', [to]);
    });
    await rig.run();
    // Alone in its folder now, with two videos.
    expect(await left()).to.deep.equal(['movie.nfo']);
    expect(await rig.text('Flat/movie.nfo')).to.contain('<title>Brave</title>');
    expect(await db.sql`select item_id from nfo_files`).to.deep.equal([{ item_id: to }]);
  });

  it('stay with the work that has their place by now', async () => {
    await rig.libraryOf('movie', flat);
    await rig.run();
    const [from, to] = [await forget('Alien'), await idOf('Brave')];
    await db.sql`update nfo_files set item_id = ${to} where item_id = ${from}`;
    await rig.run();
    expect(await left()).to.have.length(2);
    expect(await states()).to.have.length(0);
  });

  it('wait for a folder that is away, and for one that may be written to', async () => {
    await rig.libraryOf('movie', flat);
    await rig.run();
    await db.sql`update library_roots set unavailable_since = now()`;
    await forget('Alien');
    await rig.run();
    expect(await left()).to.have.length(2);
    expect(await states()).to.deep.equal([{ is_due: true, problem: 'a folder is away' }]);
    expect(await dueWorks(db.sql, 10), 'not at once').to.have.length(0);

    await db.sql`update library_roots set unavailable_since = null`;
    await db.sql`update nfo_states set next_at = now()`;
    let removals = 0;
    const readOnly: NfoDeps['media'] = {
      read: rig.media.read,
      put: async () => {
        removals += 1;
        return 'read-only';
      },
    };
    await rig.run(readOnly);
    await rig.run(readOnly);
    expect(removals, 'once').to.equal(1);
    const problem = 'nothing may be written there';
    expect(await states()).to.deep.equal([{ is_due: true, problem }]);
    expect(rig.warned).to.have.length(1);
    await db.sql`update nfo_states set next_at = now()`;
    await rig.run();
    expect(await left()).to.deep.equal(['Brave (2012).nfo']);
  });

  it('stay when all of the library goes', async () => {
    const { id } = await rig.libraryOf('movie', flat);
    await rig.run();
    await db.sql.begin(async (tx) => {
      await removeFilms(tx, { libraryId: id });
      await tx`delete from libraries where id = ${id}`;
    });
    await rig.run();
    expect(await left()).to.have.length(2);
    expect(await db.sql`select from nfo_states`).to.have.length(0);
  });
});
