import { mkdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { MediaError, type Media, type Probe } from '#storage/media/media.ts';
import type { ProblemError } from '../errors.ts';
import type { Principal } from '../principal.ts';
import { libraryRig, runJob, type LibraryRig } from '#test/library.ts';
import { createLibrary } from './index.ts';
import { addLibrary } from './manage.ts';
import { clean, scanAll } from './schedule.ts';
import { probeFiles } from './probe-jobs.ts';

const principal = (...permissions: `${string}:${string}`[]): Principal => ({
  userId: '01900000-0000-7000-8000-000000000001',
  username: 'anna',
  role: 'admin',
  via: 'session',
  credentialId: 'x',
  permissions: new Set(permissions),
});

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: unknown) => (error as ProblemError).code,
  );

describe('libraries', () => {
  let rig: LibraryRig;
  beforeEach(async () => {
    rig = await libraryRig();
    await rig.db.sql`
      insert into shared.users (id, username, role)
      values ('01900000-0000-7000-8000-000000000001', 'anna', 'admin')`;
  });
  afterEach(() => rig[Symbol.asyncDispose]());
  const at = (...path: string[]) => join(rig.folder, ...path);
  const all = principal('libraries:*');
  const create = (name: string, ...paths: string[]) =>
    rig.service.handlers.createLibrary({
      params: {},
      query: {},
      body: { kind: 'movie', name, paths },
      principal: all,
    } as never) as Promise<{ status: number; body: { id: string; lastScan: { state: string } } }>;

  it('are made with their first scan, and shown without paths to those who only read', async () => {
    await rig.write({ 'm/A/A.mkv': 'a' });
    const { status, body } = await create('Films', at('m') + '/');
    expect(status).to.equal(201);
    expect(body.lastScan.state).to.equal('queued');
    const shown = (await rig.service.handlers.listLibraries({
      principal: principal('libraries:read'),
    } as never)) as { body: { items: { name: string; roots?: unknown }[] } };
    expect(shown.body.items.map(({ name, roots }) => [name, roots])).to.deep.equal([
      ['Films', undefined],
    ]);
    expect(await codeOf(create('films', at()))).to.equal('unprocessable');
    const actions = await rig.db.sql<{ action: string }[]>`select action from shared.activity`;
    expect(actions.map(({ action }) => action)).to.deep.equal(['library.created']);
  });

  for (const [what, path] of [
    ['is not absolute', 'm'],
    ['is not plain', '/tmp/../etc'],
    ['is not there', '/no/such/folder'],
    ['is that of another library', 'm'],
    ['lies in that of another library', 'm/A'],
    ['holds that of another library', ''],
    ['is a link into another library', 'link'],
    ["lies in the server's own data", '.data/x'],
    ['is made by the kernel', '/proc'],
    ['lies in what is made by the kernel', '/sys/kernel'],
  ] as const) {
    it(`may not have a folder that ${what}`, async () => {
      await rig.write({ 'm/A/A.mkv': 'a', '.data/x/y': '' });
      await symlink(at('m/A'), at('link'));
      await create('Films', at('m'));
      const given = path.startsWith('/') || what.includes('absolute') ? path : at(path);
      expect(await codeOf(create('More', given))).to.equal('unprocessable');
    });
  }

  it('keep rows and works when their folder changes place', async () => {
    await rig.write({ 'm/A/A.mkv': 'a', 'm/B/B.mkv': 'b' });
    const id = await rig.add('Films', 'm');
    const ids = () => rig.db.sql`
      select f.id, f.item_id, f.path from files f where f.library_id = ${id} order by f.path`;
    const before = await ids();
    await rename(at('m'), at('n'));
    await rig.service.handlers.updateLibrary({
      params: { libraryId: id },
      query: {},
      body: { paths: [at('n')] },
      principal: all,
    } as never);
    await rig.scan(id);
    expect(await ids()).to.deep.equal(before);
    const roots = await rig.db.sql<{ path: string }[]>`select path from library_roots`;
    expect(roots.map(({ path }) => path)).to.deep.equal([at('n')]);
  });

  it('are changed while a folder of theirs is away', async () => {
    await rig.write({ 'm/A/A.mkv': 'a' });
    const id = await rig.add('Films', 'm');
    await rename(at('m'), at('away'));
    const change = (body: object) =>
      rig.service.handlers.updateLibrary({
        ...{ params: { libraryId: id }, query: {}, body, principal: all },
      } as never);
    await change({ name: 'Our films', paths: [at('m')] });
    const [kept] = await rig.db.sql`
      select l.name, r.path from libraries l join library_roots r on r.library_id = l.id`;
    expect(kept).to.deep.equal({ name: 'Our films', path: at('m') });
    expect(await codeOf(change({ paths: [at('m'), at('n')] }))).to.equal('unprocessable');
  });

  it('lose the works of a folder that is taken out', async () => {
    await rig.write({ 'm/A/A.mkv': 'a', 'n/B/B.mkv': 'b' });
    const id = await rig.add('Films', 'm', 'n');
    await rig.service.handlers.updateLibrary({
      params: { libraryId: id },
      query: {},
      body: { paths: [at('n')] },
      principal: all,
    } as never);
    await rig.scan(id);
    const works = await rig.db.sql<{ title: string }[]>`select title from plain_works`;
    expect(works.map(({ title }) => title)).to.deep.equal(['B']);
  });

  it('go with all they hold when deleted, but for the media', async () => {
    await rig.write({ 'm/A/A.mkv': 'a' });
    const id = await rig.add('Films', 'm');
    await rig.service.handlers.deleteLibrary({
      params: { libraryId: id },
      principal: all,
    } as never);
    const [left] = await rig.db.sql`
      select (select count(*) from files) as files, (select count(*) from plain_works) as works,
        (select count(*) from directories) as directories`;
    expect(left).to.deep.equal({ files: 0, works: 0, directories: 0 });
    expect(await rig.media.stat(at('m'), 'A/A.mkv', {})).to.have.property('sizeBytes', 1);
  });

  it('are scanned once at a time, and again when it is time', async () => {
    await rig.write({ 'm/A/A.mkv': 'a' });
    const id = await rig.add('Films', 'm');
    const first = await rig.service.startScan(id);
    expect((await rig.service.startScan(id, 'full')).id).to.equal(first.id);
    await rig.service.handlers.cancelScan({
      params: { scanId: first.id },
      principal: all,
    } as never);
    const scans = () => rig.db.sql`select id from library_scans where state = 'queued'`;
    rig.aheadMs = 0;
    await runJob(rig.service, scanAll.name, {});
    expect(await scans()).to.have.length(0);
    rig.aheadMs = 61 * 60_000;
    await runJob(rig.service, scanAll.name, {});
    await runJob(rig.service, scanAll.name, {});
    expect(await scans()).to.have.length(1);
  });

  it('forget what is missing only after the time of grace, and never of a lost folder', async () => {
    await rig.write({ 'm/A/A.mkv': 'a', 'm/B/B.mkv': 'b', 'n/C/C.mkv': 'c' });
    const id = await rig.add('Films', 'm', 'n');
    await rm(at('m/A'), { recursive: true });
    await rename(at('n'), at('away'));
    await rig.scan(id);
    const titles = async () =>
      (await rig.db.sql<{ title: string }[]>`select title from plain_works order by 1`).map(
        ({ title }) => title,
      );
    rig.aheadMs = 29 * 86_400_000;
    await runJob(rig.service, clean.name, {});
    expect(await titles()).to.deep.equal(['A', 'B', 'C']);
    rig.aheadMs = 31 * 86_400_000;
    await runJob(rig.service, clean.name, {});
    expect(await titles()).to.deep.equal(['B', 'C']);
  });

  it('note what a probe finds, or why it finds nothing', async () => {
    await rig.write({
      'm/A/A.mkv': 'good',
      'm/B/B.mkv': 'bad',
      'm/C/C.mkv': '',
      'm/D.mkv': 'late',
    });
    const id = await rig.add('Films', 'm');
    const found: Probe = {
      container: 'matroska',
      durationMs: 1_000,
      bitrate: undefined,
      tags: {},
      streams: [],
      chapters: [],
    };
    const probe: Media['probe'] = async (_root, path) => {
      if (path.startsWith('A')) return found;
      throw new MediaError(path.startsWith('D') ? 'unavailable' : 'unreadable', 'no such luck');
    };
    const media = new Proxy(rig.media, {
      get: (target, name): unknown => (name === 'probe' ? probe : Reflect.get(target, name)),
    });
    const files = await rig.db.sql<{ id: string }[]>`select id from files order by path`;
    const payload = { libraryId: id, fileIds: files.map((file) => file.id) };
    const service = createLibrary({ ...rig.deps, media });
    expect(await codeOf(runJob(service, probeFiles.name, payload))).to.equal('media-unavailable');
    const rows = await rig.db.sql`
      select path, probe_state as state, probe ->> 'container' as container, probe_error as error,
        oshash is not null as hashed from files order by path`;
    expect(rows.map((row) => Object.values(row) as unknown[])).to.deep.equal([
      ['A/A.mkv', 'done', 'matroska', null, true],
      ['B/B.mkv', 'failed', null, 'no such luck', true],
      ['C/C.mkv', 'failed', null, 'the file is empty', false],
      ['D.mkv', 'due', null, null, false],
    ]);
    const numbers = (await rig.service.handlers.getLibrary({
      params: { libraryId: id },
      principal: all,
    } as never)) as { body: { numbers: object } };
    expect(numbers.body.numbers).to.deep.equal({
      files: 4,
      missingFiles: 0,
      sizeBytes: 11,
      problems: 2,
    });
  });

  it('page through scans and problems', async () => {
    await rig.write({ 'm/A/A.mkv': 'a' });
    for (const name of ['x', 'y', 'z']) await symlink('/etc', at('m', name));
    const id = await rig.add('Films', 'm');
    await rig.scan(id);
    for (const operation of ['listLibraryProblems', 'listLibraryScans'] as const) {
      const seen: unknown[] = [];
      let cursor: string | null | undefined;
      do {
        const asked = { params: { libraryId: id }, principal: all };
        const call = { ...asked, query: { limit: 1, cursor } };
        const { body } = (await rig.service.handlers[operation](call as never)) as {
          body: { items: unknown[]; nextCursor: string | null };
        };
        seen.push(...body.items);
        cursor = body.nextCursor;
      } while (cursor !== null);
      expect(new Set(seen.map((item) => JSON.stringify(item))).size).to.equal(seen.length);
      expect(seen).to.have.length(operation === 'listLibraryScans' ? 2 : 3);
      const bad = { params: { libraryId: id }, principal: all, query: { cursor: 'eHg' } };
      expect(await codeOf(rig.service.handlers[operation](bad as never))).to.equal(
        'invalid-cursor',
      );
    }
  });

  it('let folders be chosen within what is allowed', async () => {
    await mkdir(at('m/A'), { recursive: true });
    const service = createLibrary({ ...rig.deps, allowedFolders: [at('m')] });
    const list = (path?: string) =>
      service.handlers.listFolders({ query: { path } } as never) as Promise<{ body: object }>;
    expect((await list()).body).to.deep.include({ items: [{ name: at('m'), path: at('m') }] });
    expect((await list(at('m'))).body).to.deep.equal({
      path: at('m'),
      parent: null,
      items: [{ name: 'A', path: at('m/A') }],
    });
    for (const path of [at(), '/', at('m/../x'), '/etc']) {
      expect(await codeOf(list(path))).to.equal('forbidden');
    }
    expect(await codeOf(list(at('m/none')))).to.equal('not-found');
    const made = addLibrary(
      { ...rig.deps, allowedFolders: [at('m')] },
      {
        kind: 'movie',
        name: 'x',
        paths: [at()],
        language: 'en',
        options: {},
        scanIntervalMinutes: 0,
      },
      undefined,
    );
    expect(await codeOf(made)).to.equal('unprocessable');
  });
});
