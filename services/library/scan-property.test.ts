import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { libraryRig, type LibraryRig } from '#test/library.ts';

type Op =
  | { type: 'create' | 'replace' | 'delete'; at: number }
  | { type: 'move' | 'moveFolder'; at: number; to: number }
  | { type: 'deleteFolder'; at: number }
  | { type: 'scan'; mode: 'quick' | 'full'; aheadMs: number };

const folders = ['', 'a', 'b', 'a/c', 'a/c/d', 'e', 'b/f', 'm'];
const names = ['1.mkv', '2.mkv', '3.mkv'];
const places = folders.flatMap((folder) => names.map((name) => join(folder, name)));

const index = fc.nat({ max: 1_000 });
const scan = fc.record({
  type: fc.constant('scan' as const),
  mode: fc.constantFrom('quick' as const, 'full' as const),
  // With 0 everything is too young to be trusted; with more, unchanged directories are passed over.
  aheadMs: fc.constantFrom(0, 60_000),
});
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('create' as const), at: index }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('replace' as const), at: index }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), at: index }) },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('move' as const), at: index, to: index }) },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('moveFolder' as const), at: index, to: index }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('deleteFolder' as const), at: index }) },
  { weight: 4, arbitrary: scan },
);

/** One that stays: a folder that is emptied counts as one that is not mounted. */
const keep = 'keep.mkv';

const pick = <T>(items: readonly T[], at: number): T | undefined => items[at % items.length];

/** The files below a folder: their paths, and contents that no two files ever share. */
async function treeOf(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const pairs = files.map(async ({ parentPath, name }) => {
    const path = join(parentPath, name);
    return [path.slice(folder.length + 1), await readFile(path, 'utf8')] as const;
  });
  return new Map(await Promise.all(pairs));
}

async function foldersOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name));
}

/** A file that has the inode of one that is missing comes to that one's place. */
const reused: Op[] = [
  { type: 'create', at: 7 },
  { type: 'scan', mode: 'quick', aheadMs: 0 },
  { type: 'create', at: 0 },
  { type: 'delete', at: 1 },
  { type: 'replace', at: 0 },
  { type: 'move', at: 0, to: 8 },
  { type: 'create', at: 0 },
  { type: 'replace', at: 0 },
  { type: 'scan', mode: 'quick', aheadMs: 0 },
  { type: 'delete', at: 0 },
  { type: 'move', at: 0, to: 7 },
];

describe('scans of a tree that changes at random', () => {
  let rig: LibraryRig;
  before(async () => {
    rig = await libraryRig();
  });
  after(() => rig[Symbol.asyncDispose]());
  let runs = 0;
  let contents = 0;
  /** Contents differ in size too, since equal size and time count as equal content. */
  const fresh = () => 'x'.repeat(++contents);

  async function apply(root: string, op: Exclude<Op, { type: 'scan' }>): Promise<void> {
    const files = [...(await treeOf(root)).keys()].filter((path) => path !== keep).sort();
    switch (op.type) {
      case 'create': {
        const path = join(root, pick(places, op.at) ?? '');
        if (files.includes(path.slice(root.length + 1))) return;
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, fresh());
        return;
      }
      case 'replace': {
        const path = pick(files, op.at);
        if (path === undefined) return;
        await writeFile(join(root, '.new'), fresh());
        await rename(join(root, '.new'), join(root, path));
        return;
      }
      case 'delete': {
        const path = pick(files, op.at);
        if (path !== undefined) await rm(join(root, path));
        return;
      }
      case 'move': {
        const from = pick(files, op.at);
        const to = join(root, pick(places, op.to) ?? '');
        if (from === undefined) return;
        await mkdir(dirname(to), { recursive: true });
        await rename(join(root, from), to);
        return;
      }
      case 'moveFolder': {
        const from = pick((await foldersOf(root)).sort(), op.at);
        const to = join(root, pick(folders, op.to) ?? '', `moved-${++contents}`);
        if (from === undefined || `${to}/`.startsWith(`${from}/`)) return;
        await mkdir(dirname(to), { recursive: true });
        await rename(from, to);
        return;
      }
      case 'deleteFolder': {
        const path = pick((await foldersOf(root)).sort(), op.at);
        if (path !== undefined) await rm(path, { recursive: true });
      }
    }
  }

  it('leave the catalogue equal to the tree, and every file its id', async function () {
    this.timeout(240_000);
    await fc.assert(
      fc.asyncProperty(fc.array(op, { minLength: 6, maxLength: 40 }), async (ops) => {
        const name = `run-${++runs}`;
        const root = join(rig.folder, name);
        await rig.write({ [`${name}/${keep}`]: fresh() });
        const id = await rig.add(name, name);
        const ids = new Map<string, string>();
        const last: Op = { type: 'scan', mode: 'quick', aheadMs: 60_000 };
        for (const op of [...ops, last]) {
          if (op.type !== 'scan') {
            await apply(root, op);
            continue;
          }
          rig.aheadMs = op.aheadMs;
          await rig.scan(id, { mode: op.mode });
          await check(root, id, ids);
        }
      }),
      { numRuns: 40, endOnFailure: false, examples: [[reused]] },
    );
  });

  async function check(root: string, id: string, ids: Map<string, string>): Promise<void> {
    const tree = await treeOf(root);
    tree.delete(keep);
    const rows = await rig.db.sql<{ path: string; id: string; itemId: string | null }[]>`
      select path, id, item_id as "itemId" from files
      where library_id = ${id} and missing_since is null and path <> ${keep} order by path`;
    expect(rows.map(({ path }) => path)).to.deep.equal([...tree.keys()].sort());
    expect(rows.every(({ itemId }) => itemId !== null)).to.be.true;
    for (const { path, id } of rows) {
      const content = tree.get(path)!;
      expect(ids.get(content) ?? id).to.equal(id, `the id of what is now ${path}`);
      ids.set(content, id);
    }
    // What is not there any more may come back only as something new.
    for (const content of ids.keys()) {
      if (![...tree.values()].includes(content)) ids.delete(content);
    }
  }
});
