import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { libraryRig, runJob, type LibraryRig } from '#test/library.ts';
import { MediaError, type Media } from '#storage/media/media.ts';
import { mapPath, readMappings, senderPath } from './arrivals.ts';
import { createLibrary } from './index.ts';

interface Reply {
  status: number;
  body: { accepted: { libraryId: string; path: string }[]; outside: string[] };
}

describe('arrivals', () => {
  let rig: LibraryRig;
  beforeEach(async () => {
    rig = await libraryRig();
  });
  afterEach(() => rig[Symbol.asyncDispose]());
  const at = (...path: string[]) => join(rig.folder, ...path);

  const tell = (libraryId: string, path: string, isGone = false) =>
    rig.service.handlers.announceArrival({
      params: { libraryId },
      query: {},
      body: { path, isGone },
    } as never) as Promise<Reply>;
  const jobs = () => rig.db.sql<{ key: string; payload: { libraryId: string } }[]>`
    select key, payload from shared.jobs where name = 'library.arrivals' order by id`;
  const look = (libraryId: string) => runJob(rig.service, 'library.arrivals', { libraryId });
  const waiting = async () => (await rig.db.sql`select from library_arrivals`).count;
  const present = async (libraryId: string) => {
    const rows = await rig.db.sql<{ path: string }[]>`
      select path from files where library_id = ${libraryId} and missing_since is null
        and item_id is not null
      order by path`;
    return rows.map(({ path }) => path);
  };
  const toRead = async () => {
    const rows = await rig.db.sql<{ path: string }[]>`select path from directories where is_due`;
    return rows.map(({ path }) => path);
  };

  it('are in the catalogue without a scan, with the folders above them', async () => {
    await rig.write({ 'm/A/A.mkv': 'a' });
    const id = await rig.add('Films', 'm');
    await rig.write({ 'm/B/deep/B.mkv': 'b', 'm/B/deep/B.en.srt': 's', 'm/C/C.mkv': 'c' });
    const { status, body } = await tell(id, at('m/B/deep/B.mkv'));
    expect(status).to.equal(202);
    expect(body.accepted).to.deep.equal([{ libraryId: id, path: at('m/B/deep/B.mkv') }]);
    await look(id);
    expect(await present(id)).to.deep.equal(['A/A.mkv', 'B/deep/B.mkv']);
    expect(await waiting()).to.equal(0);
    expect(await toRead()).to.deep.equal([]);
    expect(rig.events.filter(({ name }) => name === 'item.added')).to.have.length(2);
  });

  it('are looked at together by one job, and once however often they are told', async () => {
    await rig.write({ 'm/A/A.mkv': 'a' });
    const id = await rig.add('Films', 'm');
    await rig.write(
      Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`m/${n}/${n}.mkv`, `${n}`])),
    );
    for (let times = 0; times < 2; times++) {
      await Promise.all(Array.from({ length: 20 }, (_, n) => tell(id, at(`m/${n}/${n}.mkv`))));
    }
    expect(await waiting()).to.equal(20);
    expect((await jobs()).length).to.be.within(1, 20);
    await look(id);
    expect(await present(id)).to.have.length(21);
    await look(id);
    expect(await present(id)).to.have.length(21);
  });

  it('that come while a job looks have a job of their own', async () => {
    await rig.write({ 'm/A/A.mkv': 'a' });
    const id = await rig.add('Films', 'm');
    await rig.write({ 'm/B/B.mkv': 'b', 'm/C/C.mkv': 'c' });
    await tell(id, at('m/B/B.mkv'));
    const media: Media = {
      ...rig.media,
      async listMany(root, paths, options) {
        if (paths.includes('B')) await tell(id, at('m/C/C.mkv'));
        return rig.media.listMany(root, paths, options);
      },
    };
    await runJob(createLibrary({ ...rig.deps, media }), 'library.arrivals', { libraryId: id });
    expect(await present(id)).to.deep.equal(['A/A.mkv', 'B/B.mkv']);
    expect(new Set((await jobs()).map(({ key }) => key)).size).to.equal(2);
    await look(id);
    expect(await present(id)).to.deep.equal(['A/A.mkv', 'B/B.mkv', 'C/C.mkv']);
  });

  it('of a folder take in all that is in it, also what was known', async () => {
    await rig.write({ 'm/A/1/A.mkv': 'a' });
    const id = await rig.add('Films', 'm');
    await rig.write({ 'm/A/1/B.mkv': 'b', 'm/A/2/C.mkv': 'c', 'm/A/2/3/D.mkv': 'd' });
    await tell(id, at('m/A'));
    await look(id);
    expect(await present(id)).to.deep.equal(['A/1/A.mkv', 'A/1/B.mkv', 'A/2/3/D.mkv', 'A/2/C.mkv']);
  });

  it('keep the row of a file that was renamed, and tell of what went', async () => {
    await rig.write({ 'm/A/A.mkv': 'a', 'm/B/B.mkv': 'b', 'm/C/C.mkv': 'c' });
    const id = await rig.add('Films', 'm');
    const rows = () => rig.db.sql<{ id: string; path: string; gone: boolean }[]>`
      select id, path, missing_since is not null as gone from files order by id`;
    const [a, b, c] = await rows();
    await rename(at('m/A/A.mkv'), at('m/A/New.mkv'));
    await rm(at('m/B'), { recursive: true });
    await tell(id, at('m/A/A.mkv'), true);
    await tell(id, at('m/A/New.mkv'));
    await tell(id, at('m/C/none.mkv'), true);
    await look(id);
    expect(await rows()).to.deep.equal([{ ...a, path: 'A/New.mkv' }, b, c]);
  });

  it('in the root itself are taken in; what is gone from it is for a scan to judge', async () => {
    await rig.write({ 'm/A.mkv': 'a', 'm/B.mkv': 'b' });
    const id = await rig.add('Films', 'm');
    await rig.write({ 'm/C.mkv': 'c' });
    await tell(id, at('m/C.mkv'));
    await look(id);
    expect(await present(id)).to.deep.equal(['A.mkv', 'B.mkv', 'C.mkv']);
    await rm(at('m/A.mkv'));
    await tell(id, at('m/A.mkv'), true);
    await look(id);
    expect(await present(id)).to.deep.equal(['A.mkv', 'B.mkv', 'C.mkv']);
    const [scan] = await rig.db.sql`select from library_scans where state = 'queued'`;
    expect(scan).to.not.equal(undefined);
  });

  it('that are left out by ignore files stay out', async () => {
    await rig.write({ 'm/A/A.mkv': 'a', 'm/.ignore': 'No*\n' });
    const id = await rig.add('Films', 'm');
    await rig.write({ 'm/Not/B.mkv': 'b', 'm/.hidden/C.mkv': 'c', 'm/A/No.mkv': 'n' });
    for (const path of ['Not/B.mkv', '.hidden/C.mkv', 'A/No.mkv']) await tell(id, at('m', path));
    await look(id);
    expect(await present(id)).to.deep.equal(['A/A.mkv']);
  });

  it('are looked for again when they are not there yet, and given up some time', async () => {
    await rig.write({ 'm/A/A.mkv': 'a' });
    const id = await rig.add('Films', 'm');
    await tell(id, at('m/B/B.mkv'));
    await look(id);
    expect(await waiting()).to.equal(1);
    await rig.write({ 'm/B/B.mkv': 'b' });
    await look(id);
    expect([await present(id), await waiting()]).to.deep.equal([['A/A.mkv', 'B/B.mkv'], 0]);
    await tell(id, at('m/C.mkv'));
    for (let times = 0; times < 7; times++) await look(id);
    expect(await waiting()).to.equal(0);
  });

  it('wait for a root that is not as a scan knows it', async () => {
    await rig.write({ 'm/A/A.mkv': 'a' });
    const id = await rig.add('Films', 'm');
    await rename(at('m'), at('away'));
    await tell(id, at('m/A/A.mkv'), true);
    await look(id);
    expect(await present(id)).to.deep.equal(['A/A.mkv']);
  });

  it('do not undo, nor are undone by, a scan that read the same earlier', async () => {
    await rig.write({ 'm/A/A.mkv': 'a' });
    const id = await rig.add('Films', 'm');
    await rig.write({ 'm/A/B.mkv': 'b' });
    let isFirst = true;
    const media: Media = {
      ...rig.media,
      async listMany(root, paths, options) {
        const listings = await rig.media.listMany(root, paths, options);
        if (isFirst && paths.includes('A')) {
          // Between reading and saving, a file comes and is told.
          isFirst = false;
          await rig.write({ 'm/A/C.mkv': 'c' });
          await tell(id, at('m/A/C.mkv'));
          await look(id);
        }
        return listings;
      },
    };
    await rig.scan(id, { deps: { media } });
    expect(await present(id)).to.deep.equal(['A/A.mkv', 'A/B.mkv', 'A/C.mkv']);
  });

  it('survive a job that is cut off', async () => {
    await rig.write({ 'm/A/A.mkv': 'a' });
    const id = await rig.add('Films', 'm');
    await rig.write({ 'm/B/B.mkv': 'b' });
    await tell(id, at('m/B/B.mkv'));
    const media: Media = {
      ...rig.media,
      statDirectories: () => Promise.reject(new MediaError('cancelled', 'cut off')),
    };
    const broken = createLibrary({ ...rig.deps, media });
    const failure = await runJob(broken, 'library.arrivals', { libraryId: id }).catch(
      (error: unknown) => error,
    );
    expect(failure).to.be.instanceOf(MediaError);
    await look(id);
    expect(await present(id)).to.deep.equal(['A/A.mkv', 'B/B.mkv']);
  });

  for (const path of ['/etc/passwd', 'm/A', '../x', '/', 'n']) {
    it(`may not be outside of the library: ${path}`, async () => {
      await rig.write({ 'm/A/A.mkv': 'a', 'n/B/B.mkv': 'b' });
      const id = await rig.add('Films', 'm');
      await rig.add('More', 'n');
      const given = path === 'n' ? at('n') : path;
      const failure = await tell(id, given).catch((error: unknown) => error);
      expect(failure).to.include({ code: 'unprocessable' });
      expect(await waiting()).to.equal(0);
    });
  }

  describe('by webhook', () => {
    const hook = (movie: object, movieFile: object, mappings = '') => {
      const pathMappings = () => Promise.resolve(mappings);
      const service = createLibrary({ ...rig.deps, pathMappings });
      return service.handlers.receiveRadarrWebhook({
        params: {},
        query: {},
        body: { eventType: 'Download', movie, movieFile },
      } as never) as Promise<Reply>;
    };

    it('are found by a mapping, or by the end of their path where that is sure', async () => {
      await rig.write({ 'm/A/A.mkv': 'a', 'n/B/B.mkv': 'b', 'n/A b/x.mkv': 'x' });
      const films = await rig.add('Films', 'm');
      const more = await rig.add('More', 'n');
      const file = { relativePath: 'new.mkv' };
      const mapped = await hook({ folderPath: '/movies/B' }, file, `/movies=${at('n')}`);
      expect(mapped.body.accepted).to.deep.equal([{ libraryId: more, path: at('n/B/new.mkv') }]);
      const guessed = await hook({ folderPath: 'D:\\Films\\A' }, file);
      expect(guessed.body.accepted).to.deep.equal([{ libraryId: films, path: at('m/A/new.mkv') }]);
      await mkdir(at('n/A'));
      const unsure = await hook({ folderPath: '/movies/A' }, file);
      expect(unsure.body).to.deep.equal({ accepted: [], outside: ['/movies/A/new.mkv'] });
      await writeFile(at('m/A/new.mkv'), 'new');
      await look(films);
      expect(await present(films)).to.deep.equal(['A/A.mkv', 'A/new.mkv']);
    });
  });
});

describe('paths of other programs', () => {
  const mappings = readMappings(
    '/movies=/media/films; /movies/kids = /media/kids\nD:\\TV=/tv;x;=/y',
  );
  const table: [path: string, here: string | undefined][] = [
    ['/movies/A', '/media/films/A'],
    ['/movies', '/media/films'],
    ['/movies/kids/B', '/media/kids/B'],
    ['/movies2/A', undefined],
    ['D:\\TV\\Show\\x.mkv', '/tv/Show/x.mkv'],
    ['/movies/../etc', undefined],
    ['relative', undefined],
  ];
  for (const [path, here] of table) {
    it(`${path} is ${here ?? 'nowhere'}`, () => {
      const theirs = senderPath(path);
      expect(theirs && mapPath(theirs, mappings)).to.equal(here);
    });
  }
});
