import { expect } from 'chai';
import { mkdtempSync, readFileSync, readdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DamagedError } from './errors.ts';
import { tablesOf } from './manifest.ts';
import { findRot } from './rot.ts';
import { openRaftStore } from './store.ts';
import { rotInTable } from './tables.ts';

describe('rot in LevelDB’s files', () => {
  let dir: string;
  let place: string;
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'raft-rot-'));
    place = join(dir, 'log');
    let index = 1;
    // Each opening makes a table of what the one before left in its write-ahead file.
    for (let nth = 1; nth <= 3; nth += 1) {
      const store = await openRaftStore({ dir, id: 'n1' });
      if (nth === 1) await store.bootstrap({ servers: [] });
      const entries = Array.from({ length: 100 }, () => ({
        ...{ index: (index += 1), term: 1, type: 'command' as const },
        data: Buffer.alloc(150, index),
      }));
      await store.save([{ number: nth, entries, mustSync: true }]);
      await store.close();
    }
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const named = (pattern: RegExp) => readdirSync(place).filter((name) => pattern.test(name));
  const tables = () => named(/\.ldb$/);
  const opened = () =>
    openRaftStore({ dir, id: 'n1' }).then(
      (store) => store.close().then(() => undefined),
      (error: unknown) => error,
    );

  it('is not in those that are whole', async () => {
    expect(tables()).to.have.length(2);
    expect(await findRot(place)).to.equal(undefined);
    const [manifest = ''] = named(/^MANIFEST/);
    const used = tablesOf(readFileSync(join(place, manifest)));
    expect([...used].sort()).to.deep.equal(
      tables()
        .map((name) => parseInt(name))
        .sort(),
    );
  });

  it('is found at any byte of a table but the unused ones of its footer', () => {
    const whole = readFileSync(join(place, tables()[0]!));
    const footer = whole.length - 48;
    expect(rotInTable(whole)).to.equal(undefined);
    for (let at = 0; at < whole.length; at += at < footer ? 61 : 1) {
      const file = Buffer.from(whole);
      file[at]! ^= 1 << (at & 7);
      const isUsed = at < footer + 8 || at >= whole.length - 8;
      expect(rotInTable(file) !== undefined || !isUsed, `flipped at ${at}`).to.equal(true);
    }
    for (let size = 0; size < whole.length; size += 97) {
      expect(rotInTable(whole.subarray(0, size)), `cut to ${size}`).to.be.a('number');
    }
  });

  it('keeps the node from starting, where LevelDB would end the process', async () => {
    const path = join(place, tables()[0]!);
    const file = readFileSync(path);
    writeFileSync(path, file.fill(0, file.length - 400, file.length - 100));
    const error = await opened();
    expect(error).to.be.instanceOf(DamagedError);
    expect(error).to.have.property('message').that.contains(`${path} has rotted at byte`);
  });

  it('does not matter in a table that a cut off compaction left', async () => {
    writeFileSync(join(place, '000099.ldb'), 'half a table');
    expect(await opened()).to.equal(undefined);
  });

  it('is a manifest that is gone, or that nothing names', async () => {
    const [manifest = ''] = named(/^MANIFEST/);
    const current = readFileSync(join(place, 'CURRENT'));
    writeFileSync(join(place, 'CURRENT'), 'MONIFEST-000001\n');
    expect(await opened()).to.be.instanceOf(DamagedError);
    writeFileSync(join(place, 'CURRENT'), current);
    unlinkSync(join(place, manifest));
    expect(await opened()).to.be.instanceOf(DamagedError);
  });
});
