import { expect } from 'chai';
import fc from 'fast-check';
import type { IdentifyBatch } from '../module.ts';
import { filmLibrary, type FilmLibrary } from '#test/films.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { identify } from './identify.ts';

const now = () => Date.UTC(2026, 0, 1);
const GB = 1_000_000_000;

describe('identifying films', () => {
  let db: TestDatabase;
  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());

  const scan = async (batch: IdentifyBatch) => db.sql.begin((tx) => identify(tx, batch, { now }));

  /** Films of a library as 'title (year)' with their files, versions and parts. */
  const films = async (library: FilmLibrary) => {
    const rows = await db.sql<
      { film: string; file: string; version: string | null; part: number }[]
    >`
      select m.title || coalesce(' (' || m.year || ')', '') as film, f.path as file, f.version,
        f.part
      from movies m left join files f on f.item_id = m.id and f.role = 'video'
        and f.missing_since is null
      where m.library_id = ${library.id} order by m.sort_title, m.year, f.path`;
    const result: Record<string, string[]> = {};
    for (const { film, file, version, part } of rows) {
      const marks = [version, part].filter((mark) => mark !== null).join(' #');
      (result[film] ??= []).push(marks === '' ? file : `${file} [${marks}]`);
    }
    return result;
  };

  it('makes one film of a folder with versions, parts, extras and subtitles', async () => {
    const library = await filmLibrary(db.sql);
    await library.put({
      'Alien (1979)/Alien (1979) - 1080p.mkv': GB,
      'Alien (1979)/Alien (1979) - Directors Cut.mkv': GB,
      'Alien (1979)/Alien (1979) - Directors Cut.en.forced.srt': 10,
      'Alien (1979)/Alien (1979)-trailer.mp4': 10,
      'Alien (1979)/poster.jpg': 10,
      'Alien (1979)/Extras/Making of.mkv': 10,
      'Alien (1979)/Subs/2_German.srt': 10,
      'Heat (1995)/heat cd1.avi': GB,
      'Heat (1995)/heat cd2.avi': GB,
    });
    const { added } = await scan(await library.batch());
    expect(added).to.have.length(2);
    expect(await films(library)).to.deep.equal({
      'Alien (1979)': [
        'Alien (1979)/Alien (1979) - 1080p.mkv [1080p]',
        'Alien (1979)/Alien (1979) - Directors Cut.mkv [Directors Cut]',
      ],
      'Heat (1995)': ['Heat (1995)/heat cd1.avi [1]', 'Heat (1995)/heat cd2.avi [2]'],
    });
    const sides = await db.sql<{ name: string; facts: object }[]>`
      select name, facts from files where library_id = ${library.id} and role <> 'video'
        and item_id is not null order by path`;
    expect(Object.fromEntries(sides.map(({ name, facts }) => [name, facts]))).to.containSubset({
      'Alien (1979) - Directors Cut.en.forced.srt': { language: 'en', forced: true },
      'Alien (1979)-trailer.mp4': { extraType: 'trailer' },
      'Making of.mkv': { extraType: 'extra' },
      '2_German.srt': { language: 'de' },
      'poster.jpg': {},
    });
  });

  it('reads a flat folder as many films, and gives each its own', async () => {
    const library = await filmLibrary(db.sql);
    await library.put({
      'Avatar (2009).mkv': GB,
      'Avatar (2009).srt': 5,
      'Brave.2012.1080p.BluRay.x264-GRP.mkv': GB,
      'Brave.2012.2160p.WEB-DL.mkv': GB,
      'Cars.mkv': GB,
      'Avatar (2009)-trailer.mkv': 5,
    });
    await scan(await library.batch());
    expect(Object.keys(await films(library))).to.deep.equal([
      'Avatar (2009)',
      'Brave (2012)',
      'Cars',
    ]);
    const [row] = await db.sql`
      select count(distinct item_id) as films, count(*) as files from files
      where library_id = ${library.id} and name like 'Avatar%'`;
    expect(row).to.deep.equal({ films: 1, files: 3 });
  });

  it('records discs as one film each', async () => {
    const library = await filmLibrary(db.sql);
    await library.put({
      'The Matrix (1999)/BDMV/index.bdmv': 1,
      'The Matrix (1999)/BDMV/STREAM/00001.m2ts': 30 * GB,
      'The Matrix (1999)/BDMV/STREAM/00002.m2ts': GB,
      'Ran (1985)/VIDEO_TS/VIDEO_TS.VOB': 1,
      'Ran (1985)/VIDEO_TS/VTS_01_0.VOB': 1,
      'Ran (1985)/VIDEO_TS/VTS_01_1.VOB': GB,
      'Ran (1985)/VIDEO_TS/VTS_01_2.VOB': GB,
      'Ran (1985)/VIDEO_TS/VTS_02_1.VOB': 9,
    });
    await scan(await library.batch());
    expect(await films(library)).to.deep.equal({
      'The Matrix (1999)': [
        'The Matrix (1999)/BDMV/STREAM/00001.m2ts [Blu-ray]',
        'The Matrix (1999)/BDMV/STREAM/00002.m2ts [Blu-ray]',
      ],
      'Ran (1985)': [
        'Ran (1985)/VIDEO_TS/VTS_01_1.VOB [DVD #1]',
        'Ran (1985)/VIDEO_TS/VTS_01_2.VOB [DVD #2]',
        'Ran (1985)/VIDEO_TS/VTS_02_1.VOB [DVD]',
      ],
    });
  });

  it('takes fields, ids and people from an NFO and keeps what a person has set', async () => {
    const library = await filmLibrary(db.sql);
    const nfo = (
      plot: string,
    ) => `<movie><title>Das Boot</title><year>1981</year><plot>${plot}</plot>
      <uniqueid type="imdb">tt0082096</uniqueid><genre>War</genre><director>W. Petersen</director>
      <actor><name>J. Prochnow</name><role>Kaleun</role></actor>
      <ratings><rating name="imdb" max="10"><value>8.4</value></rating></ratings></movie>`;
    await library.put({ 'boot/boot.mkv': GB, 'boot/movie.nfo': nfo('One') });
    const { added } = await scan(await library.batch());
    const id = added[0]!;
    const read = async () => (await db.sql`select * from movies where id = ${id}`)[0]!;
    expect(await read()).to.include({
      title: 'Das Boot',
      year: 1981,
      overview: 'One',
      rating: 8.4,
    });
    expect((await db.sql`select * from credits where item_id = ${id}`).length).to.equal(2);
    expect((await db.sql`select value from external_ids where item_id = ${id}`)[0]).to.deep.equal({
      value: 'tt0082096',
    });
    await db.sql`
      update movies set title = 'The Boat', sources = sources || '{"title":"user"}',
        overview = 'Mine', locked_fields = '{overview}' where id = ${id}`;
    await library.put({ 'boot/boot.nfo': nfo('Two').replace('War', 'Drama') });
    expect((await scan(await library.batch())).updated).to.deep.equal([id]);
    const after = await read();
    expect(after).to.include({ title: 'The Boat', overview: 'Mine' });
    expect(after['genres']).to.deep.equal(['Drama']);
  });

  it("takes title, year and ids from its folder's hint file before all else", async () => {
    const library = await filmLibrary(db.sql);
    await library.put({
      'boot/boot.mkv': GB,
      'boot/movie.nfo': '<movie><title>Boot</title><plot>At sea</plot></movie>',
      'boot/.plexmatch': 'title: Das Boot\nyear: 1981\nimdbid: tt0082096\n',
      'Two/One (2001).mkv': GB,
      'Two/Other (2002).mkv': GB,
      'Two/.plexmatch': 'title: Not two at once',
    });
    const { added } = await scan(await library.batch());
    expect(Object.keys(await films(library))).to.have.members([
      'Das Boot (1981)',
      'One (2001)',
      'Other (2002)',
    ]);
    const [film] = await db.sql<{ id: string; overview: string; match: object }[]>`
      select id, overview, match from movies where library_id = ${library.id}
        and title = 'Das Boot'`;
    expect(film?.overview).to.equal('At sea');
    expect(film?.match).to.deep.include({ from: 'hint', score: 1 });
    expect(added).to.include(film?.id);
    expect(await db.sql`select value from external_ids where item_id = ${film!.id}`).to.deep.equal([
      { value: 'tt0082096' },
    ]);
    expect(await scan(await library.batch())).to.deep.equal({ added: [], updated: [] });
  });

  it('shows a broken NFO as a problem and goes on by name', async () => {
    const library = await filmLibrary(db.sql);
    await library.put({
      'Up (2009)/Up (2009).mkv': GB,
      'Up (2009)/Up (2009).nfo': '<movie><title',
    });
    const { added } = await scan(await library.batch());
    const [row] = await db.sql`select title, match from movies where id = ${added[0]!}`;
    expect(row!['title']).to.equal('Up');
    expect(row!['match']).to.have.nested.property('problems[0].path', 'Up (2009)/Up (2009).nfo');
  });

  it('keeps the film when its folder is renamed, and updates what the name told', async () => {
    const library = await filmLibrary(db.sql);
    await library.put({ 'Amelie/Amelie.mkv': GB });
    const { added } = await scan(await library.batch());
    await library.move('Amelie/Amelie.mkv', 'Amélie (2001)/Amélie (2001).mkv');
    const { added: more, updated } = await scan(await library.batch());
    expect(more).to.deep.equal([]);
    expect(updated).to.deep.equal(added);
    expect(Object.keys(await films(library))).to.deep.equal(['Amélie (2001)']);
  });

  it('splits off a renamed version when the film has other files', async () => {
    const library = await filmLibrary(db.sql);
    await library.put({ 'A/Solaris.mkv': GB, 'B/Solaris.mkv': GB });
    await scan(await library.batch());
    expect(Object.keys(await films(library))).to.deep.equal(['Solaris']);
    await library.move('B/Solaris.mkv', 'B/Solaris (1972).mkv');
    await scan(await library.batch(['B']));
    expect(await films(library)).to.deep.equal({
      Solaris: ['A/Solaris.mkv'],
      'Solaris (1972)': ['B/Solaris (1972).mkv'],
    });
  });

  it('joins two films into one when their ids turn out to be the same, with what people did', async () => {
    const library = await filmLibrary(db.sql);
    await library.put({ 'Léon (1994)/Léon.mkv': GB, 'The Professional (1994)/x.mkv': GB });
    const { added } = await scan(await library.batch());
    expect(added).to.have.length(2);
    const [user] = await db.sql<{ id: string }[]>`
      insert into shared.users (username, role) values ('ann', 'user') returning id`;
    for (const id of added) {
      await db.sql`insert into user_items (user_id, kind, item_id, play_count, favourite_at)
        values (${user!.id}, 'movie', ${id}, 1, now())`;
    }
    const link = 'https://www.imdb.com/title/tt0110413/';
    await library.put({
      'Léon (1994)/Léon.nfo': link,
      'The Professional (1994)/x.nfo': link,
    });
    await scan(await library.batch());
    expect(Object.values(await films(library))).to.have.length(1);
    const states = await db.sql`select play_count from user_items where user_id = ${user!.id}`;
    expect(states).to.have.length(1);
    expect(states[0]).to.deep.equal({ play_count: 2 });
  });

  it('gives extras that come in a later batch to the film above them', async () => {
    const library = await filmLibrary(db.sql);
    await library.put({ 'Tron (1982)/Tron (1982).mkv': GB });
    await scan(await library.batch());
    await library.put({ 'Tron (1982)/Trailers/one.mkv': 5 });
    await scan(await library.batch(['Tron (1982)/Trailers']));
    const [row] = await db.sql`
      select count(*) from files where library_id = ${library.id} and item_id is not null`;
    expect(row).to.deep.equal({ count: 2 });
    expect(Object.keys(await films(library))).to.deep.equal(['Tron (1982)']);
  });

  it('makes one film when two workers find it at once', async () => {
    const library = await filmLibrary(db.sql);
    await library.put({ 'A/Dune (2021).mkv': GB, 'B/Dune (2021).mkv': GB });
    const [a, b] = [await library.batch(['A']), await library.batch(['B'])];
    await Promise.all([scan(a), scan(b)]);
    expect(Object.keys(await films(library))).to.deep.equal(['Dune (2021)']);
  });

  it('comes to the same films in any order of directories, and changes nothing when repeated', async () => {
    const title = fc.constantFrom('Alien', 'Heat', 'Up', 'Tron');
    const film = fc.record({
      title,
      year: fc.constantFrom(1979, 1995, undefined),
      hasId: fc.boolean(),
      versions: fc.subarray(['', ' - 1080p', ' - 2160p'], { minLength: 1 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(film, { minLength: 1, maxLength: 6 }),
        fc.infiniteStream(fc.nat()),
        async (folders, order) => {
          const results = [];
          for (const shuffled of [false, true]) {
            const library = await filmLibrary(db.sql);
            for (const [index, { title: name, year, hasId, versions }] of folders.entries()) {
              const label = year === undefined ? name : `${name} (${year})`;
              const id = hasId ? ` [imdbid-tt${1000000 + (year ?? 0)}${name.charCodeAt(0)}]` : '';
              for (const version of versions) {
                await library.put({ [`${index}/${label}${id}/${label}${version}.mkv`]: GB });
              }
            }
            const batch = await library.batch();
            const directories = [...batch.directories];
            if (shuffled) directories.sort(() => (order.next().value % 2 === 0 ? 1 : -1));
            for (const directory of directories) await scan({ ...batch, directories: [directory] });
            results.push(await films(library));
            const again = await scan(await library.batch());
            expect(again).to.deep.equal({ added: [], updated: [] });
          }
          expect(results[0]).to.deep.equal(results[1]);
        },
      ),
      { numRuns: 10 },
    );
  });
});
