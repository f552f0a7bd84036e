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
import { crc32 } from 'node:zlib';
import type { SnapshotMeta } from '../core/types.ts';
import { StoreError } from './errors.ts';
import { newestWhole, openSnapshots } from './snapshots.ts';

const meta = (index: number, more: Partial<SnapshotMeta> = {}): SnapshotMeta => ({
  ...{ index, term: 1, configurationIndex: 1 },
  configuration: { servers: [{ id: 'n1', address: 'a:1', suffrage: 'voter' }] },
  ...more,
});
const text = 'the whole state of a machine';
const contentOf = (of: string) => ({ size: of.length, crc: crc32(of) });
const content = contentOf(text);

describe('a snapshot of which a part has come', () => {
  let dir = '';
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'raft-partials-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));
  const names = () => readdirSync(join(dir, 'snapshots')).sort();
  const path = (ending: string) => join(dir, 'snapshots', `0000000000000005-1.${ending}`);

  /** As after a stream that broke off behind these bytes. */
  async function keep(part: string, of = meta(5)) {
    const snapshots = await openSnapshots({ dir });
    const sink = await snapshots.create(of, { ...content, from: 0 });
    for (const piece of part.match(/.{1,3}/gs) ?? []) await sink.write(Buffer.from(piece));
    await sink.abort();
    return snapshots;
  }

  it('is gone on with, also after a restart, and is then like any other', async () => {
    await keep(text.slice(0, 10));
    const snapshots = await openSnapshots({ dir });
    const from = await snapshots.partials.keptOf(meta(5), content);
    expect(from).to.equal(10);
    const sink = await snapshots.create(meta(5), { ...content, from });
    await sink.write(Buffer.from(text.slice(10)));
    const file = await sink.commit(text.length);
    expect(names()).to.deep.equal(['0000000000000005-1.snapshot']);
    expect((await newestWhole(dir)).file).to.deep.equal(file);
    expect(readFileSync(file.path).subarray(file.headerSize).toString()).to.equal(text);
    const written = await snapshots.create(meta(6));
    await written.write(Buffer.from(text));
    const other = await written.commit();
    expect(other).to.deep.include({ size: file.size, crc: file.crc });
  });

  it('may be whole, with only its end missing', async () => {
    const snapshots = await keep(text);
    const from = await snapshots.partials.keptOf(meta(5), content);
    expect(from).to.equal(text.length);
    const sink = await snapshots.create(meta(5), { ...content, from });
    expect((await sink.commit()).size).to.equal(text.length);
  });

  const others: [string, SnapshotMeta, { size: number; crc: number }][] = [
    ['index', meta(6), content],
    ['term', meta(5, { term: 2 }), content],
    ['configuration index', meta(5, { configurationIndex: 2 }), content],
    ['configuration', meta(5, { configuration: { servers: [] } }), content],
    ['size', meta(5), { ...content, size: content.size + 1 }],
    ['content', meta(5), contentOf(text.toUpperCase())],
  ];
  for (const [what, of, about] of others) {
    it(`is of no use to one with another ${what}, which takes its place`, async () => {
      const snapshots = await keep(text.slice(0, 10));
      expect(await snapshots.partials.keptOf(of, about)).to.equal(0);
      // A question alone takes nothing away: who asks may be nobody's leader any more.
      expect(await snapshots.partials.keptOf(meta(5), content)).to.equal(10);
      const sink = await snapshots.create(of, { ...about, from: 0 });
      await sink.write(Buffer.from('T'));
      await sink.abort();
      expect(await snapshots.partials.keptOf(of, about)).to.equal(1);
      expect(await snapshots.partials.keptOf(meta(5), content)).to.equal(0);
      expect(names()).to.have.lengthOf(2);
    });
  }

  const damages: [string, () => void][] = [
    ['a flipped byte', () => flip(path('partial'))],
    ['bytes missing at its end', () => truncateSync(path('partial'), 60)],
    ['a torn note', () => writeFileSync(path('progress'), '{"index":5')],
    ['a note of nothing', () => writeFileSync(path('progress'), '{"kept":-1}')],
    ['no note', () => rmSync(path('progress'))],
    ['no bytes', () => rmSync(path('partial'))],
  ];
  function flip(file: string) {
    const bytes = readFileSync(file);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(file, bytes);
  }
  for (const [what, damage] of damages) {
    it(`with ${what} begins anew`, async () => {
      const snapshots = await keep(text.slice(0, 20));
      damage();
      expect(await snapshots.partials.keptOf(meta(5), content)).to.equal(0);
      const sink = await snapshots.create(meta(5), { ...content, from: 0 });
      await sink.write(Buffer.from(text));
      await sink.commit(text.length);
      expect(names()).to.deep.equal(['0000000000000005-1.snapshot']);
    });
  }

  it('whose bytes are not what was announced is refused at its end, and gone', async () => {
    const snapshots = await keep(text.slice(0, 10));
    const from = await snapshots.partials.keptOf(meta(5), content);
    const sink = await snapshots.create(meta(5), { ...content, from });
    await sink.write(Buffer.from(text.slice(10).toUpperCase()));
    const error = await sink.commit(text.length).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(StoreError);
    expect((error as Error).message).to.contain('its checksum is wrong');
    expect(names()).to.deep.equal([]);
  });

  it('takes neither too many bytes nor too few, and keeps what it has', async () => {
    const snapshots = await keep('');
    const sink = await snapshots.create(meta(5), { ...content, from: 0 });
    await sink.write(Buffer.from(text.slice(0, 20)));
    const long = await sink.write(Buffer.alloc(20)).catch((thrown: unknown) => thrown);
    expect(long).to.be.instanceOf(StoreError);
    const short = await sink.commit(text.length).catch((thrown: unknown) => thrown);
    expect(short).to.be.instanceOf(StoreError);
    expect(await snapshots.partials.keptOf(meta(5), content)).to.equal(20);
  });

  it('is gone on with only from where it was found to end', async () => {
    const snapshots = await keep(text.slice(0, 10));
    const at = (from: number) =>
      snapshots.create(meta(5), { ...content, from }).catch((thrown: unknown) => thrown);
    expect(await at(10), 'nobody asked').to.be.instanceOf(StoreError);
    await snapshots.partials.keptOf(meta(5), content);
    expect(await at(9)).to.be.instanceOf(StoreError);
  });

  it('is taken over from a stream that nobody ended', async () => {
    const snapshots = await openSnapshots({ dir });
    const stuck = await snapshots.create(meta(5), { ...content, from: 0 });
    void stuck.write(Buffer.from(text.slice(0, 4)));
    void stuck.write(Buffer.from(text.slice(4, 8)));
    const from = await snapshots.partials.keptOf(meta(5), content);
    expect(from).to.equal(8);
    const sink = await snapshots.create(meta(5), { ...content, from });
    const late = await stuck.write(Buffer.from('late')).catch((thrown: unknown) => thrown);
    expect(late).to.be.instanceOf(StoreError);
    await stuck.abort();
    await sink.write(Buffer.from(text.slice(8)));
    expect((await sink.commit()).crc).to.equal(content.crc);
  });

  it('is removed once something newer is there, or at opening when it is no use', async () => {
    const snapshots = await keep(text.slice(0, 10));
    await snapshots.partials.drop(4);
    expect(names()).to.have.lengthOf(2);
    await snapshots.partials.drop(5);
    expect(names()).to.deep.equal([]);
    await keep(text.slice(0, 10));
    const sink = await snapshots.create(meta(7));
    await sink.commit(0);
    expect(names()).to.deep.equal(['0000000000000007-1.snapshot']);
    rmSync(path('snapshot'), { force: true });
    writeFileSync(path('partial'), 'bytes without a note');
    writeFileSync(path('progress').replace('5-1', '6-1'), '{"kept":1}');
    await openSnapshots({ dir });
    expect(names()).to.deep.equal(['0000000000000007-1.snapshot']);
  });

  it('is noted on the way, so that a crash loses little of it', async function () {
    const size = 40 * 1024 * 1024;
    const snapshots = await openSnapshots({ dir });
    const sink = await snapshots.create(meta(5), { size, crc: 0, from: 0 });
    for (let i = 0; i < 36; i++) await sink.write(Buffer.alloc(1024 * 1024, i));
    // The same folder as another process finds it after this one was killed.
    const { partials } = await openSnapshots({ dir });
    expect(await partials.keptOf(meta(5), { size, crc: 0 })).to.equal(32 * 1024 * 1024);
    await sink.abort();
  });
});
