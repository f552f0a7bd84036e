// A library of real films on one node: how fast they are listed and looked into, and what those
// who browse meanwhile notice: `node bench/library.ts [films]`.
import { execFileSync } from 'node:child_process';
import { copyFile, link, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { quantile } from './cluster.ts';
import { post, startBenchNode, type BenchNode } from './node.ts';
import { median, report, type Row } from './report.ts';
import { bareWalk } from './scan.ts';

/** A file system lets so many names share a file, or more. */
const namesPerFile = 50_000;
const makersAtOnce = 32;
/** A directory younger than this when it is read is read again: the tree must be older. */
const settleMs = 2_500;
const lookMs = 500;
const scanMaxMs = 4 * 60 * 60_000;
const rounds = 3;
const idleAsks = 200;
/** Somebody who browses: they look before they ask again. */
const betweenAsksMs = 100;

const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=1280x720:r=24:d=4'];
const sound = ['-f', 'lavfi', '-i', 'sine=r=48000:d=4'];
/** What films at home are, the last one seldom. */
const kinds: readonly (readonly [ending: string, ...args: string[]])[] = [
  ['mkv', '-c:v', 'libx264', '-c:a', 'ac3', '-c:s', 'srt'],
  ['mp4', '-c:v', 'libx264', '-c:a', 'aac', '-c:s', 'mov_text'],
  ['mkv', '-c:v', 'libx265', '-x265-params', 'log-level=none', '-c:a', 'eac3', '-c:s', 'ass'],
  ['avi', '-c:v', 'mpeg4', '-c:a', 'libmp3lame', '-sn'],
];

/** One old film to nine of the others. */
const mix = [0, 1, 2, 0, 1, 2, 0, 1, 2, 3];

/** Makes a film of each kind, four seconds long, with sound and subtitles. */
async function makeSources(folder: string): Promise<string[]> {
  const subtitles = join(folder, 'subtitles.srt');
  await writeFile(subtitles, '1\n00:00:00,500 --> 00:00:02,000\nHello.\n');
  return kinds.map(([ending, ...args], nth) => {
    const path = join(folder, `source-${nth}.${ending}`);
    const inputs = [...picture, ...sound, '-i', subtitles, '-map', '0', '-map', '1', '-map', '2'];
    const maps = ending === 'avi' ? inputs.slice(0, -2) : inputs;
    execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...maps, ...args, path]);
    return path;
  });
}

/** Hard links to real films, each in a folder of its own. */
async function makeFilms(folder: string, films: number): Promise<void> {
  const each = await makeSources(folder);
  const made = mix.map((kind) => each[kind]!);
  const sources = [...made];
  while (films > (sources.length / 3) * namesPerFile) {
    for (const source of made) {
      const copy = `${source.slice(0, -4)}-${sources.length}${source.slice(-4)}`;
      await copyFile(source, copy);
      sources.push(copy);
    }
  }
  const tree = join(folder, 'films');
  await mkdir(tree);
  const left = Array.from({ length: films }, (_, nth) => nth).values();
  const lane = async () => {
    for (const nth of left) {
      const source = sources[nth % sources.length]!;
      const ending = source.slice(source.lastIndexOf('.'));
      const name = `${wordOf(nth)} ${wordOf(nth * 7 + 3)} ${nth} (${1950 + (nth % 75)})`;
      await mkdir(join(tree, name));
      await link(source, join(tree, name, `${name}${ending}`));
    }
  };
  await Promise.all(Array.from({ length: makersAtOnce }, lane));
}

const words = 'Silent River Golden Harbor Frost Shadow Crown Winter Ember Lantern Hollow Meadow';
const wordOf = (nth: number): string => words.split(' ')[nth % 12]!;

const questions = {
  list: '/api/v1/movies?limit=50',
  'next up': '/api/v1/series/next-up',
  search: '/api/v1/search?q=golden+harbr',
} as const;
type Question = keyof typeof questions;
type Times = Record<Question, number[]>;

const noTimes = (): Times => ({ list: [], 'next up': [], search: [] });

/** One round of questions; how long each answer took in ms. */
async function browse({ url, token }: BenchNode, times: Times): Promise<void> {
  for (const question of Object.keys(questions) as Question[]) {
    const begun = performance.now();
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(url + questions[question], { headers });
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`${question}: ${answer.status}`);
    times[question].push(performance.now() - begun);
    await pause(betweenAsksMs);
  }
}

interface State {
  readonly state: string;
  readonly left: number;
}

async function stateOf({ sql }: BenchNode): Promise<State> {
  const [row] = await sql<State[]>`
    select s.state, (select count(*)::int from files where probe_state = 'due') as left
    from library_scans s order by s.id desc limit 1`;
  return row ?? { state: 'none', left: 0 };
}

interface Scanned {
  readonly listedSeconds: number;
  readonly probedSeconds: number;
  readonly times: Times;
  /** The most that was seen, in bytes. */
  readonly memory: { api: number; media: number };
}

/** Scans what `begin` asks for while somebody browses, until every file was looked into. */
async function scan(node: BenchNode, begin: () => Promise<void>): Promise<Scanned> {
  const times = noTimes();
  const memory = { api: 0, media: 0 };
  const begun = performance.now();
  await begin();
  let listedSeconds: number | undefined;
  for (let looked = 0; ;) {
    await browse(node, times);
    if (performance.now() - looked < lookMs) continue;
    looked = performance.now();
    const now = node.memory();
    memory.api = Math.max(memory.api, now.api);
    memory.media = Math.max(memory.media, now.media);
    const { state, left } = await stateOf(node);
    const seconds = (looked - begun) / 1_000;
    if (state === 'failed' || state === 'cancelled') throw new Error(`the scan is ${state}`);
    if (seconds * 1_000 > scanMaxMs) throw new Error('the scan takes too long');
    if (state === 'completed') listedSeconds ??= seconds;
    if (listedSeconds !== undefined && left === 0) {
      return { listedSeconds, probedSeconds: seconds, times, memory };
    }
  }
}

/** First scan, rescans, and browsing beside and after it. */
export async function benchLibrary(films: number, tree: string): Promise<Row[]> {
  await using node = await startBenchNode();
  const walks: number[] = [];
  for (let round = 0; round < rounds; round += 1) walks.push(await bareWalk(tree));
  const walk = { name: 'bare walk with stat', value: films / median(walks) };
  let library = '';
  const first = await scan(node, async () => {
    const wish = { kind: 'movie', name: 'Films', paths: [tree], scanIntervalMinutes: 0 };
    ({ id: library } = (await post(node, '/api/v1/libraries', wish)) as { id: string });
  });
  await pause(settleMs);
  const idle = noTimes();
  for (let round = 0; round < idleAsks; round += 1) await browse(node, idle);
  const again: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const begin = async () => void (await post(node, `/api/v1/libraries/${library}/scans`, {}));
    again.push((await scan(node, begin)).listedSeconds);
  }
  const rate = (name: string, seconds: number): Row => {
    const note = `${films} films in ${seconds.toFixed(1)} s`;
    return { name, value: films / seconds, unit: 'files/s', baseline: walk, note };
  };
  return [
    rate('first scan, in the catalogue', first.listedSeconds),
    rate('first scan, and looked into', first.probedSeconds),
    rate('rescan, nothing changed', median(again)),
    ...latencies(first.times, idle),
    memoryRow('API process', first.memory.api),
    memoryRow('media processes', first.memory.media),
  ];
}

const memoryRow = (name: string, bytes: number): Row => ({
  ...{ name: `most memory while scanning, ${name}`, value: bytes / 2 ** 20, unit: 'MB' },
});

function latencies(meanwhile: Times, idle: Times): Row[] {
  return (Object.keys(questions) as Question[]).flatMap((question) =>
    [0.5, 0.99].map((share) => ({
      name: `${question} while scanning, p${share * 100}`,
      value: quantile(meanwhile[question], share),
      unit: 'ms',
      baseline: { name: 'idle afterwards', value: quantile(idle[question], share) },
    })),
  );
}

if (import.meta.main) {
  const folder = await mkdtemp(join(tmpdir(), 'revenge-bench-library-'));
  try {
    const films = Number(process.argv[2] ?? 100_000);
    await makeFilms(folder, films);
    await pause(settleMs);
    const rows = await benchLibrary(films, join(folder, 'films'));
    report(`a library of ${films} real films, load ${loadavg()[0]?.toFixed(1)}`, rows);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
