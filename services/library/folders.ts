import { posix } from 'node:path';
import { MediaError, type Media } from '#storage/media/media.ts';
import { displayName } from '#storage/media/path.ts';
import type { components } from '#api/types.ts';
import { problem, type ProblemError } from '../errors.ts';
import { mapAtOnce } from './at-once.ts';
import type { Root } from './model.ts';

/** What checking and choosing folders needs. */
export interface FolderDeps {
  readonly media: Pick<Media, 'list' | 'resolve'>;
  /** Absolute folders below which libraries may lie; `/` allows all. */
  readonly allowedFolders: readonly string[];
  /** The server's own data, which is never media. */
  readonly dataDir: string;
}

const lookupsAtOnce = 8;
/** What looks like files here is made by the kernel as one looks, and has no end. */
const kernelFolders = ['/proc', '/sys', '/dev'];

/** An absolute path without `.`, `..`, doubled or trailing slashes; undefined for anything else. */
export function cleanPath(path: string): string | undefined {
  if (!path.startsWith('/') || path.includes('\0')) return undefined;
  if (path.split('/').some((step) => step === '..' || step === '.')) return undefined;
  const clean = posix.normalize(path);
  return clean === '/' ? clean : clean.replace(/\/$/, '');
}

/** Whether `path` is `folder` or lies in it; both clean. */
export const isWithin = (folder: string, path: string): boolean =>
  path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);

/** What the folders wanted for a library are held against. */
export interface InUse {
  /** Those of other libraries. */
  readonly others: readonly Root[];
  /** Those it has: nothing that is asked of it waits for a share that does not answer. */
  readonly held: readonly Root[];
}

/**
 * Checks folders wanted for a library, and resolves to their clean paths. Links count as what they
 * lead to, so a folder cannot be in two libraries under two names. Throws `unprocessable` with all
 * faults: not absolute, not there unless the library has it, not allowed, in or around another one
 * or the server's own data.
 */
export async function checkPaths(
  deps: FolderDeps,
  paths: readonly string[],
  { others, held }: InUse,
): Promise<string[]> {
  const clean = paths.map(cleanPath);
  const wanted = await mapAtOnce(clean, lookupsAtOnce, (path) => locate(deps, path));
  const taken = await mapAtOnce(others, lookupsAtOnce, ({ path }) => locate(deps, path));
  const own = await locate(deps, deps.dataDir);
  const errors = wanted.flatMap((place, at) => {
    const earlier = wanted.slice(0, at);
    const message = faultOf(deps, place, { earlier, taken, held, own });
    return message === undefined ? [] : [{ path: `/paths/${at}`, message }];
  });
  if (errors.length > 0) {
    throw problem('unprocessable', errors.map(({ message }) => message).join('; '), { errors });
  }
  return clean.filter((path) => path !== undefined);
}

/** A path, and where it really is, or why it is nowhere. */
interface Place {
  readonly path: string | undefined;
  readonly real: string | undefined;
  readonly error: string | undefined;
}

async function locate({ media }: FolderDeps, path: string | undefined): Promise<Place> {
  if (path === undefined) return { path, real: undefined, error: undefined };
  try {
    return { path, real: await media.resolve(path, { priority: 'user' }), error: undefined };
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
    return { path, real: undefined, error: nowhere(error) };
  }
}

/** Why a path leads nowhere, in words for who typed it. */
function nowhere({ code, message }: MediaError): string {
  if (code === 'not-found') return 'there is no such folder.';
  if (code === 'forbidden') return 'the server may not read it.';
  return message;
}

function faultOf(
  deps: FolderDeps,
  place: Place,
  near: { earlier: readonly Place[]; taken: readonly Place[]; held: readonly Root[]; own: Place },
): string | undefined {
  const { path, real, error } = place;
  if (path === undefined) return 'The path is not absolute, or not a plain one.';
  const isHeld = near.held.some((root) => root.path === path);
  if (error !== undefined && !isHeld) return `${path}: ${error}`;
  const allowed = deps.allowedFolders.some((folder) =>
    [path, real ?? path].every((each) => isWithin(folder, each)),
  );
  if (!allowed) return `${path} is outside of the folders the operator allows.`;
  const kernel = kernelFolders.find((folder) => isWithin(folder, real ?? path));
  if (kernel !== undefined) return `${path} lies in ${kernel}, which holds no files of anybody.`;
  if (overlaps(place, near.own)) return `${path} holds, or lies in, the server's own data.`;
  if (near.earlier.some((other) => overlaps(place, other))) return `${path} is named twice.`;
  const other = near.taken.find((one) => overlaps(place, one));
  return other && `${path} overlaps ${other.path}, a folder of another library.`;
}

function overlaps(a: Place, b: Place): boolean {
  const ofA = [a.path, a.real].filter((path) => path !== undefined);
  const ofB = [b.path, b.real].filter((path) => path !== undefined);
  return ofA.some((one) => ofB.some((two) => isWithin(one, two) || isWithin(two, one)));
}

/** The folders in one of the server's folders; without a path, those one may start from. */
export async function listFolders(
  { media, allowedFolders }: FolderDeps,
  path: string | undefined,
): Promise<components['schemas']['FolderList']> {
  if (path === undefined) {
    const items = allowedFolders.map((folder) => ({ name: folder, path: folder }));
    return { path: null, parent: null, items };
  }
  const clean = cleanPath(path);
  const start = allowedFolders.find((folder) => clean !== undefined && isWithin(folder, clean));
  if (clean === undefined || start === undefined) {
    throw problem('forbidden', 'The folder is outside of those the operator allows.');
  }
  const relative = clean.slice(start === '/' ? 1 : start.length + 1);
  try {
    const { entries } = await media.list(start, relative, { priority: 'user' });
    const items = entries
      .filter(({ type }) => type === 'directory')
      .map(({ name }) => ({ name: displayName(name), path: posix.join(clean, name) }));
    return { path: clean, parent: clean === start ? null : posix.dirname(clean), items };
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
    throw noListing(error);
  }
}

/** Why a folder's content cannot be shown. */
function noListing(cause: MediaError): ProblemError {
  switch (cause.code) {
    case 'not-found':
      return problem('not-found', 'There is no such folder.', { cause });
    case 'forbidden':
      return problem('forbidden', `The folder may not be read: ${cause.message}.`, { cause });
    case 'unreadable':
    case 'too-large':
      return problem('unprocessable', `The folder cannot be read: ${cause.message}.`, { cause });
    case 'timeout':
    case 'unavailable':
    case 'tool-missing':
    case 'cancelled':
      return problem('media-unavailable', cause.message, { cause });
  }
}
