import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { quiet } from '#test/log.ts';
import { createBlobs, type Blobs } from './index.ts';

describe('blobs', () => {
  let dir: string;
  let clock: number;
  const open = (maxBytes: number): Blobs =>
    createBlobs({ dir, maxBytes, log: quiet, now: () => clock });

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'revenge-blobs-'));
    clock = Date.now();
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const name = (letter: string) => letter.repeat(64);
  const names = () =>
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name);

  it('keep bytes by name, over restarts', async () => {
    const blobs = open(1_000);
    expect(await blobs.get(name('a'))).to.equal(undefined);
    expect(await blobs.find(name('a'))).to.equal(undefined);
    await blobs.put(name('a'), Buffer.from('bytes'));
    await blobs.put(`${name('a')}-320.webp`, Buffer.from('small'));
    const again = open(1_000);
    expect(String(await again.get(name('a')))).to.equal('bytes');
    expect(String(await again.get(`${name('a')}-320.webp`))).to.equal('small');
    expect(readFileSync((await again.find(name('a')))!, 'utf8')).to.equal('bytes');
  });

  it('get their name later where it is not known yet, or leave nothing', async () => {
    const blobs = open(1_000);
    {
      await using kept = await blobs.stage(Buffer.from('bytes'));
      expect(readFileSync(kept.path, 'utf8')).to.equal('bytes');
      await kept.keep(name('a'));
      await using left = await blobs.stage(Buffer.from('other'));
      expect(readFileSync(left.path, 'utf8')).to.equal('other');
    }
    expect(names()).to.deep.equal([name('a')]);
    expect(String(await blobs.get(name('a')))).to.equal('bytes');
  });

  it('are for the account of the server alone', async () => {
    const inner = join(dir, 'pictures');
    await createBlobs({ dir: inner, maxBytes: 1_000, log: quiet, now: () => clock }).put(
      name('a'),
      Buffer.from('bytes'),
    );
    const all = readdirSync(inner, { recursive: true, encoding: 'utf8' });
    expect(all).to.not.have.length(0);
    for (const path of ['', ...all]) expect(statSync(join(inner, path)).mode & 0o077).to.equal(0);
  });

  it('take no name that is none', async () => {
    for (const bad of ['../../etc/passwd', 'a/b', '.hidden', '', 'A'.repeat(64), 'a'.repeat(200)]) {
      const error: unknown = await open(1_000)
        .get(bad)
        .catch((fault: unknown) => fault);
      expect(error, bad).to.be.instanceOf(RangeError);
    }
  });

  it('stay within their size: the longest unused go', async () => {
    const blobs = open(1_000);
    for (const [at, letter] of ['a', 'b', 'c', 'd'].entries()) {
      await blobs.put(name(letter), Buffer.alloc(250));
      const seconds = clock / 1_000 - 100_000 + at * 10_000;
      utimesSync(join(dir, letter.repeat(2), name(letter)), seconds, seconds);
    }
    await blobs.get(name('a'));
    await blobs.put(name('e'), Buffer.alloc(250));
    expect(names()).to.have.members([name('a'), name('d'), name('e')]);
    expect(blobs.stats().sizeBytes).to.equal(750);
  });

  it('may be written by many at once', async () => {
    const blobs = open(100_000);
    await Promise.all(Array.from({ length: 50 }, () => blobs.put(name('a'), Buffer.alloc(100, 7))));
    expect(await blobs.get(name('a'))).to.deep.equal(Buffer.alloc(100, 7));
    expect(names()).to.deep.equal([name('a')]);
  });

  it('clear away what a dead process left, and nothing that is not theirs', async () => {
    mkdirSync(join(dir, 'aa'));
    mkdirSync(join(dir, 'other'));
    writeFileSync(join(dir, 'aa/.old'), 'x');
    utimesSync(join(dir, 'aa/.old'), clock / 1_000 - 2, clock / 1_000 - 2);
    writeFileSync(join(dir, 'other/file'), 'x'.repeat(5_000));
    await open(100).put(name('b'), Buffer.alloc(10));
    expect(names()).to.have.members([name('b'), 'file']);
  });
});
