import { execFileSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { libraryRig, runJob, type LibraryRig } from '#test/library.ts';
import { needs } from '#test/needs.ts';
import { MediaError, type Listing } from '#storage/media/media.ts';
import { awayWithShares, type ShareSearch } from './mount-points.ts';

describe('a share that is mounted inside a folder of a library', () => {
  needs('root', 'mount');
  let rig: LibraryRig;
  let libraryId: string;
  let share: string;
  const films = ['Ran (1985)/Ran.mkv', 'Old/Heat (1995)/Heat.mkv'];
  const mount = () => execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', share]);
  const unmount = () => execFileSync('umount', [share]);

  beforeEach(async () => {
    rig = await libraryRig();
    await rig.write({ 'm/Alien (1979)/Alien.mkv': 'alien' });
    share = join(rig.folder, 'm/share');
    await mkdir(share);
    mount();
    await rig.write(Object.fromEntries(films.map((path) => [`m/share/${path}`, path])));
    libraryId = await rig.add('Films', 'm');
  });
  afterEach(async () => {
    if (isMounted()) unmount();
    await rig[Symbol.asyncDispose]();
  });

  const isMounted = () => execFileSync('mount').toString().includes(` ${share} `);
  const missing = async () => {
    const rows = await rig.db.sql<{ path: string }[]>`
      select path from files where library_id = ${libraryId} and missing_since is not null
      order by path`;
    return rows.map(({ path }) => path);
  };
  const problems = async () => {
    const rows = await rig.db.sql<{ path: string; error: string }[]>`
      select d.path, d.error from directories d join library_roots r on r.id = d.root_id
      where r.library_id = ${libraryId} and d.error is not null and d.gone_since is null`;
    return rows.map(({ path, error }) => [path, error]);
  };

  /** Ids of rows of present files. */
  const atPath = async (path: string) => {
    const rows = await rig.db.sql<{ id: string }[]>`
      select id from files where library_id = ${libraryId} and path = ${path}
        and missing_since is null`;
    return rows.map(({ id }) => id);
  };
  /** As a probe does. */
  const hashAll = async () => {
    const rows = await rig.db.sql<{ id: string; path: string }[]>`
      select f.id, f.path from files f where library_id = ${libraryId} and size_bytes > 131072`;
    for (const { id, path } of rows) {
      const oshash = await rig.media.fingerprint(join(rig.folder, 'm'), path, {});
      await rig.db.sql`update files set oshash = ${oshash} where id = ${id}`;
    }
  };

  for (const mode of ['quick', 'full'] as const) {
    it(`keeps its films while it is not mounted, in a ${mode} scan, and says so`, async () => {
      unmount();
      expect(await rig.scan(libraryId, { mode })).to.have.property('filesMissing', 0);
      expect(await missing()).to.deep.equal([]);
      expect(await problems()).to.deep.equal([
        ['share', 'the folder is empty, although it held files: is its share mounted?'],
      ]);
      // Nor does the next one, which finds all as the last has left it.
      await rig.scan(libraryId, { mode });
      expect(await missing()).to.deep.equal([]);
    });
  }

  it('is left to a scan by who only hears that something in it is gone', async () => {
    unmount();
    for (const path of [join(share, films[0]!), join(rig.folder, 'm/Alien (1979)/Alien.mkv')]) {
      await rig.service.handlers.announceArrival({
        ...{ params: { libraryId }, query: {} },
        body: { path, isGone: true },
      } as never);
    }
    await runJob(rig.service, 'library.arrivals', { libraryId });
    expect(await missing()).to.deep.equal([]);
    expect(await problems()).to.deep.equal([]);
    const due = await rig.db.sql`select path from directories where is_due`;
    expect([...due]).to.deep.equal([{ path: 'share' }]);
  });

  it('is as before when it is mounted again', async () => {
    unmount();
    await rig.scan(libraryId);
    mount();
    await rig.write({ [`m/share/${films[0]}`]: films[0]! });
    await rig.scan(libraryId);
    expect(await problems()).to.deep.equal([]);
    expect(await missing()).to.deep.equal([`share/${films[1]}`]);
  });

  for (const away of [true, false]) {
    const what = away ? 'is a film of its own while the share is away' : 'is the film, moved';
    it(`had a film of which a copy that is elsewhere ${what}`, async () => {
      const content = 'ran '.repeat(40_000);
      await rig.write({ 'm/share/Long (1999)/Long.mkv': content });
      await rig.scan(libraryId);
      await hashAll();
      const [before] = await atPath('share/Long (1999)/Long.mkv');
      if (away) unmount();
      else await rm(join(share, 'Long (1999)'), { recursive: true });
      await rig.write({ 'm/A copy/Long.mkv': content });
      await rig.scan(libraryId);
      const [copy] = await atPath('A copy/Long.mkv');
      expect(copy === before).to.equal(!away);
      expect(await atPath('share/Long (1999)/Long.mkv')).to.have.length(away ? 1 : 0);
      // By what is told alone, without a scan.
      await rig.write({ 'm/B copy/Long.mkv': content });
      await rig.service.handlers.announceArrival({
        ...{ params: { libraryId }, query: {} },
        body: { path: join(rig.folder, 'm/B copy/Long.mkv') },
      } as never);
      await runJob(rig.service, 'library.arrivals', { libraryId });
      expect(await atPath('share/Long (1999)/Long.mkv')).to.have.length(away ? 1 : 0);
      expect(await atPath('B copy/Long.mkv')).to.have.length(1);
    });
  }

  it('loses what is deleted in it, and all when its own folder is', async () => {
    await rm(join(share, 'Old'), { recursive: true });
    await rig.scan(libraryId);
    expect(await missing()).to.deep.equal([`share/${films[1]}`]);
    unmount();
    await rm(share, { recursive: true });
    await rig.scan(libraryId);
    expect(await missing()).to.deep.equal(films.map((path) => `share/${path}`).toSorted());
  });

  it('is no matter to what is deleted in folders that are no share', async () => {
    await rm(join(rig.folder, 'm/Alien (1979)/Alien.mkv'));
    await writeFile(join(share, 'Ran (1985)/Ran.en.srt'), 'text');
    await rig.scan(libraryId);
    expect(await missing()).to.deep.equal(['Alien (1979)/Alien.mkv']);
  });
});

describe('whether a share is away', () => {
  const film = { path: 'share/Ran (1985)/Ran.mkv' };
  const empty = { entries: [], refused: [] } as unknown as Listing;
  const failing = (code: MediaError['code']) => new MediaError(code, code);
  let rig: LibraryRig;
  let root: { id: string; path: string };
  before(async () => {
    rig = await libraryRig();
    await rig.write({ [`m/${film.path}`]: 'ran' });
    const libraryId = await rig.add('Films', 'm');
    await rig.db.sql`update directories set is_mount = true where path = 'share'`;
    const rows = await rig.db.sql<[typeof root]>`
      select id, path from library_roots where library_id = ${libraryId}`;
    root = rows[0];
  });
  after(() => rig[Symbol.asyncDispose]());

  for (const [what, answer, isAway] of [
    ['is there', undefined, false],
    ['is empty', empty, true],
    ['is gone with its folder', failing('not-found'), false],
    ['has too much to be listed', failing('too-large'), false],
    ['does not answer', failing('timeout'), true],
  ] as const) {
    it(`is told of one that ${what}, by looking once: ${isAway ? 'yes' : 'no'}`, async () => {
      let looks = 0;
      const list: ShareSearch['media']['list'] = async (...args) => {
        looks++;
        if (answer instanceof MediaError) throw answer;
        return answer ?? rig.media.list(...args);
      };
      const { signal } = new AbortController();
      const search = { sql: rig.db.sql, media: { list }, signal, shares: new Map() };
      for (let round = 0; round < 2; round++) {
        expect(await awayWithShares(search, root, [film])).to.deep.equal(isAway ? [film] : []);
      }
      expect(looks).to.equal(1);
    });
  }
});
