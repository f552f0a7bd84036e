import { MediaError, type Entry } from '#storage/media/media.ts';
import { readableName } from '#storage/media/path.ts';
import {
  ignoreFiles,
  parseRules,
  type IgnoreFileKind,
  type IgnoreRules,
} from '../naming/ignore.ts';
import { decodeText } from '../nfo/values.ts';
import { chunksOf } from './at-once.ts';
import { heldIn, type ChangedRules, type IgnoreFile } from './ignore-store.ts';
import { joinPath, type Root } from './model.ts';
import type { ScanRun } from './run.ts';
import type { Visit } from './visit.ts';

/** What is left out of some directories that were read, and what that was concluded from. */
export interface Ignoring {
  /** The ignore file (its path in the root) that leaves an entry out; undefined: none does. */
  by(path: string, isDirectory: boolean): string | undefined;
  /** Directories among those read whose ignore files are not on record as they are now. */
  readonly changed: readonly ChangedRules[];
  /** Ignore files that could not be read, by their directory's id. */
  readonly unread: ReadonlyMap<string, readonly { name: string; reason: string }[]>;
  /** The directories on whose ignore files it depends, and what was on record of them. */
  readonly basis: ReadonlyMap<string, string>;
}

const textMaxBytes = 65_536;
const textsPerCall = 64;

/** Finds out what is to be left out of directories that were read; changes nothing. */
export async function ignoringOf(
  run: ScanRun,
  root: Root,
  visits: readonly Visit[],
): Promise<Ignoring> {
  const paths = visits.flatMap(({ directory }) => [...upwards(directory.path)]);
  const around = [...new Set(paths)];
  const known = await heldIn(run.deps.store.sql, root.id, around);
  const basis = basisOf(around, known);
  const held = new Map(known);
  const changed: ChangedRules[] = [];
  const unread = new Map<string, { name: string; reason: string }[]>();
  const read = await readRules(run, root, visits);
  for (const { directory, result } of visits) {
    if (result instanceof MediaError) continue;
    const { id, path } = directory;
    const before = known.get(path) ?? [];
    const files: IgnoreFile[] = [];
    for (const { name, text } of read.get(path) ?? []) {
      // What cannot be read just now says what it said before.
      const old = before.find((file) => file.name === name);
      if (typeof text === 'string') files.push({ name, text });
      else if (old !== undefined) files.push(old);
      if (typeof text === 'string') continue;
      const refused = { name, reason: `what it leaves out could not be read: ${text.message}` };
      unread.set(id, [...(unread.get(id) ?? []), refused]);
    }
    held.set(path, files);
    if (!isSame(files, before)) changed.push({ id, path, files });
  }
  return { by: judge(held), changed, unread, basis };
}

/** Judges a path by what is on record of the ignore files above it. */
export async function ignoringAt(run: ScanRun, root: Root, path: string): Promise<Ignoring['by']> {
  return judge(await heldIn(run.deps.store.sql, root.id, [...upwards(path)]));
}

/** Whether the ignore files that a conclusion depends on are still on record as they were. */
export async function isStillSo(
  sql: Parameters<typeof heldIn>[0],
  root: Root,
  { basis }: Ignoring,
): Promise<boolean> {
  const paths = [...basis.keys()];
  const now = basisOf(paths, await heldIn(sql, root.id, paths));
  return paths.every((path) => now.get(path) === basis.get(path));
}

const textOf = (files: readonly IgnoreFile[]): string =>
  JSON.stringify(files.map(({ name, text }) => [name, text]));

const isSame = (a: readonly IgnoreFile[], b: readonly IgnoreFile[]): boolean =>
  textOf(a) === textOf(b);

const basisOf = (
  paths: readonly string[],
  held: ReadonlyMap<string, readonly IgnoreFile[]>,
): Map<string, string> => new Map(paths.map((path) => [path, textOf(held.get(path) ?? [])]));

/** A path and the directories above it, the root last. */
export function* upwards(path: string): Generator<string> {
  let at = path;
  for (; at !== ''; at = parentOf(at)) yield at;
  yield '';
}

/** The directory a path lies in. */
export const parentOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf('/'), 0));

type Found = { readonly name: string; readonly text: string | MediaError };

/** The ignore files of directories by path, in the order of their names. */
async function readRules(
  run: ScanRun,
  root: Root,
  visits: readonly Visit[],
): Promise<Map<string, Found[]>> {
  const files = visits.flatMap(({ directory: { path }, result }) =>
    result instanceof MediaError ? [] : result.entries.filter(isIgnoreFile).map(found(path)),
  );
  const wanted = files.filter(({ isRead }) => isRead);
  const texts = new Map<string, string | MediaError>();
  for (const chunk of chunksOf(wanted, textsPerCall)) {
    const bytes = await readChunk(run, root, chunk);
    chunk.forEach(({ path }, at) => {
      const one = bytes[at] ?? new MediaError('unavailable', 'no answer');
      texts.set(path, one instanceof MediaError ? one : decode(one));
    });
  }
  const told = files
    .map(({ directory, name, path }) => ({ directory, name, text: texts.get(path) ?? '' }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return Map.groupBy(told, ({ directory }) => directory);
}

const isIgnoreFile = ({ type, name }: Entry): boolean => type === 'file' && ignoreFiles.has(name);

/** What leaves everything out by its mere presence need not be read. */
const found =
  (directory: string) =>
  ({ name }: Entry) => ({
    ...{ directory, name, path: joinPath(directory, name) },
    isRead: ignoreFiles.get(name) !== 'all',
  });

async function readChunk(
  run: ScanRun,
  root: Root,
  files: readonly { path: string }[],
): Promise<readonly (Uint8Array | MediaError)[]> {
  const paths = files.map(({ path }) => path);
  const { signal } = run;
  try {
    return await run.deps.media.readMany(root.path, paths, { signal, maxBytes: textMaxBytes });
  } catch (error) {
    if (!(error instanceof MediaError) || error.code === 'cancelled') throw error;
    return paths.map(() => error);
  }
}

/** As text that PostgreSQL takes. */
const decode = (bytes: Uint8Array): string => decodeText(bytes).replaceAll('\0', '\ufffd');

/**
 * Judges by git's rules: of the files of one name the nearest that says anything decides, and
 * nothing below a directory that is left out is taken in again. What one name leaves out, no other
 * takes in.
 */
function judge(held: ReadonlyMap<string, readonly IgnoreFile[]>): Ignoring['by'] {
  const rules = new Map<string, IgnoreRules>();
  const rulesOf = (path: string, { name, text }: IgnoreFile): IgnoreRules => {
    const key = joinPath(path, name);
    const known = rules.get(key) ?? parseRules(text, kindOf(name));
    rules.set(key, known);
    return known;
  };
  const left = new Map<string, string | undefined>();
  const byName = (path: string, isDirectory: boolean): string | undefined => {
    const decided = new Set<string>();
    for (const above of upwards(parentOf(path))) {
      const inside = above === '' ? path : path.slice(above.length + 1);
      for (const file of held.get(above) ?? []) {
        if (decided.has(file.name)) continue;
        const said = rulesOf(above, file).says(readableName(inside), isDirectory);
        if (said === 'out') return joinPath(above, file.name);
        if (said === 'in') decided.add(file.name);
      }
    }
    return undefined;
  };
  const directory = (path: string): string | undefined => {
    if (path === '' || !hasAny) return undefined;
    if (!left.has(path)) left.set(path, directory(parentOf(path)) ?? byName(path, true));
    return left.get(path);
  };
  const hasAny = [...held.values()].some((files) => files.length > 0);
  return (path, isDirectory) => {
    if (!hasAny) return undefined;
    return directory(parentOf(path)) ?? byName(path, isDirectory);
  };
}

const kindOf = (name: string): IgnoreFileKind => ignoreFiles.get(name) ?? 'rules';
