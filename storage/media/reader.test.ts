import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { readdir, readlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import { quiet } from '#test/log.ts';
import { createMedia, MediaError, type MediaEngine } from './index.ts';
import { createReader, type Reader } from './reader.ts';

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'ok',
    (error: unknown) => (error instanceof MediaError ? error.code : String(error)),
  );

describe('the reader', () => {
  let root: string;
  let media: MediaEngine;
  let reader: Reader;
  let readBytes = 0;
  const bytes = Buffer.alloc(3 * 1024 * 1024 + 17);
  for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32LE(at / 4, at % (bytes.length - 4));

  before(() => {
    media = createMedia({
      log: quiet,
      processes: 1,
      idleMs: 60_000,
      perMountLimit: 4,
      now: Date.now,
    });
  });
  after(() => media[Symbol.asyncDispose]());

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'revenge-reader-'));
    writeFileSync(join(root, 'film.mkv'), bytes);
    readBytes = 0;
    const onRead = (sizeBytes: number) => void (readBytes += sizeBytes);
    reader = createReader({ media, now: Date.now, onRead });
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const openFiles = async () => {
    const names = await readdir('/proc/self/fd');
    const links = await Promise.all(
      names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')),
    );
    return links.filter((link) => link.startsWith(root));
  };

  for (const [start, end] of [
    [0, bytes.length - 1],
    [0, 0],
    [bytes.length - 1, bytes.length - 1],
    [131_072, 131_072 + 1_048_576],
    [5, 1_500_000],
  ] as const) {
    it(`reads bytes ${start} to ${end}, and closes the file`, async () => {
      const file = await reader.open(root, 'film.mkv');
      expect(file.facts.sizeBytes).to.equal(bytes.length);
      const read = await buffer(file.stream(start, end));
      expect(read.equals(bytes.subarray(start, end + 1))).to.equal(true);
      expect(readBytes).to.equal(end - start + 1);
      expect(await openFiles()).to.deep.equal([]);
    });
  }

  it('fails when the file becomes shorter, rather than end early', async () => {
    const file = await reader.open(root, 'film.mkv');
    const stream = file.stream(0, bytes.length - 1);
    stream.once('readable', () => truncateSync(join(root, 'film.mkv'), 200_000));
    expect(await codeOf(buffer(stream))).to.equal('unreadable');
    expect(await openFiles()).to.deep.equal([]);
  });

  it('sends no more than it said when the file grows', async () => {
    const file = await reader.open(root, 'film.mkv');
    appendFileSync(join(root, 'film.mkv'), 'more');
    expect(await buffer(file.stream(0, bytes.length - 1))).to.have.length(bytes.length);
  });

  it('goes on with the old file when another takes its name', async () => {
    const file = await reader.open(root, 'film.mkv');
    writeFileSync(join(root, 'new'), 'other');
    renameSync(join(root, 'new'), join(root, 'film.mkv'));
    const read = await buffer(file.stream(0, bytes.length - 1));
    expect(read.equals(bytes)).to.equal(true);
    const again = await reader.open(root, 'film.mkv');
    expect(again.facts.sizeBytes).to.equal(5);
    await again.close();
  });

  it('refuses a link put in the place of a file or a folder it has just looked at', async () => {
    mkdirSync(join(root, 'library/folder'), { recursive: true });
    const library = join(root, 'library');
    writeFileSync(join(root, 'passwd'), 'secret');
    writeFileSync(join(library, 'film.mkv'), 'film');
    writeFileSync(join(library, 'folder/passwd'), 'film');
    await reader.facts(library, 'film.mkv');
    await reader.facts(library, 'folder/passwd');
    renameSync(join(library, 'film.mkv'), join(library, 'old.mkv'));
    symlinkSync('../passwd', join(library, 'film.mkv'));
    renameSync(join(library, 'folder'), join(library, 'old'));
    symlinkSync('..', join(library, 'folder'));
    expect(await codeOf(reader.open(library, 'film.mkv'))).to.equal('forbidden');
    expect(await codeOf(reader.open(library, 'folder/passwd'))).to.equal('forbidden');
    expect(await openFiles()).to.deep.equal([]);
  });

  it('closes a file whose stream is given up', async () => {
    const file = await reader.open(root, 'film.mkv');
    const stream = file.stream(0, bytes.length - 1);
    await stream[Symbol.asyncIterator]().next();
    stream.destroy();
    await new Promise((resolve) => setImmediate(resolve));
    while ((await openFiles()).length > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it('tells that there is no such file', async () => {
    expect(await codeOf(reader.open(root, 'nothing.mkv'))).to.equal('not-found');
    expect(await codeOf(reader.open(root, '../x'))).to.equal('forbidden');
    expect(await codeOf(reader.open(join(root, 'gone'), 'x'))).to.equal('unavailable');
  });
});
