import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createContent } from '#services/content/index.ts';
import type { Kind } from '#services/content/module.ts';
import { createNfoWriting, type NfoDeps, type NfoWriting } from '#services/content/nfo-job.ts';
import { createCache } from '#storage/cache/index.ts';
import { createMedia } from '#storage/media/index.ts';
import { createTestOrder } from './clock.ts';
import { filmLibrary, type FilmLibrary } from './films.ts';
import { quiet } from './log.ts';
import { testDatabase, type TestDatabase } from './postgres.ts';
import { writeOn } from './write.ts';

/** What writes NFO files, on a database and a folder of its own. */
export interface NfoRig {
  readonly db: TestDatabase;
  readonly media: NfoDeps['media'];
  readonly writing: NfoWriting;
  /** The folder is `library` in it. */
  readonly base: string;
  /** What was warned of. */
  readonly warned: readonly string[];
  /** Before and after each test. */
  begin(): Promise<void>;
  end(): Promise<void>;
  close(): Promise<void>;
  /** Writes what is due, as the job does; with other media where they are given. */
  run(media?: NfoDeps['media']): Promise<unknown>;
  scan(library: FilmLibrary, kind: Kind): Promise<void>;
  pathOf(path: string): string;
  text(path: string): Promise<string>;
  put(files: Readonly<Record<string, string>>): Promise<void>;
  /** A library of files, each on disk and in the catalogue, that asks for NFO files. */
  libraryOf(kind: Kind, paths: readonly string[], isAsking?: boolean): Promise<FilmLibrary>;
}

const nowMs = Date.UTC(2026, 5, 1);

/** Makes one; the suite calls `begin` and `end`, and `close` at last. */
export async function nfoRig(): Promise<NfoRig> {
  const db = await testDatabase();
  const media = createMedia({
    ...{ log: quiet, processes: 1, idleMs: 60_000, perMountLimit: 4, now: Date.now },
  });
  const clock = createTestOrder().node();
  const now = () => nowMs;
  const content = createContent({
    ...{ sql: db.sql, write: writeOn(db.sql, clock), now, random: () => 0.5 },
    cache: createCache({ clock, log: quiet, now, l1MaxBytes: 1_000_000 }),
    images: { forItems: async () => new Map() },
    search: { changed: async () => undefined },
  });
  let warned: string[] = [];
  let base = '';
  const writingOn = (on: NfoDeps['media']) =>
    createNfoWriting({
      ...{ sql: db.sql, media: on },
      log: { warn: (message) => void warned.push(message) },
    });
  let writing = writingOn(media);
  const context = () => ({
    ...{ jobId: 'x', attempt: 1, log: quiet, progress: () => undefined },
    signal: new AbortController().signal,
  });
  const pathOf = (path: string) => join(base, 'library', path);
  const put: NfoRig['put'] = async (files) => {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(pathOf(path)), { recursive: true });
      await writeFile(pathOf(path), text);
    }
  };
  const scan: NfoRig['scan'] = async (library, kind) => {
    const batch = await library.batch();
    const module = content.modules.find((one) => one.kind === kind)!;
    await db.sql.begin(async (tx) => {
      const { added, updated } = await module.identify(tx, batch);
      await writing.changed(tx, kind, [...added, ...updated]);
    });
  };
  return {
    ...{ db, media, pathOf, put, scan },
    get writing() {
      return writing;
    },
    get base() {
      return base;
    },
    get warned() {
      return warned;
    },
    async begin() {
      await db.sql`delete from libraries`;
      await db.sql`delete from nfo_states`;
      await db.sql`delete from nfo_files`;
      base = await mkdtemp(join(tmpdir(), 'revenge-nfo-'));
      warned = [];
      writing = writingOn(media);
    },
    end: () => rm(base, { recursive: true }),
    async close() {
      await media[Symbol.asyncDispose]();
      await db.close();
    },
    async run(other) {
      const { jobs } = other === undefined ? writing : writingOn(other);
      return jobs[0]!.run({}, context());
    },
    text: (path) => readFile(pathOf(path), 'utf8'),
    async libraryOf(kind, paths, isAsking = true) {
      const library = await filmLibrary(db.sql, undefined, kind);
      await db.sql`update library_roots set path = ${join(base, 'library')}`;
      if (isAsking) await db.sql`update libraries set options = '{"writeNfo": true}'`;
      await put(Object.fromEntries(paths.map((path) => [path, path])));
      await library.put(Object.fromEntries(paths.map((path) => [path, 1_000_000_000])));
      await scan(library, kind);
      return library;
    },
  };
}
