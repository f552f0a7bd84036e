/**
 * What a scan leaves out by name: rubbish of other programs and systems, and what people say in
 * files of their own. Pure: the texts of those files are handed in.
 */
import ignore from 'ignore';
import data from './data/ignore.json' with { type: 'json' };

const set = (words: string): ReadonlySet<string> => new Set(words.split(','));
const rubbishFolders = set(data.folders);
const rubbishFiles = set(data.files);

/**
 * What an ignore file means: `gitignore` rules, of which none leave out the whole folder; `rules`
 * alike, of which none leave out nothing; `all`: the whole folder by its mere presence.
 */
export type IgnoreFileKind = 'gitignore' | 'rules' | 'all';

/** Files in which people say what is to be left out, by what their names promise. */
export const ignoreFiles: ReadonlyMap<string, IgnoreFileKind> = new Map([
  ...data.gitignore.split(' ').map((name) => [name, 'gitignore'] as const),
  ...data.rules.split(' ').map((name) => [name, 'rules'] as const),
  ...data.all.split(' ').map((name) => [name, 'all'] as const),
]);

/** Folders that never hold anything of a library: rubbish, thumbnails, hidden ones. */
export const isRubbishFolder = (name: string): boolean =>
  name.startsWith('.') || rubbishFolders.has(name.toLowerCase());

/** Files that never are anything of a library. */
export const isRubbishFile = (name: string): boolean =>
  name.startsWith('.') || rubbishFiles.has(name.toLowerCase());

const sample = /^(?:.*[-._]|.* - )?sample\d{0,2}\.[a-z0-9]{2,4}$/i;

/** Whether any part of a path is rubbish, or the file is a sample. */
export function isIgnoredPath(path: string): boolean {
  const segments = path.split(/[\\/]/).filter(Boolean);
  const name = segments.at(-1) ?? '';
  return segments.some(isRubbishFolder) || isRubbishFile(name) || sample.test(name);
}

/** Rules of one file: paths are relative to the folder it lies in. */
export interface IgnoreRules {
  ignores(path: string, isDirectory: boolean): boolean;
  /** What they say themselves; undefined: nothing, so that rules of a folder above may decide. */
  says(path: string, isDirectory: boolean): 'out' | 'in' | undefined;
}

const everything: IgnoreRules = { ignores: () => true, says: () => 'out' };
const nothing: IgnoreRules = { ignores: () => false, says: () => undefined };

/** The rules that cannot be read, as other programs write them into such files by mistake. */
const isRule = (line: string): boolean => !/^\{\\/.test(line);

/**
 * Reads an ignore file: gitignore's rules, letters of either size. A file without a single rule
 * leaves out its whole folder, as an empty `.ignore` means to.
 */
export function parseRules(text: string, kind: IgnoreFileKind = 'gitignore'): IgnoreRules {
  const lines = text.split(/\r?\n/).filter((line) => isRule(line.trim()));
  const rules = lines.filter((line) => line.trim() !== '' && !line.startsWith('#'));
  if (kind === 'all') return everything;
  if (rules.length === 0) return kind === 'gitignore' ? everything : nothing;
  const matcher = ignore({ ignorecase: true, allowRelativePaths: true }).add(rules);
  const says = (path: string, isDirectory: boolean) => {
    const relative = normalise(path);
    if (relative === '') return undefined;
    const { ignored, unignored } = matcher.test(isDirectory ? `${relative}/` : relative);
    return ignored ? 'out' : unignored ? 'in' : undefined;
  };
  return { says, ignores: (path, isDirectory) => says(path, isDirectory) === 'out' };
}

const normalise = (path: string): string =>
  path
    .replace(/^[a-z]:/i, '')
    .replaceAll('\\', '/')
    .replace(/^\/+|\/+$/g, '');

/** Whether rules leave out a path that is relative to their folder. */
export const ignoresByRules = (rules: IgnoreRules, path: string, isDirectory: boolean): boolean =>
  rules.ignores(path, isDirectory);
