import { link, mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { principalWith } from '#test/http.ts';
import { libraryRig, type LibraryRig } from '#test/library.ts';
import { candidatesByInode } from './moves-store.ts';

interface FileRow {
  id: string;
  path: string;
  itemId: string | null;
  isMissing: boolean;
  probeState: string;
}

const filesOf = (rig: LibraryRig, libraryId: string) =>
  rig.db.sql<FileRow[]>`
    select f.id, f.path, f.item_id as "itemId", f.missing_since is not null as "isMissing",
      f.probe_state as "probeState"
    from files f where f.library_id = ${libraryId} order by f.path, f.id`;

const itemsOf = async (rig: LibraryRig, libraryId: string) =>
  rig.db.sql<{ id: string; title: string; isAvailable: boolean }[]>`
    select id, title, is_available as "isAvailable" from plain_works
    where library_id = ${libraryId} order by title`;

const oneFile = async (rig: LibraryRig, libraryId: string, path: string) => {
  const rows = await filesOf(rig, libraryId);
  const found = rows.find((row) => row.path === path && !row.isMissing);
  if (found === undefined) throw new Error(`no row for ${path}: ${JSON.stringify(rows)}`);
  return found;
};

describe('a scan', () => {
  let rig: LibraryRig;
  beforeEach(async () => {
    rig = await libraryRig();
  });
  afterEach(() => rig[Symbol.asyncDispose]());
  const at = (...path: string[]) => join(rig.folder, ...path);

  it('finds films, identifies them and asks for probes', async () => {
    await rig.write({
      'm/Heat (1995)/Heat.mkv': 'heat',
      'm/Heat (1995)/Heat.en.srt': 'text',
      'm/Ran (1985)/CD1/Ran.mkv': 'ran',
      'm/Ran (1985)/notes.txt': 'no media',
    });
    const id = await rig.add('Films', 'm');
    const rows = await filesOf(rig, id);
    expect(rows.map(({ path }) => path)).to.deep.equal([
      'Heat (1995)/Heat.en.srt',
      'Heat (1995)/Heat.mkv',
      'Ran (1985)/CD1/Ran.mkv',
    ]);
    const items = await itemsOf(rig, id);
    expect(items.map(({ title }) => title)).to.deep.equal(['Heat', 'Ran']);
    expect(rig.events.filter(({ name }) => name === 'item.added')).to.have.length(2);
    expect(rig.events.at(-1)?.name).to.equal('scan.finished');
    const jobs = await rig.db.sql<{ payload: { fileIds: string[] } }[]>`
      select payload from shared.jobs where name = 'library.probe'`;
    expect(jobs.flatMap(({ payload }) => payload.fileIds)).to.have.length(2);
  });

  it('reads nothing again when nothing changed', async () => {
    await rig.write({ 'm/A/A.mkv': 'a', 'm/B/B.mkv': 'b' });
    const id = await rig.add('Films', 'm');
    const before = await filesOf(rig, id);
    const counters = await rig.scan(id);
    expect(counters).to.deep.include({ directories: 3 });
    expect(counters['directoriesRead'] ?? 0).to.equal(0);
    expect(await filesOf(rig, id)).to.deep.equal(before);
  });

  it('does not trust what was written just before it was read', async () => {
    rig.aheadMs = 0;
    await rig.write({ 'm/A/A.mkv': 'a' });
    const id = await rig.add('Films', 'm');
    expect(await rig.scan(id)).to.deep.include({ directoriesRead: 2 });
  });

  it('notices a file rewritten in place when it reads everything', async () => {
    await rig.write({ 'm/A/A.mkv': 'a' });
    const id = await rig.add('Films', 'm');
    const before = await oneFile(rig, id, 'A/A.mkv');
    await writeFile(at('m/A/A.mkv'), 'longer');
    expect((await rig.scan(id))['filesChanged'] ?? 0).to.equal(0);
    expect(await rig.scan(id, { mode: 'full' })).to.deep.include({ filesChanged: 1 });
    expect(await oneFile(rig, id, 'A/A.mkv')).to.deep.equal(before);
  });

  it('keeps the row of a file that was renamed, moved, or whose folder was', async () => {
    await rig.write({ 'm/A/A.mkv': 'a', 'm/B/B.mkv': 'bb', 'm/Z/C/C.mkv': 'ccc' });
    const id = await rig.add('Films', 'm');
    const [a, b, c] = await filesOf(rig, id);
    await rename(at('m/A/A.mkv'), at('m/A/A2.mkv'));
    await mkdir(at('m/0'));
    await rename(at('m/B/B.mkv'), at('m/0/B.mkv'));
    await rename(at('m/Z'), at('m/1'));
    expect(await rig.scan(id)).to.deep.include({ filesMoved: 3, filesNew: 0, filesMissing: 0 });
    const now = new Map((await filesOf(rig, id)).map((row) => [row.path, row]));
    expect([...now.keys()]).to.deep.equal(['0/B.mkv', '1/C/C.mkv', 'A/A2.mkv']);
    for (const [path, was] of [
      ['0/B.mkv', b],
      ['1/C/C.mkv', c],
      ['A/A2.mkv', a],
    ] as const) {
      expect(now.get(path)).to.deep.include({ id: was?.id, itemId: was?.itemId });
    }
  });

  it('tells files apart that exchanged their names', async () => {
    await rig.write({ 'm/A/A.mkv': 'a', 'm/B/B.mkv': 'bb' });
    const id = await rig.add('Films', 'm');
    const [a, b] = await filesOf(rig, id);
    await rename(at('m/A/A.mkv'), at('m/x'));
    await rename(at('m/B/B.mkv'), at('m/A/A.mkv'));
    await rename(at('m/x'), at('m/B/B.mkv'));
    await rig.scan(id);
    expect((await oneFile(rig, id, 'A/A.mkv')).id).to.equal(b?.id);
    expect((await oneFile(rig, id, 'B/B.mkv')).id).to.equal(a?.id);
    expect(await filesOf(rig, id)).to.have.length(2);
  });

  for (const [order, elsewhere] of [
    ['before', 'm/0'],
    ['after', 'm/Z'],
  ] as const) {
    it(`follows a file whose place another took, seen ${order} it`, async () => {
      await rig.write({ 'm/A/A.mkv': 'old' });
      const id = await rig.add('Films', 'm');
      const was = await oneFile(rig, id, 'A/A.mkv');
      await mkdir(at(elsewhere));
      await rename(at('m/A/A.mkv'), at(elsewhere, 'Old.mkv'));
      await rig.write({ 'm/A/A.mkv': 'quite new' });
      await rig.scan(id);
      const moved = await oneFile(rig, id, `${elsewhere.slice(2)}/Old.mkv`);
      expect(moved).to.deep.include({ id: was.id, itemId: was.itemId });
      expect((await oneFile(rig, id, 'A/A.mkv')).id).to.not.equal(was.id);
      expect(await filesOf(rig, id)).to.have.length(2);
    });
  }

  it('takes a replaced file for the same place, and hard links for two files', async () => {
    await rig.write({ 'm/A/A.mkv': 'a' });
    const id = await rig.add('Films', 'm');
    const was = await oneFile(rig, id, 'A/A.mkv');
    await writeFile(at('m/A/new'), 'better copy');
    await rename(at('m/A/new'), at('m/A/A.mkv'));
    await rig.scan(id);
    expect(await oneFile(rig, id, 'A/A.mkv')).to.deep.include({ id: was.id, itemId: was.itemId });
    await link(at('m/A/A.mkv'), at('m/A/Again.mkv'));
    expect(await rig.scan(id)).to.deep.include({ filesNew: 1, filesMoved: 0 });
    expect((await oneFile(rig, id, 'A/A.mkv')).id).to.equal(was.id);
  });

  it('compares a name of a file that has hundreds with those only that left their place', async () => {
    await rig.write({ 'm/0/0.mkv': 'x' });
    for (let n = 1; n < 300; n++) {
      await mkdir(at(`m/${n}`));
      await link(at('m/0/0.mkv'), at(`m/${n}/${n}.mkv`));
    }
    const id = await rig.add('Films', 'm');
    const before = await filesOf(rig, id);
    expect(before).to.have.length(300);
    const { inode, sizeBytes } = await rig.media.stat(at('m'), '0/0.mkv', {});
    const asked = Array.from({ length: 300 }, () => ({ inode, sizeBytes }));
    expect(await candidatesByInode(rig.db.sql, id, asked)).to.deep.equal([]);
    // One that is renamed is known again all the same.
    await rename(at('m/299/299.mkv'), at('m/299/other.mkv'));
    await rename(at('m/298'), at('m/another'));
    expect(await rig.scan(id)).to.deep.include({ filesNew: 0, filesMoved: 2 });
    const after = await filesOf(rig, id);
    expect(after.map((file) => file.id)).to.have.members(before.map((file) => file.id));
  });

  it('knows a file copied to another place by its content', async () => {
    const big = 'x'.repeat(200_000);
    await rig.write({ 'm/A/A.mkv': big });
    const id = await rig.add('Films', 'm');
    const was = await oneFile(rig, id, 'A/A.mkv');
    const hash = await rig.media.fingerprint(at('m'), 'A/A.mkv', {});
    await rig.db.sql`update files set oshash = ${hash}, probe_state = 'done' where id = ${was.id}`;
    await rig.write({ 'm/B/B.mkv': big, 'm/B/other.mkv': big.replace('x', 'y') });
    await rm(at('m/A'), { recursive: true });
    await rig.scan(id);
    expect((await oneFile(rig, id, 'B/B.mkv')).id).to.equal(was.id);
  });

  it('keeps what vanished, and knows it when it returns', async () => {
    await rig.write({ 'm/A/A.mkv': 'a', 'm/B/sub/B.mkv': 'b', 'm/C/C.mkv': 'c' });
    const id = await rig.add('Films', 'm');
    const before = { files: await filesOf(rig, id), items: await itemsOf(rig, id) };
    await rename(at('m/B'), at('away'));
    await rename(at('m/A/A.mkv'), at('A.mkv'));
    expect(await rig.scan(id)).to.deep.include({ filesMissing: 2 });
    const items = await itemsOf(rig, id);
    expect(items.map(({ isAvailable }) => isAvailable)).to.deep.equal([false, false, true]);
    expect(rig.events.filter(({ name }) => name === 'item.unavailable')).to.have.length(2);
    await rename(at('away'), at('m/B'));
    await rename(at('A.mkv'), at('m/A/A.mkv'));
    expect(await rig.scan(id)).to.deep.include({ filesReturned: 2, filesNew: 0 });
    expect({ files: await filesOf(rig, id), items: await itemsOf(rig, id) }).to.deep.equal(before);
  });

  for (const [what, leave] of [
    ['is gone', false],
    ['is an empty mount point', true],
  ] as const) {
    it(`deletes nothing when a folder ${what}, and is as before when it is back`, async () => {
      await rig.write({ 'm/A/A.mkv': 'a', 'm/B/B.mkv': 'b' });
      const id = await rig.add('Films', 'm');
      const before = { files: await filesOf(rig, id), items: await itemsOf(rig, id) };
      await rename(at('m'), at('away'));
      if (leave) await mkdir(at('m'));
      for (let times = 0; times < 2; times++) {
        expect(await rig.scan(id)).to.deep.include({ rootsUnavailable: 1 });
        expect((await filesOf(rig, id)).map(({ isMissing }) => isMissing)).to.deep.equal([
          true,
          true,
        ]);
        expect((await itemsOf(rig, id)).every(({ isAvailable }) => !isAvailable)).to.be.true;
      }
      if (leave) await rm(at('m'), { recursive: true });
      await rename(at('away'), at('m'));
      expect(await rig.scan(id)).to.deep.include({ filesReturned: 2 });
      expect({ files: await filesOf(rig, id), items: await itemsOf(rig, id) }).to.deep.equal(
        before,
      );
    });
  }

  it('leaves out what is marked, and takes it in when the mark is gone', async () => {
    await rig.write({ 'm/A/A.mkv': 'a', 'm/A/sub/B.mkv': 'b' });
    const id = await rig.add('Films', 'm');
    await writeFile(at('m/A/.nomedia'), '');
    expect(await rig.scan(id)).to.deep.include({ filesMissing: 2 });
    await rm(at('m/A/.nomedia'));
    expect(await rig.scan(id)).to.deep.include({ filesReturned: 2 });
  });

  it('shows refused names, and goes on', async () => {
    await rig.write({ 'm/A/A.mkv': 'a', 'elsewhere/x.mkv': 'x' });
    await symlink(at('elsewhere'), at('m/A/out'));
    const id = await rig.add('Films', 'm');
    const { body } = (await rig.service.handlers.listLibraryProblems({
      params: { libraryId: id },
      query: {},
      principal: principalWith('libraries:*'),
    } as never)) as { body: { items: { type: string; path: string }[] } };
    expect(body.items.map(({ type, path }) => [type, path])).to.deep.equal([
      ['name', at('m/A/out')],
    ]);
    expect(await filesOf(rig, id)).to.have.length(1);
  });

  it('keeps a time that lies in the future from hiding changes', async () => {
    await rig.write({ 'm/A/A.mkv': 'a' });
    const future = new Date(Date.now() + 10 * 86_400_000);
    await utimes(at('m/A'), future, future);
    const id = await rig.add('Films', 'm');
    await rig.write({ 'm/A/B.mkv': 'b' });
    await utimes(at('m/A'), future, future);
    expect(await rig.scan(id)).to.deep.include({ filesNew: 1 });
  });
});
