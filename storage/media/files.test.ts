import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openRoot } from './confine.ts';
import { waitingDisk, type Disk } from './disk.ts';
import { listDirectory, statDirectories } from './files.ts';

const { signal } = new AbortController();
const names = Array.from({ length: 100 }, (_, nth) => `folder ${String(nth).padStart(3, '0')}`);

/** A disk that takes its time over what a path is, and counts how often it is asked that. */
function slowDisk(ms: number): { disk: Disk; asked: () => number } {
  let asked = 0;
  const lstat: Disk['lstat'] = (path) => {
    asked += 1;
    for (const until = performance.now() + ms; performance.now() < until;);
    return waitingDisk.lstat(path);
  };
  return { disk: { ...waitingDisk, lstat }, asked: () => asked };
}

describe('a folder that is read on a thread', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'revenge-files-'));
    for (const name of names) mkdirSync(join(folder, name));
    writeFileSync(join(folder, 'film.mkv'), 'film');
  });
  after(() => rmSync(folder, { recursive: true }));

  it('is asked about by several at once when each answer takes long', async () => {
    const { disk, asked } = slowDisk(3);
    const root = await openRoot(disk, folder);
    const { entries } = await listDirectory(root, '', signal);
    expect(entries.map(({ name }) => name)).to.deep.equal(['film.mkv', ...names]);
    // Itself, and the first few of what is in it.
    expect(asked()).to.equal(1 + 16);
  });

  it('is told of like by like either way', async () => {
    const [slow, quick] = [slowDisk(3), slowDisk(0)];
    const roots = [await openRoot(slow.disk, folder), await openRoot(quick.disk, folder)] as const;
    const paths = [...names, 'nothing', 'film.mkv'];
    const [one, other] = [
      await statDirectories(roots[0], paths, signal),
      await statDirectories(roots[1], paths, signal),
    ];
    expect(one).to.deep.equal(other);
    expect(one.map((found) => found !== undefined)).to.deep.equal([
      ...names.map(() => true),
      false,
      false,
    ]);
    expect(slow.asked()).to.equal(16);
  });

  it('is left when nobody wants it any more', async () => {
    const { disk, asked } = slowDisk(0);
    const root = await openRoot(disk, folder);
    const stop = { aborted: true, throwIfAborted: () => expect.fail('no longer wanted') };
    await listDirectory(root, '', stop).then(
      () => expect.fail('it went on'),
      (error: unknown) => expect(String(error)).to.contain('no longer wanted'),
    );
    expect(asked()).to.equal(1);
  });
});
