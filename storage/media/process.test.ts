import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { mountHung } from '#test/hung-mount.ts';
import { quiet } from '#test/log.ts';
import { needs } from '#test/needs.ts';
import { forkProcess } from './child.ts';
import { createMedia, MediaError, type MediaEngine } from './index.ts';
import type { Ask, FromProcess } from './protocol.ts';
import { createReader } from './reader.ts';

/** Processes started by this one that run the media program. */
function children(): number[] {
  const path = `/proc/${process.pid}/task/${process.pid}/children`;
  const pids = readFileSync(path, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  return pids.filter((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('media/process.ts'),
  );
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'ok',
    (error: unknown) => (error instanceof MediaError ? error.code : String(error)),
  );

describe('the media process', () => {
  it('says of which device each answer is, whoever gives it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'revenge-media-'));
    writeFileSync(join(folder, 'file.nfo'), 'text');
    const child = forkProcess({ ffmpeg: undefined, ffprobe: undefined });
    try {
      const device = String(statSync(folder, { bigint: true }).dev);
      const file = { root: folder, path: 'file.nfo' };
      const asks: Ask[] = [
        { id: 1, name: 'stat', input: file },
        { id: 2, name: 'statMany', input: { root: folder, paths: ['file.nfo'] } },
        { id: 3, name: 'stat', input: { ...file, path: 'nothing' } },
      ];
      for (const ask of asks) {
        child.send(ask);
        const [answer] = (await once(child, 'message')) as [FromProcess];
        expect(answer).to.include({ id: ask.id, device });
      }
    } finally {
      child.disconnect();
      await once(child, 'exit');
      rmSync(folder, { recursive: true });
    }
  });

  let root: string;
  let media: MediaEngine;
  let clock = 0;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'revenge-media-'));
    mkdirSync(join(root, 'folder'));
    writeFileSync(join(root, 'folder/file.nfo'), 'text');
    media = createMedia({
      log: quiet,
      processes: 2,
      idleMs: 50,
      perMountLimit: 3,
      now: () => clock,
    });
  });
  afterEach(async () => {
    await media[Symbol.asyncDispose]();
    rmSync(root, { recursive: true });
    expect(children()).to.deep.equal([]);
  });

  const list = (options = {}) => media.list(root, 'folder', options);

  it('is started when needed, ends when idle, and is started again', async () => {
    expect(media.stats().processes).to.equal(0);
    await list();
    expect(media.stats().processes).to.equal(1);
    await until(() => media.stats().processes === 0 && children().length === 0);
    await list();
  });

  it('takes the parent’s secrets nowhere', async () => {
    process.env['REVENGE_AUTH_JWT_SECRET'] = 'secret';
    try {
      await list();
      const [pid] = children();
      expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).to.not.contain('secret');
    } finally {
      delete process.env['REVENGE_AUTH_JWT_SECRET'];
    }
  });

  it('that dies is replaced, and what it was doing is asked again', async () => {
    await list();
    const [pid = 0] = children();
    process.kill(pid, 'SIGSTOP');
    const calls = [list(), list(), media.read(root, 'folder/file.nfo', { maxBytes: 10 })];
    process.kill(pid, 'SIGKILL');
    await Promise.all(calls);
    expect(media.stats().restarts).to.equal(1);
  });

  it('that dies twice over a call fails that call', async () => {
    await list();
    const first = children()[0] ?? 0;
    process.kill(first, 'SIGSTOP');
    const call = codeOf(list());
    process.kill(first, 'SIGKILL');
    await until(() => children().some((pid) => pid !== first));
    const second = children().find((pid) => pid !== first) ?? 0;
    process.kill(second, 'SIGKILL');
    expect(await call).to.equal('unavailable');
    expect(await codeOf(list())).to.equal('ok');
  });

  it('that hangs costs its caller a timeout, and nobody else anything', async () => {
    await list();
    const [pid = 0] = children();
    process.kill(pid, 'SIGSTOP');
    const hung = codeOf(media.list(root, 'folder', { timeoutMs: 100 }));
    const other = codeOf(media.resolve('/', {}));
    expect(await hung).to.equal('timeout');
    expect(await other).to.equal('ok');
    expect(children()).to.not.contain(pid);
  });

  it('is told to stop when nobody waits any more', async () => {
    const controller = new AbortController();
    const call = codeOf(list({ signal: controller.signal }));
    controller.abort();
    expect(await call).to.equal('cancelled');
    expect(await codeOf(list({ signal: AbortSignal.abort() }))).to.equal('cancelled');
    expect(await codeOf(list())).to.equal('ok');
  });

  it('keeps calls waiting beyond the limit of a mount, and serves them all', async () => {
    const calls = Array.from({ length: 50 }, () => list());
    expect((await Promise.all(calls)).length).to.equal(50);
    expect(media.stats().waiting).to.equal(0);
    expect(media.stats().working).to.equal(0);
  });

  it('disposed, answers what is under way', async () => {
    const call = codeOf(list());
    await media[Symbol.asyncDispose]();
    expect(await call).to.equal('cancelled');
  });

  describe('with a mount that hangs for good', () => {
    needs('root');

    it('fails its calls, then at once, then tries again; other mounts go on', async () => {
      await using hung = await mountHung();
      const first = codeOf(media.list(hung.path, '', { timeoutMs: 300 }));
      const second = codeOf(media.list(hung.path, 'x', {}));
      const well = codeOf(list());
      expect(await first).to.equal('timeout');
      expect(await second).to.equal('unavailable');
      expect(await well).to.equal('ok');
      // It is known now: no call is tried before the pause is over.
      const restarts = media.stats().restarts;
      const error = await media.list(hung.path, '', {}).catch((fault: unknown) => fault);
      expect(error).to.include({ code: 'unavailable', retryAfterMs: 15_000 });
      expect(media.stats().restarts).to.equal(restarts);
      expect(await codeOf(list())).to.equal('ok');
      // One call may try, in a process of its own; the others are not kept waiting for it.
      clock += 15_000;
      const trial = codeOf(media.list(hung.path, '', { timeoutMs: 300 }));
      expect(await codeOf(media.list(hung.path, '', {}))).to.equal('unavailable');
      expect(await codeOf(list())).to.equal('ok');
      expect(await trial).to.equal('timeout');
      await until(() => media.stats().suspended[0]?.forMs === 30_000);
    });

    it('uses a mount again once it answers', async () => {
      const hung = await mountHung();
      try {
        expect(await codeOf(media.resolve(hung.path, { timeoutMs: 100 }))).to.equal('timeout');
        await until(() => media.stats().suspended.length > 0);
      } finally {
        await hung.close();
      }
      mkdirSync(hung.path);
      clock += 15_000;
      expect(await codeOf(media.list(hung.path, '', {}))).to.equal('ok');
      expect(media.stats().suspended).to.deep.equal([]);
      rmSync(hung.path, { recursive: true });
    });

    it('a reader gives up late, and leaves the mount alone', async () => {
      await using hung = await mountHung();
      const reader = createReader({ media, now: () => clock, lateMs: 200, lostMs: 400 });
      expect(await codeOf(reader.open(hung.path, 'film.mkv'))).to.equal('timeout');
    });
  });
});
