import { createHash } from 'node:crypto';
import {
  mkdtemp,
  mkdir,
  readdir,
  readFile,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { quiet } from '#test/log.ts';
import { createMedia, type MediaEngine } from './index.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('a small file that is put beside media', () => {
  let base: string;
  let root: string;
  let media: MediaEngine;

  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), 'revenge-put-'));
    root = join(base, 'library');
    await mkdir(join(root, 'Heat'), { recursive: true });
    await mkdir(join(base, 'others'));
    media = createMedia({
      ...{ log: quiet, processes: 1, idleMs: 60_000, perMountLimit: 4, now: Date.now },
    });
  });
  afterEach(async () => {
    await media[Symbol.asyncDispose]();
    await rm(base, { recursive: true });
  });

  const put = (path: string, text: string, over?: string) =>
    media.put(root, path, { bytes: bytesOf(text), over });
  const text = (path: string) => readFile(join(root, path), 'utf8');
  const failure = (work: Promise<unknown>) =>
    work.then(
      (value) => value,
      (error: { code?: string }) => error.code,
    );

  it('is there whole, and leaves nothing beside it', async () => {
    expect(await put('Heat/movie.nfo', 'one')).to.equal('written');
    expect(await text('Heat/movie.nfo')).to.equal('one');
    expect(await put('Heat/movie.nfo', 'one')).to.equal('same');
    expect(await put('Heat/movie.nfo', 'two', digestOf('one'))).to.equal('written');
    expect(await text('Heat/movie.nfo')).to.equal('two');
    expect(await readdir(join(root, 'Heat'))).to.deep.equal(['movie.nfo']);
    expect(await put('top.nfo', 'one')).to.equal('written');
  });

  it('replaces nothing that is not as it was left', async () => {
    await writeFile(join(root, 'Heat/movie.nfo'), 'by hand');
    for (const over of [undefined, digestOf('one')]) {
      expect(await put('Heat/movie.nfo', 'one', over)).to.equal('kept');
    }
    await mkdir(join(root, 'Heat/folder.nfo'));
    expect(await put('Heat/folder.nfo', 'one')).to.equal('kept');
    expect(await text('Heat/movie.nfo')).to.equal('by hand');
  });

  it('follows no link, and lands nowhere outside', async () => {
    await writeFile(join(base, 'others/secret'), 'secret');
    await symlink('../../others/secret', join(root, 'Heat/movie.nfo'));
    await symlink('../others', join(root, 'away'));
    expect(await put('Heat/movie.nfo', 'one', digestOf('secret'))).to.equal('kept');
    expect(await failure(put('away/movie.nfo', 'one'))).to.equal('forbidden');
    expect(await failure(put('../others/movie.nfo', 'one'))).to.equal('forbidden');
    expect(await failure(put('none/movie.nfo', 'one'))).to.equal('not-found');
    expect(await readdir(join(base, 'others'))).to.deep.equal(['secret']);
    expect(await readFile(join(base, 'others/secret'), 'utf8')).to.equal('secret');
  });

  it('is removed only as it was left, and follows no link', async () => {
    const remove = (path: string, over?: string) =>
      media.put(root, path, { bytes: undefined, over });
    await writeFile(join(root, 'Heat/movie.nfo'), 'one');
    for (const over of [undefined, digestOf('two')]) {
      expect(await remove('Heat/movie.nfo', over)).to.equal('kept');
    }
    expect(await text('Heat/movie.nfo')).to.equal('one');
    expect(await remove('Heat/movie.nfo', digestOf('one'))).to.equal('written');
    expect(await remove('Heat/movie.nfo', digestOf('one'))).to.equal('same');
    await writeFile(join(base, 'others/secret'), 'secret');
    await symlink('../../others/secret', join(root, 'Heat/movie.nfo'));
    expect(await remove('Heat/movie.nfo', digestOf('secret'))).to.equal('kept');
    expect(await failure(remove('../others/secret', digestOf('secret')))).to.equal('forbidden');
    expect(await readdir(join(base, 'others'))).to.deep.equal(['secret']);
  });

  it('is put though a crash left one half written, and not while another is being', async () => {
    const name = createHash('sha1').update('movie.nfo').digest('hex').slice(0, 16);
    const left = join(root, `Heat/.${name}.revenge.tmp`);
    await writeFile(left, 'ha');
    expect(await failure(put('Heat/movie.nfo', 'one'))).to.equal('unavailable');
    const longAgo = new Date(Date.now() - 3_600_000);
    await utimes(left, longAgo, longAgo);
    expect(await put('Heat/movie.nfo', 'one')).to.equal('written');
    expect(await readdir(join(root, 'Heat'))).to.deep.equal(['movie.nfo']);
  });

  it('is not put where nothing may be written', async () => {
    // The kernel's own files: nobody makes others there, whoever they are.
    const options = { bytes: bytesOf('x'), over: undefined };
    expect(await media.put('/sys', 'movie.nfo', options)).to.equal('read-only');
  });
});
