import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { listBackups, nameOf, prune, readName } from './folder.ts';

const at = new Date('2026-01-31T04:17:05.678Z');
const cluster = '3f6b2c1d-0000-4000-8000-9A04AbCdEf01';

describe('the folder of backups', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'revenge-backups-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('tells by its name whose a backup is, and of when', () => {
    const plain = nameOf(cluster, at, { isSealed: false });
    expect(plain).to.equal('revenge-9a04abcdef01-20260131T041705Z.tar.zst');
    expect(nameOf('lab', at, { isSealed: true })).to.equal(
      'revenge-lab-20260131T041705Z.tar.zst.age',
    );
    expect(nameOf(undefined, at, { isSealed: false })).to.match(/^revenge-new-/);
    expect(readName(plain)).to.deep.equal({
      cluster: '9a04abcdef01',
      madeAt: new Date('2026-01-31T04:17:05Z'),
    });
  });

  const none = [
    'revenge-a-20260131T041705Z.tar',
    'revenge-a-20261331T041705Z.tar.zst',
    '.revenge-a-20260131T041705Z.tar.zst.x.part',
    'revenge-a-20260131T041705Z.tar.zst.bak',
    'photos.tar.zst',
    'revenge--20260131T041705Z.tar.zst',
  ];
  for (const name of none) {
    it(`has nothing to do with ${name}`, () => expect(readName(name)).to.equal(undefined));
  }

  const make = (cluster: string, day: number) => {
    const name = nameOf(cluster, new Date(Date.UTC(2026, 0, day)), { isSealed: false });
    return writeFile(join(dir, name), 'no backup at all').then(() => name);
  };

  it('keeps the newest of a cluster, and leaves alone what is not its own', async () => {
    const all: string[] = [];
    for (const day of [3, 1, 5, 2, 4]) all.push(await make('one', day));
    const other = await make('two', 1);
    await writeFile(join(dir, 'notes.txt'), 'mine');
    const latest = [...all].sort().at(-1)!;
    const gone = await prune(dir, { keep: 2, latest, now: Date.now() });
    expect(gone.sort()).to.deep.equal([...all].sort().slice(0, 3));
    expect((await readdir(dir)).sort()).to.deep.equal(
      ['notes.txt', other, ...[...all].sort().slice(3)].sort(),
    );
  });

  it('removes what was cut off a day ago', async () => {
    const latest = await make('one', 1);
    const [old, fresh, foreign] = ['.revenge-a.part', '.revenge-b.part', '.other.part'];
    for (const name of [old, fresh, foreign]) await writeFile(join(dir, name), '');
    const long = new Date(Date.now() - 25 * 3_600_000);
    for (const name of [old, foreign]) await utimes(join(dir, name), long, long);
    expect(await prune(dir, { keep: 1, latest, now: Date.now() })).to.deep.equal([]);
    expect((await readdir(dir)).sort()).to.deep.equal([foreign, fresh, latest].sort());
  });

  it('lists the newest first, and says of which nothing can be read', async () => {
    const [first, second] = [await make('one', 1), await make('one', 2)];
    const found = await listBackups(dir);
    expect(found.map(({ name }) => name)).to.deep.equal([second, first]);
    expect(found[0]?.fault).to.match(/no backup of Revenge/);
    expect(found[0]?.sizeBytes).to.equal(16);
  });
});
