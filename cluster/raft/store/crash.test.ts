import { expect } from 'chai';
import fc from 'fast-check';
import { execFileSync, spawn } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { needs } from '#test/needs.ts';
import type { Boot, Entry, Save } from '../core/types.ts';
import { applyToModel, createDice, emptyModel, nextSave, type Model } from './crash-child.ts';
import { DamagedError, StoreError } from './errors.ts';
import { openRaftStore } from './store.ts';

const child = fileURLToPath(new URL('./crash-child.ts', import.meta.url));
const command = (index: number, size: number): Entry => ({
  index,
  term: 1,
  type: 'command',
  data: new Uint8Array(size),
});
const first: Save = {
  number: 1,
  hardState: { term: 1, vote: undefined },
  entries: [],
  mustSync: true,
};

async function reopen(dir: string): Promise<Boot> {
  const store = await openRaftStore({ dir });
  await store.close();
  return store.boot();
}

/** Everything but what was cut, whose going is lazy. */
function isSame(boot: Boot, model: Model): boolean {
  const from = model.snapshot?.index ?? 0;
  const plain = ({ hardState, snapshot, entries }: Boot) => ({
    hardState,
    snapshot,
    entries: entries.filter(({ index }) => index > from).map((entry) => ({ ...entry })),
  });
  return isDeepStrictEqual(plain(boot), plain(model));
}

function story(seed: number, length: number): { saves: Save[]; models: Model[] } {
  const dice = createDice(seed);
  const models = [emptyModel()];
  const saves: Save[] = [];
  for (let number = 1; number <= length; number += 1) {
    const before = models[number - 1]!;
    const save = nextSave(before, number, dice);
    saves.push(save);
    models.push(applyToModel(before, save));
  }
  return { saves, models };
}

describe('the Raft store, broken off', function () {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'raft-crash-'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('has after a kill all that was acknowledged, and nothing by half', async () => {
    const rounds = Number(process.env['REVENGE_TEST_KILLS'] ?? 12);
    for (let seed = 1; seed <= rounds; seed += 1) {
      const dir = join(root, `${seed}`);
      const said = await killed(dir, seed);
      const { models } = story(seed, said.tried);
      const boot = await reopen(dir);
      const possible = models.slice(said.done, said.tried + 1);
      const which = `seed ${seed}: one of the states ${said.done} to ${said.tried}`;
      expect(
        possible.some((model) => isSame(boot, model)),
        which,
      ).to.equal(true);
      rmSync(dir, { recursive: true });
    }
  });

  async function killed(dir: string, seed: number): Promise<{ tried: number; done: number }> {
    const running = spawn(process.execPath, [child, dir, String(seed)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    running.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const closed = new Promise((resolve) => running.once('close', resolve));
    while (!text.includes('done 1\n')) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 20 + createDice(seed)(150)));
    running.kill('SIGKILL');
    await closed;
    const last = (word: string) =>
      Math.max(0, ...[...text.matchAll(new RegExp(`${word} (\\d+)\n`, 'g'))].map((m) => +m[1]!));
    return { tried: last('try'), done: last('done') };
  }

  describe('in its write-ahead file', () => {
    const length = 40;
    const { saves, models } = story(7, length);
    let dir = '';
    let wal = '';
    let whole = Buffer.alloc(0);
    /** How long the file was when a save had been acknowledged. */
    const ends: number[] = [];
    beforeEach(async () => {
      dir = join(root, 'origin');
      const store = await openRaftStore({ dir });
      await store.close();
      const writing = await openRaftStore({ dir });
      const log = join(dir, 'log');
      wal = readdirSync(log).find((name) => /^\d+\.log$/.test(name))!;
      ends.length = 0;
      ends.push(0);
      for (const save of saves) {
        await writing.save([save]);
        ends.push(statSync(join(log, wal)).size);
      }
      // A copy of the open folder is what a crash leaves.
      cpSync(dir, join(root, 'crashed'), { recursive: true });
      await writing.close();
      dir = join(root, 'crashed');
      whole = readFileSync(join(dir, 'log', wal));
    });

    const copy = (to: string) => {
      const place = join(root, to);
      rmSync(place, { recursive: true, force: true });
      cpSync(dir, place, { recursive: true });
      return place;
    };

    it('cut at every boundary and between them, is one of the states there were', async () => {
      const cuts = new Set(ends.flatMap((end) => [end - 1, end, end + 1, end + 9]));
      for (const cut of [...cuts].filter((one) => one >= 0 && one <= whole.length)) {
        const place = copy('cut');
        truncateSync(join(place, 'log', wal), cut);
        const boot = await reopen(place);
        const known = ends.findLastIndex((end) => end <= cut);
        expect(
          models.slice(known).some((model) => isSame(boot, model)),
          `cut at ${cut}`,
        ).to.equal(true);
      }
    });

    it('rotten anywhere, is refused', async () => {
      const dice = createDice(11);
      for (let round = 0; round < 150; round += 1) {
        const place = copy('rotten');
        const rotten = Buffer.from(whole);
        const at = dice(rotten.length);
        rotten[at]! ^= 1 << dice(8);
        writeFileSync(join(place, 'log', wal), rotten);
        const error = await reopen(place).catch((error: unknown) => error);
        expect(error, `byte ${at} of ${rotten.length}`).to.be.instanceOf(DamagedError);
        expect((error as DamagedError).reason).to.match(/\.log has rotted at byte \d+$/);
      }
    });
  });

  it('is as its model after any saves, opened anew in between', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.array(fc.integer({ min: 1, max: 12 })),
        async (seed, groups) => {
          const dir = mkdtempSync(join(root, 'model-'));
          const dice = createDice(seed);
          let model = emptyModel();
          let number = 0;
          for (const size of groups) {
            const store = await openRaftStore({ dir });
            expect(isSame(store.boot(), model)).to.equal(true);
            const writes: Promise<void>[] = [];
            for (let at = 0; at < size; at += 1) {
              number += 1;
              const save = nextSave(model, number, dice);
              model = applyToModel(model, save);
              writes.push(store.save([save]));
            }
            await Promise.all(writes);
            await store.close();
          }
          expect(isSame(await reopen(dir), model)).to.equal(true);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('reads 100,000 entries again', async () => {
    const store = await openRaftStore({ dir: root });
    await store.save([first]);
    const writes: Promise<void>[] = [];
    for (let from = 1; from <= 100_000; from += 500) {
      const entries = Array.from({ length: 500 }, (_, at) => command(from + at, 128));
      writes.push(store.save([{ number: from, entries, mustSync: true }]));
    }
    await Promise.all(writes);
    await store.close();
    const { entries } = await reopen(root);
    expect(entries).to.have.lengthOf(100_000);
    expect(entries.at(-1)?.index).to.equal(100_000);
  });

  describe('by a full disk', () => {
    needs('root');
    it('takes nothing more, and has all that was acknowledged', async () => {
      const dir = join(root, 'small');
      mkdirSync(dir);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir]);
      try {
        const store = await openRaftStore({ dir });
        await store.save([first]);
        let done = 0;
        const write = async (index: number) => {
          await store.save([{ number: index, entries: [command(index, 4000)], mustSync: true }]);
          done = index;
        };
        const writes = Array.from({ length: 1000 }, (_, at) => write(at + 1));
        const results = await Promise.allSettled(writes);
        const refused = results.filter((result) => result.status === 'rejected');
        expect(refused.length).to.equal(1000 - done);
        expect(refused.length).to.be.greaterThan(0);
        const reasons = new Set(refused.map(({ reason }) => reason as unknown));
        expect(reasons.size).to.equal(1);
        expect(store.failure()).to.be.instanceOf(StoreError);
        expect(store.failure()?.message).to.match(
          /writing the Raft data .* No space left on device/,
        );
        await store.close();
        execFileSync('mount', ['-o', 'remount,size=16m', dir]);
        const { entries } = await reopen(dir);
        expect(entries.length).to.be.at.least(done);
        expect(done).to.be.greaterThan(0);
      } finally {
        execFileSync('umount', [dir]);
      }
    });
  });
});
