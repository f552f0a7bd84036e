import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { quiet } from '#test/log.ts';
import { needs } from '#test/needs.ts';
import { createMedia, encodePath, MediaError, type MediaEngine } from './index.ts';

const failure = async (work: Promise<unknown>): Promise<MediaError> => {
  try {
    await work;
  } catch (error) {
    expect(error).to.be.instanceOf(MediaError);
    return error as MediaError;
  }
  throw new Error('it did not fail');
};

describe('media files', () => {
  let base: string;
  let root: string;
  let media: MediaEngine;

  before(async () => {
    base = mkdtempSync(join(tmpdir(), 'revenge-media-'));
    root = join(base, 'library');
    mkdirSync(join(root, 'Heat (1995)/Extras'), { recursive: true });
    writeFileSync(join(root, 'Heat (1995)/Heat (1995).mkv'), 'x'.repeat(70_000));
    writeFileSync(join(base, 'secret.txt'), 'secret');
    mkdirSync(join(base, 'library-of-others'));
    writeFileSync(join(base, 'library-of-others/film.mkv'), 'theirs');
    await makeLinks(root);
    media = createMedia({
      log: quiet,
      processes: 1,
      idleMs: 60_000,
      perMountLimit: 4,
      now: Date.now,
    });
  });
  after(async () => {
    await media[Symbol.asyncDispose]();
    rmSync(base, { recursive: true });
  });

  it('lists a directory with what a scan needs', async () => {
    const { entries, refused, mtimeMs } = await media.list(root, 'Heat (1995)', {});
    expect(refused).to.deep.equal([]);
    expect(mtimeMs).to.be.a('number');
    expect(entries.map(({ name, type }) => [name, type])).to.deep.equal([
      ['Extras', 'directory'],
      ['Heat (1995).mkv', 'file'],
    ]);
    expect(entries[1]?.sizeBytes).to.equal(70_000);
  });

  it('keeps names that are not UTF-8, long, or have a line break', async () => {
    const folder = Buffer.from(join(root, 'names'));
    mkdirSync(folder);
    const names = [
      Buffer.from('Am\xe9lie.mkv', 'latin1'),
      Buffer.from(`${'ä'.repeat(127)}x`),
      Buffer.from('two\nlines.mkv'),
      Buffer.from(' -x; rm -rf $HOME `true` '),
      Buffer.from('\uf7e9'),
    ];
    for (const name of names) {
      writeFileSync(Buffer.concat([folder, Buffer.from('/'), name]), name);
    }
    const { entries } = await media.list(root, 'names', {});
    expect(entries.map(({ name }) => name)).to.have.members(names.map(encodePath));
    for (const { name } of entries) {
      const bytes = await media.read(root, `names/${name}`, { maxBytes: 1_000 });
      expect(encodePath(bytes)).to.equal(name);
      expect((await media.stat(root, `names/${name}`, {})).sizeBytes).to.equal(bytes.length);
    }
  });

  it('lists ten thousand entries', async () => {
    mkdirSync(join(root, 'many'));
    for (let i = 0; i < 10_000; i++) writeFileSync(join(root, 'many', `${i}`), '');
    const { entries } = await media.list(root, 'many', {});
    expect(entries).to.have.length(10_000);
    expect(entries.every(({ type }) => type === 'file')).to.equal(true);
  });

  describe('links and special files', () => {
    it('follows links inside the library only', async () => {
      const { entries, refused } = await media.list(root, 'links', {});
      expect(entries.map(({ name, type }) => `${type} ${name}`)).to.deep.equal([
        'directory a',
        'directory c',
        'directory inside',
        'file inside.mkv',
        'directory many',
      ]);
      expect(refused).to.deep.equal([
        { name: 'broken', reason: 'broken link' },
        { name: 'etc', reason: 'link out of the library' },
        { name: 'fifo.mkv', reason: 'a special file' },
        { name: 'here', reason: 'link loop' },
        { name: 'others', reason: 'link out of the library' },
        { name: 'outside.txt', reason: 'link out of the library' },
        { name: 'self', reason: 'link loop' },
        { name: 'socket2.mkv', reason: 'a special file' },
        { name: 'up', reason: 'link loop' },
      ]);
    });

    it('follows no link to a folder from behind another one: the paths would multiply', async () => {
      expect((await media.list(root, 'links/many', {})).entries).to.have.length(3);
      expect((await media.list(root, 'links/many/2', {})).entries).to.have.length(2);
      const { entries, refused } = await media.list(root, 'links/many/2/x', {});
      expect(entries.map(({ name }) => name)).to.deep.equal(['film.mkv']);
      expect(refused).to.deep.equal([
        { name: 'x', reason: 'link to a folder behind a link' },
        { name: 'y', reason: 'link to a folder behind a link' },
      ]);
    });

    it('sees loops that lead through several links', async () => {
      const names = async (path: string) =>
        (await media.list(root, path, {})).entries.map(({ name }) => name);
      expect(await names('links/a/b')).to.deep.equal(['to-c']);
      expect(await names('links/a/b/to-c')).to.deep.equal([]);
    });

    const refusals: [path: string, code: string, message: string][] = [
      ['links/outside.txt', 'forbidden', 'link out of the library'],
      ['links/etc/passwd', 'forbidden', 'link out of the library'],
      ['links/others/film.mkv', 'forbidden', 'link out of the library'],
      ['links/self', 'forbidden', 'ELOOP'],
      ['links/fifo.mkv', 'forbidden', 'a special file'],
      ['links/socket2.mkv', 'forbidden', 'a special file'],
      ['links', 'unreadable', 'it is a folder'],
      ['../secret.txt', 'forbidden', '".."'],
      ['links/../../secret.txt', 'forbidden', '".."'],
      ['./links', 'forbidden', '"."'],
      ['links//inside.mkv', 'forbidden', '""'],
      ['/etc/passwd', 'forbidden', 'an absolute path'],
      ['links/inside.mkv\0.txt', 'forbidden', 'NUL'],
      ['links/nothing', 'not-found', 'ENOENT'],
      ['links/inside.mkv/x', 'not-found', 'ENOTDIR'],
      [`links/${'x'.repeat(300)}`, 'not-found', 'ENAMETOOLONG'],
      ['\ud800', 'not-found', 'no such path'],
      ['x/'.repeat(3_000) + 'x', 'not-found', 'too long'],
    ];
    for (const [path, code, message] of refusals) {
      it(`refuses ${JSON.stringify(path).slice(0, 40)}: ${code}`, async () => {
        const calls = [
          () => media.read(root, path, { maxBytes: 10 }),
          () => media.fingerprint(root, path, {}),
          () => media.probe(root, path, {}),
          () => media.stat(root, path, {}),
        ];
        for (const call of calls) {
          const error = await failure(call());
          expect(error.code).to.equal(code);
          expect(error.message).to.contain(message);
        }
      });
    }
  });

  it('tells the times of many directories, and undefined where there is none', async () => {
    const paths = ['', 'Heat (1995)', 'Heat (1995)/Extras', 'nothing', 'nothing/below', '../x'];
    const more = ['Heat (1995)/Heat (1995).mkv', 'links/inside', 'links/etc', 'links/self'];
    const found = await media.statDirectories(root, [...paths, ...more], {});
    const isFound = found.map((facts) => facts !== undefined);
    expect(isFound).to.deep.equal([
      ...[true, true, true, false, false, false],
      ...[false, true, false, false],
    ]);
    const listed = await media.list(root, 'Heat (1995)', {});
    expect(found[1]).to.deep.equal({
      mtimeMs: listed.mtimeMs,
      inode: listed.inode,
      device: listed.device,
    });
  });

  it('lists and reads many at once, each failure in its place', async () => {
    const listings = await media.listMany(root, ['Heat (1995)', 'nothing', ''], {});
    expect(listings.map((one) => (one instanceof MediaError ? one.code : 'ok'))).to.deep.equal([
      ...['ok', 'not-found', 'ok'],
    ]);
    const wanted = ['Heat (1995)/Heat (1995).mkv', 'links/outside.txt', 'nothing'];
    const reads = await media.readMany(root, wanted, { maxBytes: 100_000 });
    expect(reads.map((one) => (one instanceof MediaError ? one.code : one.length))).to.deep.equal([
      ...[70_000, 'forbidden', 'not-found'],
    ]);
  });

  it('says that a root is not there, never that it is empty', async () => {
    for (const work of [
      () => media.list(join(base, 'unmounted'), '', {}),
      () => media.listMany(join(base, 'unmounted'), [''], {}),
      () => media.statDirectories(join(base, 'unmounted'), [''], {}),
      () => media.list(join(base, 'secret.txt'), '', {}),
    ]) {
      expect((await failure(work())).code).to.equal('unavailable');
    }
  });

  it('resolves a directory and tells when there is none', async () => {
    expect(await media.resolve(join(root, 'links/inside'), {})).to.equal(join(root, 'Heat (1995)'));
    expect((await failure(media.resolve(join(base, 'unmounted'), {}))).code).to.equal('not-found');
    expect((await failure(media.resolve('relative', {}))).code).to.equal('forbidden');
  });

  it('reads no more than asked for', async () => {
    const path = 'Heat (1995)/Heat (1995).mkv';
    expect((await failure(media.read(root, path, { maxBytes: 69_999 }))).code).to.equal(
      'too-large',
    );
    expect(await media.read(root, path, { maxBytes: 70_000 })).to.have.length(70_000);
  });

  describe('fingerprints', () => {
    // From the page that defines the hash: breakdance.avi is not here, so computed by its rule.
    const make = (name: string, sizeBytes: number) => {
      const bytes = Buffer.alloc(sizeBytes);
      for (let at = 0; at < sizeBytes; at += 32) {
        createHash('sha256').update(`${name}${at}`).digest().copy(bytes, at);
      }
      writeFileSync(join(root, name), bytes);
      return bytes;
    };
    const reference = (bytes: Buffer): string => {
      let sum = BigInt(bytes.length);
      for (const start of [0, Math.max(0, bytes.length - 65_536)]) {
        const chunk = Buffer.alloc(65_536);
        bytes.copy(chunk, 0, start, start + 65_536);
        for (let at = 0; at < chunk.length; at += 8) sum += chunk.readBigUInt64LE(at);
      }
      return (sum % 2n ** 64n).toString(16).padStart(16, '0');
    };
    for (const sizeBytes of [0, 1, 7, 8, 65_535, 65_536, 65_537, 131_072, 1_000_003]) {
      it(`of ${sizeBytes} bytes`, async () => {
        const bytes = make('hashed.bin', sizeBytes);
        expect(await media.fingerprint(root, 'hashed.bin', {})).to.equal(reference(bytes));
      });
    }

    it('of 70 GB of nothing is its size', async () => {
      writeFileSync(join(root, 'sparse.bin'), '');
      truncateSync(join(root, 'sparse.bin'), 70_000_000_000);
      expect(await media.fingerprint(root, 'sparse.bin', {})).to.equal('000000104c533c00');
    });
  });

  describe('mounts inside a root', () => {
    needs('root');
    it('are told by their device', async () => {
      const folder = join(root, 'mounted');
      mkdirSync(folder);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]);
      try {
        const [one] = await media.statDirectories(root, ['mounted'], {});
        const { device, entries } = await media.list(root, '', {});
        expect(one?.device).to.not.equal(device);
        const listed = entries.find(({ name }) => name === 'mounted');
        expect(listed?.device).to.equal(one?.device);
      } finally {
        execFileSync('umount', [folder]);
      }
    });
  });
});

async function makeLinks(root: string): Promise<void> {
  const folder = join(root, 'links');
  mkdirSync(join(folder, 'a/b'), { recursive: true });
  mkdirSync(join(folder, 'c'));
  symlinkSync('../Heat (1995)/Heat (1995).mkv', join(folder, 'inside.mkv'));
  symlinkSync('../Heat (1995)', join(folder, 'inside'));
  symlinkSync('../../secret.txt', join(folder, 'outside.txt'));
  symlinkSync('/etc', join(folder, 'etc'));
  symlinkSync('../../library-of-others', join(folder, 'others'));
  symlinkSync('nowhere', join(folder, 'broken'));
  symlinkSync('self', join(folder, 'self'));
  symlinkSync('..', join(folder, 'up'));
  symlinkSync('.', join(folder, 'here'));
  // a/b/to-c leads to c, and c/to-a back to a: only the way there shows that it is a loop.
  symlinkSync('../../c', join(folder, 'a/b/to-c'));
  symlinkSync('../a', join(folder, 'c/to-a'));
  // Two links lead from 2 to 1, and from 1 to 0; a link to a file is no way on.
  for (const level of ['0', '1', '2']) mkdirSync(join(folder, 'many', level), { recursive: true });
  for (const [from, to] of ['21', '10']) {
    for (const name of ['x', 'y']) symlinkSync(`../${to}`, join(folder, 'many', from!, name));
  }
  symlinkSync('../../inside.mkv', join(folder, 'many/1/film.mkv'));
  execFileSync('mkfifo', [join(folder, 'fifo.mkv')]);
  await new Promise<void>((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(join(folder, 'socket.mkv'), () => {
      // The socket's file is left behind on purpose: close() would remove it.
      execFileSync('cp', ['-a', join(folder, 'socket.mkv'), join(folder, 'socket2.mkv')]);
      server.close(() => resolve());
    });
  });
}
