import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createMedia, type MediaEngine } from '#storage/media/index.ts';
import type { ContentModule } from '#services/content/module.ts';
import type { EventName, EventPublisher, Events } from '#services/events.ts';
import { createAdder } from '#services/jobs/enqueue.ts';
import { createLibrary, type LibraryDeps, type LibraryService } from '#services/library/index.ts';
import { libraryScan } from '#services/library/start.ts';
import { plainKind, plainWorks } from './fakes/plain-kind.ts';
import { quiet } from './log.ts';
import { testDatabase, type TestDatabase } from './postgres.ts';
import { toldOf, writeOn } from './write.ts';

/** A library service over real folders, a real database and real media processes. */
export interface LibraryRig extends AsyncDisposable {
  readonly db: TestDatabase;
  readonly media: MediaEngine;
  /** An empty folder of this rig's own. */
  readonly folder: string;
  readonly service: LibraryService;
  readonly deps: LibraryDeps;
  readonly events: { name: EventName; payload: Events[EventName] }[];
  /** Milliseconds the scanner's clock is ahead: beyond 2 s it trusts what was just written. */
  aheadMs: number;
  /** Writes files below the folder, by relative path. */
  write(files: Record<string, string>): Promise<void>;
  /** Makes a library of sub-folders, and scans it. */
  add(name: string, ...folders: string[]): Promise<string>;
  /** Scans a library to the end; `deps` replaces parts, to break them. */
  scan(libraryId: string, options?: ScanOptions): Promise<Record<string, number>>;
}

/** How a rig is to scan. */
export interface ScanOptions {
  mode?: 'quick' | 'full';
  deps?: Partial<LibraryDeps>;
}

/** Makes a rig; close it with `await using`, or by `Symbol.asyncDispose`. */
export async function libraryRig(options: { module?: ContentModule } = {}): Promise<LibraryRig> {
  const db = await testDatabase();
  await db.sql.unsafe(plainWorks);
  const folder = await mkdtemp(join(tmpdir(), 'revenge-test-library-'));
  const media = createMedia({
    log: quiet,
    processes: 1,
    idleMs: 60_000,
    perMountLimit: 4,
    now: Date.now,
  });
  const events: LibraryRig['events'] = [];
  const publisher: EventPublisher = {
    publish: (name, payload) => void events.push({ name, payload }),
  };
  const write = writeOn(db.sql, { invalidate: async () => 1 }, (told) => {
    events.push(...toldOf(told).map(({ name, payload }) => ({ name, payload })));
  });
  const module = options.module ?? plainKind;
  const deps: LibraryDeps = {
    store: { sql: db.sql, write },
    jobs: createAdder(),
    media,
    modules: new Map([[module.kind, module]]),
    events: publisher,
    log: quiet,
    now: () => Date.now() + rig.aheadMs,
    dataDir: join(folder, '.data'),
  };
  await mkdir(join(folder, '.data'));
  const service = createLibrary(deps);
  const rig: LibraryRig = {
    db,
    media,
    folder,
    service,
    deps,
    events,
    aheadMs: 60_000,
    write: (files) => writeTree(folder, files),
    async add(name, ...folders) {
      const paths = folders.map((path) => join(folder, path));
      const { library } = await service.ensureLibrary({ kind: 'movie', name, paths });
      await rig.scan(library.id);
      return library.id;
    },
    async scan(libraryId, { mode = 'quick', deps: changed = {} } = {}) {
      const using = createLibrary({ ...deps, ...changed });
      const scan = await service.startScan(libraryId, mode);
      await runJob(using, libraryScan.name, { scanId: scan.id });
      const [row] = await db.sql<{ state: string; counters: Record<string, number> }[]>`
        select state, counters from library_scans where id = ${scan.id}`;
      if (row?.state !== 'completed') throw new Error(`the scan is ${row?.state}`);
      return row.counters;
    },
    async [Symbol.asyncDispose]() {
      await media[Symbol.asyncDispose]();
      await db.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return rig;
}

/** Does one job of a service at once, as its first try. */
export async function runJob(
  service: LibraryService,
  name: string,
  payload: object,
): Promise<void> {
  const handler = service.jobs.find(({ definition }) => definition.name === name);
  if (handler === undefined) throw new Error(`no job named ${name}`);
  const { signal } = new AbortController();
  await handler.run(payload, {
    jobId: 'test',
    attempt: 1,
    signal,
    log: quiet,
    progress: () => {},
  });
}

async function writeTree(folder: string, files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}
