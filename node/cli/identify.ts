import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import type { Command } from 'commander';
import { readNfo } from '#services/content/movie/nfo.ts';
import { readShowNfo } from '#services/content/series/nfo.ts';
import { hintFile, parseHints } from '#services/naming/hints.ts';
import { identifyPath, type Evidence, type Identification } from '#services/naming/identify.ts';
import type { NamingOptions } from '#services/naming/reading.ts';
import type { GlobalOptions } from './context.ts';
import { CommandError, exitCode } from './exit.ts';
import { createOutput } from './output.ts';

interface Options {
  readonly kind?: string;
  readonly names?: boolean;
  readonly stdin?: boolean;
}

const largestText = 1024 * 1024;

/** A small file's bytes; undefined when it is not there, no file, or too large. */
async function bytesOf(path: string): Promise<Uint8Array | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true || found.size > largestText) return undefined;
  return readFile(path).catch(() => undefined);
}

/** The folder above one of a season, where a series' own files lie. */
const foldersOf = (path: string): string[] => [dirname(path), dirname(dirname(path))];

async function hintsFor(path: string): Promise<Evidence['hints']> {
  for (const folder of foldersOf(path)) {
    const bytes = await bytesOf(join(folder, hintFile));
    if (bytes !== undefined) return parseHints(Buffer.from(bytes).toString('utf8'));
  }
  return undefined;
}

async function nfoFor(path: string, kind: 'movie' | 'series'): Promise<Evidence['nfo']> {
  const stem = basename(path).replace(/\.[^.]+$/, '');
  const names =
    kind === 'movie'
      ? [join(dirname(path), `${stem}.nfo`), join(dirname(path), 'movie.nfo')]
      : foldersOf(path).map((folder) => join(folder, 'tvshow.nfo'));
  for (const name of names) {
    const bytes = await bytesOf(name);
    if (bytes === undefined) continue;
    const found = kind === 'movie' ? readNfo(bytes).film : readShowNfo(bytes).show;
    if (found !== undefined) return { title: found.title, year: found.year, ids: found.ids };
  }
  return undefined;
}

/** What lies beside a file on this machine; nothing when it is only a name. */
async function evidenceFor(path: string, kind: 'movie' | 'series'): Promise<Evidence> {
  const isThere = await readdir(dirname(path)).then(
    (names) => names.includes(basename(path)),
    () => false,
  );
  if (!isThere) return {};
  return { hints: await hintsFor(path), nfo: await nfoFor(path, kind) };
}

async function identify(path: string, options: NamingOptions, onlyNames: boolean) {
  const byName = identifyPath(path, options);
  if (onlyNames) return byName;
  const evidence = await evidenceFor(path, byName.kind);
  return identifyPath(path, options, evidence);
}

const pad = (number: number): string => String(number).padStart(2, '0');

/** `S01E02-E03`, a day, or numbers that count through. */
function episodeText({ season, episodes, airDate, absolute }: Identification): string {
  const numbers = (episodes ?? []).map((number) => `E${pad(number)}`);
  const span =
    numbers.length > 2 ? `${numbers[0] ?? ''}-${numbers.at(-1) ?? ''}` : numbers.join('-');
  const standard = `${season === undefined ? '' : `S${pad(season)}`}${span}`;
  return [standard, airDate, absolute?.map((number) => `#${number}`).join(', ')]
    .filter((word) => word !== undefined && word !== '')
    .join(' ');
}

const yearText = (year: number | undefined): string => (year === undefined ? '' : ` (${year})`);

function facts(found: Identification): string[] {
  const { release, ids, edition, extra, subtitle, part } = found;
  const said: readonly (readonly [string, unknown])[] = [
    ...Object.entries(ids ?? {}),
    ['edition', edition],
    ['extra', extra],
    ['part', part],
    ...Object.entries(subtitle ?? {}).filter(([, value]) => value !== false),
    ...Object.entries(release),
  ];
  return said
    .filter(([, value]) => value !== undefined)
    .map(
      ([name, value]) => `  ${name}: ${Array.isArray(value) ? value.join(', ') : String(value)}`,
    );
}

function show(found: Identification): string {
  const { kind, title, year, episodeTitle, readings, why, isIgnored } = found;
  const episode = kind === 'series' ? episodeText(found) : '';
  const head = [`${title}${yearText(year)}`, episode, episodeTitle].filter(Boolean).join(' · ');
  return [
    `${kind}: ${head}`,
    ...(isIgnored ? ['  a scan leaves it out'] : []),
    ...facts(found),
    ...why.map((sentence) => `  because ${sentence}`),
    ...readings.map(
      (one) => `  ${one.from} ${one.score.toFixed(2)} ${one.title}${yearText(one.year)}`,
    ),
  ].join('\n');
}

function kindOf(kind: string | undefined): 'movie' | 'series' | undefined {
  if (kind === undefined || kind === 'movie' || kind === 'series') return kind;
  throw new CommandError(`no kind ${kind}: there are movie and series`, exitCode.usage);
}

async function pathsOf(paths: readonly string[], stdin: boolean): Promise<readonly string[]> {
  if (!stdin) return paths;
  const given = await readAll(process.stdin);
  return [...paths, ...given.split('\n').filter((line) => line !== '')];
}

async function run(given: readonly string[], options: Options, isJson: boolean): Promise<void> {
  const paths = await pathsOf(given, options.stdin === true);
  if (paths.length === 0) throw new CommandError('name a path, or give --stdin', exitCode.usage);
  const latestYear = new Date().getFullYear() + 2;
  const naming = { latestYear, kind: kindOf(options.kind) };
  const found: Identification[] = [];
  for (const path of paths) found.push(await identify(path, naming, options.names === true));
  const isOne = paths.length === 1 && options.stdin !== true;
  createOutput(isJson).result(isOne ? found[0] : { items: found }, () =>
    found.map(show).join('\n\n'),
  );
}

/** `revenge identify PATH…`: what names are read as, and why. Needs no node. */
export function addIdentify(program: Command): void {
  program
    .command('identify [path...]')
    .description('what a path is read as and why; a path that ends in / is a folder')
    .option('--kind <kind>', 'what the library holds: movie or series (default: by the path)')
    .option('--names', 'look at the names only, not at hint files and NFO beside the file')
    .option('--stdin', 'read further paths from standard input, one a line')
    .action((paths: readonly string[], options: Options, command: Command) =>
      run(paths, options, command.optsWithGlobals<GlobalOptions>().json === true),
    );
}
