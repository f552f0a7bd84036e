import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { classify, ignores } from '#services/content/classify.ts';
import { identify } from '#services/content/movie/identify.ts';
import { refreshFilms } from '#services/content/movie/refresh.ts';
import type { ContentModule } from '#services/content/module.ts';
import { createAdder } from '#services/jobs/enqueue.ts';
import { createLibrary, libraryScan, type ScanMode } from '#services/library/index.ts';
import { createMedia } from '#storage/media/index.ts';
import { connectPostgres, type Sql } from '#storage/postgres/connect.ts';
import { startEmbedded } from '#storage/postgres/embedded.ts';
import { createMigrator } from '#storage/postgres/migrate.ts';
import { quiet } from '#test/log.ts';
import { median, report, type Row } from './report.ts';

/** Files of one film's folder: what a collector's folder looks like. */
const perFilm = ['mkv', 'nfo', 'en.srt', 'de.srt', 'poster.jpg'] as const;
const makersAtOnce = 32;
const rounds = 3;
/** A directory younger than this when it is read is read again: the tree must be older. */
const settleMs = 2_500;

/**
 * Makes a tree of tiny films, five files to a folder; resolves to how many files there are. Empty
 * ones are not looked into: no program is started for them.
 */
export async function makeTree(
  folder: string,
  files: number,
  { areEmpty = false } = {},
): Promise<number> {
  const films = Math.ceil(files / perFilm.length);
  const left = Array.from({ length: films }, (_, film) => film).values();
  const lane = async () => {
    for (const film of left) await makeFilm(folder, film, areEmpty);
  };
  await Promise.all(Array.from({ length: makersAtOnce }, lane));
  return films * perFilm.length;
}

async function makeFilm(folder: string, film: number, isEmpty: boolean): Promise<void> {
  const title = `Film ${randomBytes(3).toString('hex')} ${film}`;
  const year = 1950 + (film % 75);
  const own = join(folder, `${title} (${year})`);
  await mkdir(own);
  for (const end of perFilm) {
    const nfo = `<movie><title>${title}</title><year>${year}</year></movie>`;
    const text = end === 'mkv' && isEmpty ? '' : end === 'nfo' ? nfo : `${film}`;
    await writeFile(join(own, `${title} (${year}).${end}`), text);
  }
}

/** The least a scan could do: one recursive walk with stat of every file; resolves to seconds. */
export async function bareWalk(folder: string): Promise<number> {
  const began = performance.now();
  const walk = async (directory: string): Promise<void> => {
    const entries = await readdir(directory, { withFileTypes: true });
    for (const entry of entries) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) await walk(path);
      else await stat(path);
    }
  };
  await walk(folder);
  return (performance.now() - began) / 1_000;
}

/** Measures first scans and rescans of tiny files against the bare walk, in files per second. */
export async function benchScan(files: number): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'revenge-bench-scan-'));
  const dataDir = await mkdtemp(join(tmpdir(), 'revenge-bench-scan-pg-'));
  const media = createMedia({
    log: quiet,
    processes: 1,
    idleMs: 60_000,
    perMountLimit: 4,
    now: Date.now,
  });
  const embedded = await startEmbedded({ dataDir, log: quiet });
  const address = { socket: embedded.socket, database: 'postgres', user: embedded.user };
  const database = await connectPostgres({ ...address, pool: { max: 5 }, log: quiet });
  try {
    const { sql } = database;
    await createMigrator({ sql, dir: join(import.meta.dirname, '../migrations'), log: quiet }).up();
    const count = await makeTree(folder, files);
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    return await measure({ sql, media, dataDir, tree: folder, count });
  } finally {
    await media[Symbol.asyncDispose]();
    await database.close();
    await embedded.close();
    await rm(folder, { recursive: true, force: true });
    await rm(dataDir, { recursive: true, force: true });
  }
}

interface Bench {
  readonly sql: Sql;
  readonly media: ReturnType<typeof createMedia>;
  readonly dataDir: string;
  readonly tree: string;
  readonly count: number;
}

async function measure({ sql, media, dataDir, tree, count }: Bench): Promise<Row[]> {
  const walks: number[] = [];
  for (let round = 0; round < rounds; round++) walks.push(await bareWalk(tree));
  const library = createLibrary({
    store: {
      sql,
      write: (work) =>
        sql.begin((tx) =>
          work(
            tx,
            () => {},
            () => {},
          ),
        ) as never,
    },
    jobs: createAdder(),
    media,
    modules: new Map([['movie', films]]),
    events: { publish: () => {} },
    log: quiet,
    now: Date.now,
    dataDir,
  });
  const job = library.jobs.find(({ definition }) => definition.name === libraryScan.name);
  if (job === undefined) throw new Error('the library has no scan job');
  const added = await library.ensureLibrary({ kind: 'movie', name: 'Films', paths: [tree] });
  const scan = async (mode: ScanMode): Promise<number> => {
    const { id } = await library.startScan(added.library.id, mode);
    const { signal } = new AbortController();
    const began = performance.now();
    const context = { jobId: 'bench', attempt: 1, signal, log: quiet, progress: () => {} };
    await job.run({ scanId: id }, context);
    return (performance.now() - began) / 1_000;
  };
  const first = await scan('quick');
  const quick: number[] = [];
  for (let round = 0; round < rounds; round++) quick.push(await scan('quick'));
  const full = await scan('full');
  const baseline = { name: 'bare walk with stat', value: count / median(walks) };
  const row = (name: string, seconds: number): Row => {
    const note = `${count} files in ${seconds.toFixed(2)} s`;
    return { name, value: count / seconds, unit: 'files/s', baseline, note };
  };
  return [
    row('first scan', first),
    row('rescan, nothing changed', median(quick)),
    row('full rescan, nothing changed', full),
  ];
}

/** Films as they are, without what shows them. */
const films: ContentModule = {
  kind: 'movie',
  classify,
  ignores,
  identify: (tx, batch) => identify(tx, batch, { now: Date.now }),
  refresh: async (tx, ids) => void (await refreshFilms(tx, ids)),
};

if (import.meta.main) {
  report('library scan', await benchScan(Number(process.argv[2] ?? 100_000)));
}
