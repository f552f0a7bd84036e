import { expect } from 'chai';
import {
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Boot, Entry, SnapshotMeta } from '../core/types.ts';
import { DamagedError, StoreError } from './errors.ts';
import { joinSnapshot } from './join.ts';
import { newestWhole, openSnapshots, type SnapshotFile } from './snapshots.ts';

const meta = (index: number, term = 1): SnapshotMeta => ({
  index,
  term,
  configuration: { servers: [{ id: 'n1', address: 'a:1', suffrage: 'voter' }] },
  configurationIndex: 1,
});

async function bytes(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

describe('the folder of snapshots', () => {
  let dir = '';
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'raft-snapshots-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));
  const names = () => readdirSync(join(dir, 'snapshots')).sort();

  async function take(index: number, text: string, term = 1): Promise<SnapshotFile> {
    const snapshots = await openSnapshots({ dir });
    const sink = await snapshots.create(meta(index, term));
    for (const part of text.match(/.{1,3}/gs) ?? []) void sink.write(Buffer.from(part));
    return sink.commit(text.length);
  }

  it('gives back what was written, from any byte on', async () => {
    const file = await take(5, 'the whole state');
    const snapshots = await openSnapshots({ dir });
    const { file: newest, skipped } = await newestWhole(dir);
    expect(newest).to.deep.equal(file);
    expect(newest?.meta).to.deep.equal(meta(5));
    expect(skipped).to.deep.equal([]);
    const open = await snapshots.open(file);
    expect(await bytes(open.stream())).to.equal('the whole state');
    expect(await bytes(open.stream(4))).to.equal('whole state');
    await open.close();
  });

  it('keeps two, newest first; an open one stays readable', async () => {
    const first = await take(5, 'five');
    const snapshots = await openSnapshots({ dir });
    const open = await snapshots.open(first);
    await take(7, 'seven');
    await take(10, 'ten');
    const { files } = await snapshots.list();
    expect(files.map((file) => file.meta.index)).to.deep.equal([10, 7]);
    expect(names()).to.have.lengthOf(2);
    expect(await bytes(open.stream())).to.equal('five');
    await open.close();
  });

  it('refuses a stream of another length, and leaves nothing of it', async () => {
    const snapshots = await openSnapshots({ dir });
    const sink = await snapshots.create(meta(5));
    await sink.write(Buffer.from('four'));
    const error = await sink.commit(5).catch((error: unknown) => error);
    expect(error).to.be.instanceOf(StoreError);
    expect((error as Error).message).to.match(/has 4 bytes, 5 were announced$/);
    const other = await snapshots.create(meta(6));
    await other.abort();
    expect(names()).to.deep.equal([]);
  });

  it('removes at opening what a crash left', async () => {
    await take(5, 'five');
    writeFileSync(join(dir, 'snapshots', '0000000000000009-1.snapshot.1.tmp'), 'half');
    await openSnapshots({ dir });
    expect(names()).to.have.lengthOf(1);
  });

  it('passes over a torn one at every length, and one with any flipped byte, and names it', async () => {
    await take(5, 'five');
    const { path } = await take(7, 'seven');
    const whole = readFileSync(path);
    for (let length = 0; length < whole.length; length += 1) {
      writeFileSync(path, whole);
      truncateSync(path, length);
      const { file, skipped } = await newestWhole(dir);
      expect(file?.meta.index, `cut at ${length}`).to.equal(5);
      expect(skipped[0]?.path).to.equal(path);
    }
    for (let at = 0; at < whole.length; at += 1) {
      const flipped = Buffer.from(whole);
      flipped[at]! ^= 0x40;
      writeFileSync(path, flipped);
      expect((await newestWhole(dir)).file?.meta.index, `flipped at ${at}`).to.equal(5);
    }
  });

  describe('and the log', () => {
    const log = (from: number, to: number): Entry[] =>
      Array.from({ length: to - from + 1 }, (_, at) => {
        return { index: from + at, term: 1, type: 'command', data: new Uint8Array() };
      });
    const boot = (snapshot: SnapshotMeta | undefined, entries: Entry[]): Boot => ({
      hardState: { term: 1, vote: undefined },
      snapshot,
      entries,
    });

    it('belong together by the record, also when a newer file is there', async () => {
      const file = await take(5, 'five');
      await take(7, 'seven');
      const joined = await joinSnapshot(dir, boot(meta(5), log(3, 9)));
      expect(joined.file).to.deep.equal(file);
      expect((await joinSnapshot(dir, boot(undefined, log(1, 9)))).file).to.equal(undefined);
    });

    it('do with an older snapshot that the log still reaches', async () => {
      await take(5, 'five');
      const { path } = await take(7, 'seven');
      truncateSync(path, 60);
      const joined = await joinSnapshot(dir, boot(meta(7), log(6, 9)));
      expect(joined.boot.snapshot?.index).to.equal(5);
      expect(joined.skipped.map((one) => one.path)).to.deep.equal([path]);
    });

    it('are damaged when there is none', async () => {
      await take(5, 'five');
      const { path, size, headerSize } = await take(7, 'seven');
      truncateSync(path, headerSize + size - 1);
      const error = await joinSnapshot(dir, boot(meta(7), log(7, 9))).catch((e: unknown) => e);
      expect(error).to.be.instanceOf(DamagedError);
      const total = headerSize + size;
      expect((error as DamagedError).reason).to.equal(
        `no snapshot is left that the log joins (${path} has ${total - 1} bytes, ${total} were written)`,
      );
    });
  });
});
