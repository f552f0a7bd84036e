import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect } from 'chai';
import fc from 'fast-check';
import { needs } from '#test/needs.ts';
import { BackupError } from './errors.ts';
import { compressor, decompress, wrap } from './frame.ts';
import { generateKey, seal, unseal, type Key, type Lock } from './seal.ts';
import { packTar, unpackTar, type Entry } from './tar.ts';

const entries: Entry[] = [
  { name: 'manifest.json', bytes: Buffer.from('{}\n') },
  { name: 'tables/public.movies/000001.copy', bytes: Buffer.from('a\tb\n'.repeat(3_000)) },
  { name: 'tables/public.movies/000002.copy', bytes: Buffer.alloc(512, 1) },
  { name: 'nothing', bytes: Buffer.alloc(0) },
];
const at = new Date('2026-01-31T04:17:00Z');

async function pack(content: readonly Entry[], lock?: Lock): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const archive = Readable.from(packTar(Readable.from(content), at), { objectMode: false });
  await pipeline(archive, compressor(), wrap, async (bytes: AsyncIterable<Uint8Array>) => {
    for await (const chunk of lock ? seal(bytes, lock) : bytes) chunks.push(chunk);
  });
  return Buffer.concat(chunks);
}

const chunked = (bytes: Buffer, size = 1_000) =>
  Readable.from(
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, nth) =>
      bytes.subarray(nth * size, (nth + 1) * size),
    ),
  ) as AsyncIterable<Buffer>;

async function unpack(bytes: Buffer, key?: Key): Promise<Entry[]> {
  const source = chunked(bytes);
  const found: Entry[] = [];
  for await (const entry of unpackTar(decompress(key ? unseal(source, key) : source))) {
    found.push({ name: entry.name, bytes: Buffer.from(entry.bytes) });
  }
  return found;
}

const faultOf = (work: Promise<unknown>) =>
  work.then(
    () => 'accepted',
    (error: unknown) => (error instanceof BackupError ? error.fault : String(error)),
  );

describe('the archive of a backup', () => {
  it('gives back what was put in, however it is cut in chunks', async () => {
    const content = fc.array(
      fc.record({
        name: fc.stringMatching(/^[a-z0-9._/-]{1,100}$/),
        bytes: fc.uint8Array({ maxLength: 2_000 }).map((each) => Buffer.from(each)),
      }),
    );
    await fc.assert(
      fc.asyncProperty(content, async (some) => {
        expect(await unpack(await pack(some))).to.deep.equal(some);
      }),
      { numRuns: 50 },
    );
  });

  it('is refused with any one bit changed', async () => {
    const whole = await pack(entries);
    const accepted: number[] = [];
    for (let byte = 0; byte < whole.length; byte += 1) {
      const altered = Buffer.from(whole);
      altered[byte]! ^= 1 << (byte % 8);
      const fault = await faultOf(unpack(altered));
      if (fault !== 'damaged' && fault !== 'foreign') accepted.push(byte);
    }
    expect(accepted).to.deep.equal([]);
  });

  it('is refused cut off anywhere, and with something behind it', async () => {
    const whole = await pack(entries);
    for (let length = 0; length < whole.length; length += 1) {
      expect(await faultOf(unpack(whole.subarray(0, length))), `${length}`).to.equal('damaged');
    }
    expect(await faultOf(unpack(Buffer.concat([whole, Buffer.from('x')])))).to.equal('damaged');
    expect(await faultOf(unpack(Buffer.concat([whole, whole])))).to.equal('damaged');
  });

  it('is told from other files', async () => {
    for (const text of ['-- PostgreSQL database dump\n', 'PK\u0003\u0004', '{"not": "one"}']) {
      expect(await faultOf(unpack(Buffer.from(text.repeat(9))))).to.equal('foreign');
    }
  });

  it('takes no names and sizes that its format has no place for', async () => {
    const long = { name: 'x'.repeat(101), bytes: Buffer.alloc(0) };
    expect(await faultOf(pack([long]))).to.match(/too long/);
  });

  describe('sealed', () => {
    it('opens with the passphrase, and with the secret key', async () => {
      const { identity, recipient } = await generateKey();
      const other = await generateKey();
      const sealed = await pack(entries, { recipients: [other.recipient, recipient] });
      expect(await unpack(sealed, { identities: [identity] })).to.deep.equal(entries);
      expect(await unpack(sealed, { identities: [other.identity] })).to.deep.equal(entries);
      const passphrase = 'correct horse battery staple';
      // The command line's own tests pay the full price of a guess.
      const locked = await pack(entries, { passphrase, workFactor: 10 });
      expect(await unpack(locked, { passphrase })).to.deep.equal(entries);
      expect(await faultOf(unpack(locked, { passphrase: 'another' }))).to.equal('wrong-key');
    });

    it('does not open without its key, altered, or cut off', async () => {
      const { identity, recipient } = await generateKey();
      const sealed = await pack(entries, { recipients: [recipient] });
      const key = { identities: [identity] };
      const stranger = { identities: [(await generateKey()).identity] };
      expect(await faultOf(unpack(sealed, stranger))).to.equal('wrong-key');
      expect(await faultOf(unpack(sealed))).to.equal('foreign');
      const faults = new Set<string>();
      for (let byte = 0; byte < sealed.length; byte += 1) {
        const altered = Buffer.from(sealed);
        altered[byte]! ^= 1 << (byte % 8);
        faults.add(await faultOf(unpack(altered, key)));
        faults.add(await faultOf(unpack(sealed.subarray(0, byte), key)));
      }
      expect([...faults].sort()).to.deep.equal(['damaged', 'wrong-key']);
    });

    it('is for nobody by a key that is none', async () => {
      expect(await faultOf(pack(entries, { recipients: ['age1nobody'] }))).to.equal('refused');
    });
  });

  describe('without this program', () => {
    needs('zstd', 'tar');
    it('is read by zstd and tar', async () => {
      const dir = await mkdtemp(join(tmpdir(), 'revenge-archive-'));
      try {
        const file = join(dir, 'backup.tar.zst');
        await writeFile(file, await pack(entries));
        const list = execFileSync('tar', ['--zstd', '-tvf', file], { encoding: 'utf8' });
        expect(list.match(/\S+$/gm)).to.deep.equal(entries.map(({ name }) => name));
        const one = execFileSync('tar', ['--zstd', '-xOf', file, entries[1]!.name]);
        expect(one).to.deep.equal(entries[1]!.bytes);
      } finally {
        await rm(dir, { recursive: true, force: true });
      }
    });
  });
});
