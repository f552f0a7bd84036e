import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { libraryRows, type LibraryRows } from '#test/library-rows.ts';
import { quiet } from '#test/log.ts';
import { needs } from '#test/needs.ts';
import { testDatabase, type TestDatabase } from '#test/postgres.ts';
import { writeOn } from '#test/write.ts';
import { createMedia, type MediaEngine } from '#storage/media/index.ts';
import { MediaError, type Media } from '#storage/media/media.ts';
import { readItemFiles } from '../content/item-files.ts';
import { presentVersions } from '../content/files-view.ts';
import { countProblems, problemPage } from '../library/problems-store.ts';
import { numbersOf } from '../library/libraries-store.ts';
import { createMeasures, type Measures } from './index.ts';

const victim = fileURLToPath(import.meta.resolve('#test/measures-victim.ts'));
const itemId = '01900000-0000-7000-8000-00000000000a';
const audio = { type: 'audio', index: 1, codec: 'flac', isDefault: true, isForced: false };
const video = { type: 'video', index: 0, codec: 'h264', isDefault: true, isForced: false };
const probe = { container: 'matroska', durationMs: 10_000, streams: [video, audio], chapters: [] };

const ffmpeg = (...args: string[]) =>
  execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args], { timeout: 60_000 });

/** The processes that a process has started, and those that they have. */
const descendants = (pid: number | string): string[] => {
  const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return list === '' ? [] : list.split(' ').flatMap((one) => [one, ...descendants(one)]);
};

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'none',
    (error: unknown) => (error as { code?: unknown }).code,
  );

describe('measures of files', function () {
  needs('ffmpeg', 'ffprobe');
  let db: TestDatabase;
  let media: MediaEngine;
  let films: string;
  let root: string;
  let rows: LibraryRows;
  let measures: Measures;
  const stale: string[] = [];
  const idle = { now: true };

  const using = (changed: Partial<Media> = {}, clock = () => 0): Measures =>
    createMeasures({
      store: {
        sql: db.sql,
        write: writeOn(db.sql, { invalidate: async (tags) => stale.push(...tags) }),
      },
      media: { ...media, ...changed },
      whenIdle: () => Promise.resolve(idle.now),
      ...{ log: quiet, clock },
    });
  const run = async (name: string, by: Measures = measures): Promise<void> => {
    const handler = by.jobs.find(({ definition }) => definition.name === `measures.${name}`);
    const { signal } = new AbortController();
    const context = { jobId: 'test', attempt: 1, log: quiet, progress: () => undefined };
    await handler?.run({}, { ...context, signal });
  };
  const at = (path: string) => join(root, path);
  const factsOf = (path: string) => {
    const { size, mtimeNs } = statSync(at(path), { bigint: true });
    return { sizeBytes: Number(size), mtimeMs: Number(mtimeNs / 1_000n) / 1_000 };
  };
  const put = async (path: string, from = 'film.mkv'): Promise<string> => {
    copyFileSync(join(films, from), at(path));
    const id = await rows.addFile({ path, role: 'video', itemId, probe, ...factsOf(path) });
    await db.sql`update files set probe_state = 'done' where id = ${id}`;
    return id;
  };
  const probed = (...ids: string[]) => db.sql.begin((tx) => measures.filesProbed(tx, ids));
  const wantsLoudness = (wish = true) => db.sql`
    update libraries set options = ${db.sql.json(wish ? { loudness: true } : {})}`;
  const keptOf = async (id: string) => {
    const [row] = await db.sql`
      select times, error, is_due as "isDue", tries from file_keyframes where file_id = ${id}`;
    return row as
      { times: Buffer | null; error: string | null; isDue: boolean; tries: number } | undefined;
  };
  const loudnessOf = async (id: string) => {
    const [row] = await db.sql`select * from file_loudness where file_id = ${id}`;
    return row as Record<string, unknown> | undefined;
  };
  const rescan = (id: string, path: string) => {
    const { sizeBytes, mtimeMs } = factsOf(path);
    return db.sql`
      update files set size_bytes = ${sizeBytes}, mtime_ms = ${mtimeMs} where id = ${id}`;
  };

  before(async () => {
    db = await testDatabase();
    const settings = { log: quiet, idleMs: 60_000, perMountLimit: 4, now: Date.now };
    media = createMedia({ ...settings, processes: 1 });
    films = mkdtempSync(join(tmpdir(), 'revenge-measures-films-'));
    const source = ['-f', 'lavfi', '-i', 'testsrc2=s=160x90:d=10:r=24', '-f', 'lavfi', '-i'];
    const tone = 'sine=f=1000:r=48000:d=10,volume=-4.94dB,pan=stereo|c0=c0|c1=c0';
    const make = (name: string, gop: string) =>
      ffmpeg(...source, tone, '-c:v', 'libx264', '-g', gop, '-c:a', 'flac', join(films, name));
    make('film.mkv', '48');
    make('other.mkv', '96');
    // What takes ffmpeg some time, for who has to be caught at it.
    ffmpeg('-f', 'lavfi', '-i', 'anoisesrc=d=600:r=48000', '-c:a', 'flac', join(films, 'long.mka'));
  });
  after(async () => {
    await media[Symbol.asyncDispose]();
    await db.close();
    rmSync(films, { recursive: true });
  });
  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'revenge-measures-'));
    await db.sql`truncate libraries cascade`;
    rows = await libraryRows(db.sql, root);
    measures = using();
    stale.length = 0;
    idle.now = true;
  });
  afterEach(() => rmSync(root, { recursive: true }));

  describe('keyframes', () => {
    const all = [0, 2_000, 4_000, 6_000, 8_000];
    const blind = () => using({ keyframes: () => Promise.reject(new Error('asked the disk')) });

    it('are read after a file was looked into, and kept in few bytes', async () => {
      const id = await put('a.mkv');
      await probed(id);
      await run('keyframes');
      expect(await keptOf(id)).to.include({ error: null, isDue: false });
      expect((await keptOf(id))?.times).to.have.length(9);
      expect(await blind().keyframesOf(id)).to.deep.equal(all);
    });

    it('are found at once for who asks before, and kept', async () => {
      const id = await put('a.mkv');
      expect(await measures.keyframesOf(id)).to.deep.equal(all);
      expect(await blind().keyframesOf(id)).to.deep.equal(all);
    });

    it('of what is no video are not found', async () => {
      expect(await codeOf(measures.keyframesOf(itemId))).to.equal('not-found');
    });

    it('wait while there is something better to do', async () => {
      const id = await put('a.mkv');
      await probed(id);
      idle.now = false;
      await run('keyframes');
      expect(await keptOf(id)).to.include({ times: null, isDue: true });
      idle.now = true;
      await run('keyframes');
      expect(await keptOf(id)).to.include({ isDue: false });
    });

    it('give others a turn after ten minutes', async () => {
      await probed(await put('a.mkv'), await put('b.mkv'), await put('c.mkv'));
      let now = 0;
      await run(
        'keyframes',
        using({}, () => (now += 200_000)),
      );
      const [left] = await db.sql`select count(*)::int as n from file_keyframes where is_due`;
      expect(left?.['n']).to.equal(2);
    });

    it('of a file that was replaced are read anew, and those of the old one not told', async () => {
      const id = await put('a.mkv');
      await probed(id);
      await run('keyframes');
      copyFileSync(join(films, 'other.mkv'), at('a.mkv'));
      await rescan(id, 'a.mkv');
      expect(await codeOf(blind().keyframesOf(id))).to.equal(undefined);
      await probed(id);
      await run('keyframes');
      expect(await blind().keyframesOf(id)).to.deep.equal([0, 4_000, 8_000]);
    });

    it('of a file that no scan has seen since it was replaced are not taken for its own', async () => {
      const id = await put('a.mkv');
      await probed(id);
      copyFileSync(join(films, 'other.mkv'), at('a.mkv'));
      await run('keyframes');
      expect(await keptOf(id)).to.include({ isDue: true });
      expect(await codeOf(blind().keyframesOf(id))).to.equal(undefined);
      await rescan(id, 'a.mkv');
      expect(await blind().keyframesOf(id)).to.deep.equal([0, 4_000, 8_000]);
    });

    it('of a file that stayed as it is are kept when it is looked into again', async () => {
      const id = await put('a.mkv');
      await probed(id);
      await run('keyframes');
      await probed(id);
      expect(await blind().keyframesOf(id)).to.deep.equal(all);
    });

    it('that cannot be read are a problem of the file, and not asked for again', async () => {
      const id = await put('a.mkv');
      writeFileSync(at('a.mkv'), 'what is this');
      await rescan(id, 'a.mkv');
      await probed(id);
      await run('keyframes');
      expect((await keptOf(id))?.error).to.include('its keyframes cannot be found');
      expect(await blind().keyframesOf(id)).to.equal(undefined);
      await run('keyframes', blind());
      const page = { after: undefined, offset: 0, limit: 10 };
      const problems = await problemPage(db.sql, rows.libraryId, page);
      expect(problems).to.have.length(1);
      expect(problems[0]).to.include({ stage: 6, type: 'file', path: 'a.mkv', fileId: id });
      expect(problems[0]?.reason).to.match(/^keyframes: /);
      expect(await countProblems(db.sql, rows.libraryId)).to.equal(1);
      expect((await numbersOf(db.sql, rows.libraryId)).problems).to.equal(1);
    });

    it('wait for a share that is away, and for ffprobe', async () => {
      const id = await put('a.mkv');
      for (const code of ['unavailable', 'tool-missing', 'not-found'] as const) {
        const away = using({ keyframes: () => Promise.reject(new MediaError(code, 'away')) });
        await probed(id);
        await run('keyframes', away);
        expect(await keptOf(id)).to.include({ error: null, isDue: true, tries: 0 });
        expect(await codeOf(away.keyframesOf(id))).to.equal('media-unavailable');
        await run('keyframes', blind());
      }
    });

    it('that take too long three times are given up, but not for who could not wait', async () => {
      const id = await put('a.mkv');
      const slow = using({ keyframes: () => Promise.reject(new MediaError('timeout', 'late')) });
      await probed(id);
      expect(await slow.keyframesOf(id)).to.equal(undefined);
      for (const tries of [1, 2, 3]) {
        await run('keyframes', slow);
        expect(await keptOf(id)).to.include({ tries, isDue: tries < 3 });
        await db.sql`update file_keyframes set due_at = now()`;
      }
      expect((await keptOf(id))?.error).to.equal('late');
    });

    it('of files that nobody noted are found at night', async () => {
      const [id, extra] = [await put('a.mkv'), await put('b.mkv')];
      await db.sql`update files set role = 'extra' where id = ${extra}`;
      await rows.addFile({ path: 'c.srt', role: 'subtitle' });
      await run('find');
      await run('keyframes');
      expect(await blind().keyframesOf(id)).to.deep.equal(all);
      expect(await blind().keyframesOf(extra)).to.deep.equal(all);
      await run('find');
      const due = await db.sql`select from file_keyframes where is_due`;
      expect(due).to.have.length(0);
    });
  });

  describe('loudness', () => {
    it('is measured only where a library asks for it, and shown with the stream', async () => {
      const id = await put('a.mkv');
      await run('loudness');
      expect(await loudnessOf(id)).to.equal(undefined);
      await wantsLoudness();
      await run('loudness');
      expect(stale).to.deep.equal([`movie:${itemId}`]);
      const shown = async () =>
        presentVersions(await readItemFiles(db.sql, db.sql`f.item_id = ${itemId}`));
      const [picture, sound] = (await shown())[0]!.files[0]!.streams;
      expect(picture).to.not.have.property('loudness');
      expect(sound?.loudness?.integratedLufs).to.be.closeTo(-23, 0.2);
      expect(sound?.loudness?.truePeakDbtp).to.be.closeTo(-23, 0.2);
      // That of a file that has been replaced is not shown for the new one's.
      utimesSync(at('a.mkv'), 1, 1);
      await rescan(id, 'a.mkv');
      expect((await shown())[0]!.files[0]!.streams[1]).to.not.have.property('loudness');
    });

    it('is measured once, and anew when the file is another', async () => {
      const id = await put('a.mkv');
      await wantsLoudness();
      await run('loudness');
      await run('loudness', using({ loudness: () => Promise.reject(new Error('once more')) }));
      utimesSync(at('a.mkv'), 1, 1);
      await rescan(id, 'a.mkv');
      await run('loudness');
      expect(await loudnessOf(id)).to.include({ mtime_ms: 1_000, error: null });
    });

    it('of a file that no scan has seen since it was replaced is looked at again later', async () => {
      const id = await put('a.mkv');
      await wantsLoudness();
      utimesSync(at('a.mkv'), 1, 1);
      await run('loudness');
      expect(await loudnessOf(id)).to.include({ mtime_ms: 1_000 });
      expect((await loudnessOf(id))?.['retry_at']).to.be.instanceOf(Date);
      await rescan(id, 'a.mkv');
      await db.sql`update file_loudness set retry_at = now()`;
      await run('loudness', using({ loudness: () => Promise.reject(new Error('once more')) }));
    });

    it('that cannot be measured is a problem of the file, and one of the moment is not', async () => {
      const id = await put('a.mkv');
      await wantsLoudness();
      const fails = (code: 'unavailable' | 'unreadable') =>
        using({ loudness: () => Promise.reject(new MediaError(code, 'no sound')) });
      await run('loudness', fails('unavailable'));
      expect(await countProblems(db.sql, rows.libraryId)).to.equal(0);
      await db.sql`update file_loudness set retry_at = now()`;
      await run('loudness', fails('unreadable'));
      expect(await loudnessOf(id)).to.include({ error: 'no sound', retry_at: null });
      const page = { after: undefined, offset: 0, limit: 10 };
      const [found] = await problemPage(db.sql, rows.libraryId, page);
      expect(found).to.include({ stage: 7, fileId: id, reason: 'loudness: no sound' });
      await run('loudness', using({ loudness: () => Promise.reject(new Error('once more')) }));
    });

    it('is measured by another node when one was killed at it, and nothing is left running', async () => {
      const first = await put('a.mkv');
      const second = await put('b.mka', 'long.mka');
      await wantsLoudness();
      const { socket, database, user } = db.address;
      const args = [victim, socket, database, user, 'measures.loudness'];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      const exit = once(child, 'exit');
      const started: string[] = [];
      try {
        let begun = 0;
        for await (const line of createInterface(child.stdout)) {
          if (line === 'measuring' && (begun += 1) === 2) break;
        }
      } finally {
        started.push(...descendants(child.pid!));
        child.kill('SIGKILL');
        await exit;
      }
      expect(started).to.not.have.length(0);
      while (started.some((pid) => existsSync(`/proc/${pid}`))) await pause(20);
      expect(await loudnessOf(first)).to.include({ error: null });
      expect(await loudnessOf(second)).to.equal(undefined);
      const asked: string[] = [];
      const loudness: Media['loudness'] = (folder, path, options) => {
        asked.push(path);
        return media.loudness(folder, path, options);
      };
      await run('loudness', using({ loudness }));
      expect(asked).to.deep.equal(['b.mka']);
      expect(await loudnessOf(second)).to.include({ error: null });
    });
  });
});
