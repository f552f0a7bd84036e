import { rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { principalWith } from '#test/http.ts';
import { libraryRig, type LibraryRig } from '#test/library.ts';

const present = async (rig: LibraryRig, libraryId: string): Promise<string[]> => {
  const rows = await rig.db.sql<{ path: string }[]>`
    select path from files where library_id = ${libraryId} and missing_since is null order by path`;
  return rows.map(({ path }) => path);
};

interface Shown {
  readonly ignoredBy?: { path: string; entries: number }[];
}

/** The latest scan, as it is shown to somebody. */
async function shownTo(rig: LibraryRig, libraryId: string, permissions: string[]): Promise<Shown> {
  const { body } = (await rig.service.handlers.getLibrary({
    params: { libraryId },
    query: {},
    principal: principalWith(...permissions),
  } as never)) as { body: { lastScan: Shown } };
  return body.lastScan;
}

/** Writes into a file without touching the time of its directory. */
async function rewrite(path: string, text: string): Promise<void> {
  const before = await stat(join(path, '..'));
  await writeFile(path, text);
  await utimes(join(path, '..'), before.atime, before.mtime);
}

describe('ignore files', () => {
  let rig: LibraryRig;
  beforeEach(async () => {
    rig = await libraryRig();
  });
  afterEach(() => rig[Symbol.asyncDispose]());
  const at = (...path: string[]) => join(rig.folder, ...path);

  const table: [name: string, files: Record<string, string>, there: string[]][] = [
    [
      'rules hold for what lies below, relative to their folder',
      {
        '.ignore': '/Old/\n*.sample.mkv\n',
        'Old/A.mkv': 'a',
        'New/Old/B.mkv': 'b',
        'New/B.sample.mkv': 's',
      },
      ['New/Old/B.mkv'],
    ],
    [
      'a folder below takes in again what one above leaves out, but nothing in a folder left out',
      {
        '.ignore': '*.old.mkv\nGone/\n',
        'In/.ignore': '!Keep.*\n',
        'In/Keep.old.mkv': 'a',
        'In/Other.old.mkv': 'b',
        'Gone/.ignore': '!*\n',
        'Gone/C.mkv': 'c',
      },
      ['In/Keep.old.mkv'],
    ],
    [
      'what one name leaves out no other takes in',
      { '.plexignore': 'A.*', 'A/.ndignore': '!A.*', 'A/A.mkv': 'a', 'A/B.mkv': 'b' },
      ['A/B.mkv'],
    ],
    [
      'empty, `.ignore` and `.ndignore` leave out their folder, `.plexignore` nothing',
      {
        'A/.ignore': '',
        'A/A.mkv': 'a',
        'B/.ndignore': '\n',
        'B/B.mkv': 'b',
        'C/.plexignore': '',
        'C/C.mkv': 'c',
      },
      ['C/C.mkv'],
    ],
    [
      '`.nomedia` leaves out its folder, whatever it says',
      { 'A/.nomedia': '!*', 'A/sub/A.mkv': 'a', 'B/B.mkv': 'b' },
      ['B/B.mkv'],
    ],
    ["git's own rules are not a library's", { '.gitignore': '*.mkv', 'A/A.mkv': 'a' }, ['A/A.mkv']],
  ];
  for (const [name, files, there] of table) {
    it(name, async () => {
      await rig.write(
        Object.fromEntries(Object.entries(files).map(([path, text]) => [`m/${path}`, text])),
      );
      expect(await present(rig, await rig.add('Films', 'm'))).to.deep.equal(there);
    });
  }

  it('are followed when they change, although no directory does', async () => {
    await rig.write({
      'm/.ignore': 'B/\n',
      'm/A/deep/A.mkv': 'a',
      'm/B/B.mkv': 'b',
      'm/C/C.mkv': 'c',
    });
    const id = await rig.add('Films', 'm');
    expect(await present(rig, id)).to.deep.equal(['A/deep/A.mkv', 'C/C.mkv']);
    await rewrite(at('m/.ignore'), 'deep/\n');
    expect(await rig.scan(id)).to.deep.include({ filesMissing: 1, filesNew: 1, ignored: 1 });
    expect(await present(rig, id)).to.deep.equal(['B/B.mkv', 'C/C.mkv']);
    await rm(at('m/.ignore'));
    expect(await rig.scan(id)).to.deep.include({ filesReturned: 1, filesMissing: 0 });
    expect(await present(rig, id)).to.deep.equal(['A/deep/A.mkv', 'B/B.mkv', 'C/C.mkv']);
  });

  it('are read at each scan, and nothing else where nothing changed', async () => {
    await rig.write({ 'm/.ignore': 'B/\n', 'm/A/A.mkv': 'a', 'm/B/B.mkv': 'b', 'm/C/C.mkv': 'c' });
    const id = await rig.add('Films', 'm');
    expect(await rig.scan(id)).to.deep.include({ directoriesRead: 1, filesNew: 0, ignored: 1 });
  });

  it('move rows to where files are now, also out of what is left out', async () => {
    await rig.write({ 'm/A/A.mkv': 'a', 'm/B/B.mkv': 'b' });
    const id = await rig.add('Films', 'm');
    await writeFile(at('m/A/.ignore'), '');
    await rename(at('m/A/A.mkv'), at('m/B/A.mkv'));
    expect(await rig.scan(id)).to.deep.include({ filesMoved: 1, filesMissing: 0, filesNew: 0 });
    expect(await present(rig, id)).to.deep.equal(['B/A.mkv', 'B/B.mkv']);
  });

  it('say what they said while they cannot be read, and that is told', async () => {
    await rig.write({ 'm/.ignore': 'B/\n', 'm/A/A.mkv': 'a', 'm/B/B.mkv': 'b' });
    const id = await rig.add('Films', 'm');
    await writeFile(at('m/.ignore'), `A/\n${'#'.repeat(70_000)}`);
    await rig.scan(id);
    expect(await present(rig, id)).to.deep.equal(['A/A.mkv']);
    const { body } = (await rig.service.handlers.listLibraryProblems({
      params: { libraryId: id },
      query: {},
      principal: principalWith('libraries:*'),
    } as never)) as { body: { items: { path: string; reason: string }[] } };
    expect(body.items.map(({ path }) => path)).to.deep.equal([at('m/.ignore')]);
    expect(body.items[0]?.reason).to.match(/could not be read/);
  });

  it('are named in the report, with what each leaves out, to who may see paths', async () => {
    await rig.write({
      'm/.ignore': '*.old.mkv\n',
      'm/A/A.old.mkv': 'a',
      'm/A/B.old.mkv': 'b',
      'm/C/.nomedia': '',
      'm/C/C.mkv': 'c',
      'm/D/D.mkv': 'd',
    });
    const id = await rig.add('Films', 'm');
    expect(await rig.scan(id)).to.deep.include({ ignored: 3 });
    const last = await shownTo(rig, id, ['libraries:read', 'libraries:write']);
    expect(last.ignoredBy).to.deep.equal([
      { path: at('m/.ignore'), entries: 2 },
      { path: at('m/C/.nomedia'), entries: 1 },
    ]);
    expect(await shownTo(rig, id, ['libraries:read'])).to.not.have.property('ignoredBy');
  });
});
