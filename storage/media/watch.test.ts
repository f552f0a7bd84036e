import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { quiet } from '#test/log.ts';
import { whyUnheard } from './file-systems.ts';
import { createWatcher, type FolderEvent, type Watcher } from './watch.ts';

describe('file systems', () => {
  const table: [name: string, type: number, platform: string, isHeard: boolean][] = [
    ['ext4', 0xef53, 'linux', true],
    ['btrfs, as a signed number', 0x9123683e | 0, 'linux', true],
    ['overlay', 0x794c7630, 'linux', true],
    ['NFS', 0x6969, 'linux', false],
    ['SMB, as a signed number', 0xff534d42 | 0, 'linux', false],
    ['FUSE', 0x65735546, 'linux', false],
    ['one nobody knows', 0x1234, 'linux', false],
    ['any of another system', 0xef53, 'darwin', false],
  ];
  for (const [name, type, platform, isHeard] of table) {
    it(`${name}: ${isHeard ? 'all changes are heard' : 'not all changes are heard'}`, () => {
      expect(whyUnheard(type, platform) === undefined).to.equal(isHeard);
    });
  }
});

/** What a watch has told. */
function hearing() {
  const events: FolderEvent[] = [];
  let wake = () => {};
  let isListening = false;
  let ended: string | undefined;
  const told = () => {
    wake();
    wake = () => {};
  };
  const until = async (is: () => boolean) => {
    while (!is()) {
      await Promise.race([new Promise<void>((resolve) => (wake = resolve)), pause(1_000)]);
    }
  };
  return {
    events,
    until,
    ended: () => ended,
    listening: () => until(() => isListening || ended !== undefined),
    paths: () => new Map(events.map(({ path, isGone }) => [path, isGone])),
    onEvents: (heard: readonly FolderEvent[] | undefined) => {
      events.push(...(heard ?? []));
      told();
    },
    onListening: () => {
      isListening = true;
      told();
    },
    onEnd: (reason: string) => {
      ended = reason;
      told();
    },
  };
}

describe('watching folders', () => {
  let folder: string;
  let watcher: Watcher;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'revenge-test-watch-'));
    watcher = createWatcher({ log: quiet });
  });
  afterEach(async () => {
    await watcher[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  it('tells what comes and goes, also in folders that come later', async () => {
    const told = hearing();
    watcher.watch(folder, told);
    await told.listening();
    expect(told.ended()).to.equal(undefined);
    await mkdir(join(folder, 'A'));
    await told.until(() => told.paths().has(join(folder, 'A')));
    const file = join(folder, 'A/a.mkv');
    await writeFile(file, 'a');
    await told.until(() => told.paths().get(file) === false);
    await rename(file, join(folder, 'b.mkv'));
    await told.until(() => told.paths().get(file) === true);
    await told.until(() => told.paths().get(join(folder, 'b.mkv')) === false);
  });

  it('watches several folders, and lets go of one alone', async () => {
    const [one, two] = [hearing(), hearing()];
    await mkdir(join(folder, '1'));
    await mkdir(join(folder, '2'));
    watcher.watch(join(folder, '1'), one);
    watcher.watch(join(folder, '2'), two);
    await Promise.all([one.listening(), two.listening()]);
    watcher.unwatch(join(folder, '1'));
    await writeFile(join(folder, '1/x'), '');
    await writeFile(join(folder, '2/x'), '');
    await two.until(() => two.paths().has(join(folder, '2/x')));
    expect(one.events).to.deep.equal([]);
  });

  it('ends the watch of what is not there, and goes on with others', async () => {
    const [one, two] = [hearing(), hearing()];
    watcher.watch(join(folder, 'none'), one);
    watcher.watch(folder, two);
    await Promise.all([one.listening(), two.listening()]);
    expect(one.ended()).to.match(/ENOENT/);
    expect(two.ended()).to.equal(undefined);
  });

  it('gives up a folder that hangs while its watch begins, with the process that hangs', async () => {
    await watcher[Symbol.asyncDispose]();
    // No process has begun to listen within no time: as if it hung.
    watcher = createWatcher({ log: quiet, beginMs: 0 });
    const told = hearing();
    watcher.watch(folder, told);
    await told.until(() => told.ended() !== undefined);
    expect(told.ended()).to.match(/hung/);
  });
});
