import type { Media } from '#storage/media/media.ts';
import { MediaError } from '#storage/media/media.ts';
import { addArrivals, type Arrival } from './arrivals-store.ts';
import { lookAtArrivals } from './arrive.ts';
import { mapAtOnce } from './at-once.ts';
import { cleanPath, isWithin } from './folders.ts';
import { allRoots } from './libraries-store.ts';
import { joinPath, type Root } from './model.ts';
import type { ScannerDeps } from './run.ts';

/** A path that somebody says something came to, or went from. */
export interface Told {
  readonly path: string;
  readonly isGone: boolean;
}

/** A path that is going to be looked at. */
export interface Accepted {
  readonly libraryId: string;
  /** Absolute, as this server has it. */
  readonly path: string;
}

/** What became of the paths told: those to be looked at, and those that lie in no library. */
export interface Reception {
  readonly accepted: readonly Accepted[];
  readonly outside: readonly string[];
}

/** A sender's path and what it is here: all that lies below the one lies below the other. */
export interface PathMapping {
  readonly from: string;
  readonly to: string;
}

export interface ArrivalDeps {
  readonly store: ScannerDeps['store'];
  readonly jobs: ScannerDeps['jobs'];
  readonly media: Pick<Media, 'statDirectories'>;
}

/** Mappings in a text, `sender's path=path here; …`; what is none is left out. Pure. */
export function readMappings(text: string): PathMapping[] {
  return text.split(/[;\n]/).flatMap((line) => {
    const at = line.lastIndexOf('=');
    const from = at < 0 ? undefined : senderPath(line.slice(0, at).trim());
    const to = at < 0 ? undefined : cleanPath(line.slice(at + 1).trim());
    return from === undefined || to === undefined ? [] : [{ from, to }];
  });
}

/** A sender's absolute path with slashes, also one of Windows; undefined: it is not plain. Pure. */
export function senderPath(path: string): string | undefined {
  const isWindows = /^(?:[a-z]:[\\/]|\\\\)/i.test(path);
  const slashed = isWindows ? path.replaceAll('\\', '/').replace(/^(?:\/\/)?/, '/') : path;
  return cleanPath(slashed);
}

/** A sender's path as the mappings say it is here; the longest that fits counts. Pure. */
export function mapPath(path: string, mappings: readonly PathMapping[]): string | undefined {
  const fitting = mappings.filter(({ from }) => isWithin(from, path));
  const [best] = fitting.toSorted((a, b) => b.from.length - a.from.length);
  if (best === undefined) return undefined;
  const rest = path.slice(best.from === '/' ? 1 : best.from.length + 1);
  return rest === '' ? best.to : joinPath(best.to === '/' ? '' : best.to, rest);
}

/** Another program's path as it is here; undefined: it is not plain. Pure. */
export function ourPath(path: string, mappings: readonly PathMapping[]): string | undefined {
  const theirs = senderPath(path);
  return theirs && (mapPath(theirs, mappings) ?? theirs);
}

/** Whose roots count, and how senders' paths become paths here. */
export interface Reach {
  /** Undefined: all libraries. */
  readonly libraryId: string | undefined;
  readonly mappings: readonly PathMapping[];
  /** Whether a path that lies nowhere here may be looked for by its end. */
  readonly guess: boolean;
}

/**
 * Notes that something came or went at some paths, and has it looked at, by whichever node: what
 * waits already waits once, and one job looks at all that waits. Paths outside of all roots are
 * not followed.
 */
export async function receive(
  deps: ArrivalDeps,
  told: readonly Told[],
  reach: Reach,
): Promise<Reception> {
  const roots = await allRoots(deps.store.sql);
  const { libraryId } = reach;
  const mine = roots.filter((root) => libraryId === undefined || root.libraryId === libraryId);
  const placed = await mapAtOnce(told, 8, (one) => place(deps, mine, { told: one, reach }));
  const found = placed.flatMap((one) => one.found ?? []);
  const outside = placed.filter((one) => one.found === undefined).map(({ path }) => path);
  if (found.length > 0) {
    await deps.store.write(async (tx) => {
      // One order for all, or two that tell of the same libraries could wait for each other.
      const byLibrary = [...Map.groupBy(found, ({ root }) => root.libraryId)].sort(([a], [b]) =>
        a < b ? -1 : 1,
      );
      for (const [id, list] of byLibrary) {
        const rows = list.map(({ root, path, isGone }) => ({ rootId: root.id, path, isGone }));
        const key = `arrivals:${id}:${await addArrivals(tx, id, rows)}`;
        await deps.jobs.add(tx, lookAtArrivals, { libraryId: id }, { key });
      }
    });
  }
  const accepted = found.map(({ root, path }) => ({
    libraryId: root.libraryId,
    path: path === '' ? root.path : joinPath(root.path === '/' ? '' : root.path, path),
  }));
  return { accepted, outside };
}

type FoundPlace = Pick<Arrival, 'path' | 'isGone'> & { readonly root: Root };

async function place(
  deps: ArrivalDeps,
  roots: readonly Root[],
  { told, reach }: { told: Told; reach: Reach },
): Promise<{ path: string; found: FoundPlace | undefined }> {
  const { path, isGone } = told;
  const theirs = senderPath(path);
  const ours = ourPath(path, reach.mappings);
  const root = roots.find((one) => ours !== undefined && isWithin(one.path, ours));
  if (root !== undefined && ours !== undefined) {
    const inside = ours.slice(root.path === '/' ? 1 : root.path.length + 1);
    return { path, found: { root, path: inside, isGone } };
  }
  if (theirs === undefined || !reach.guess) return { path, found: undefined };
  const guessed = await byItsEnd(deps, roots, theirs);
  return { path, found: guessed && { ...guessed, isGone } };
}

const endsMax = 4;

/**
 * The one place below all roots that has the end of a path: `/tv/Show/Season 1/x.mkv` may be in
 * `/media/series/Show/Season 1` here. Undefined: there is none, or it is not sure.
 */
async function byItsEnd(
  { media }: ArrivalDeps,
  roots: readonly Root[],
  path: string,
): Promise<Omit<FoundPlace, 'isGone'> | undefined> {
  const steps = path.split('/').filter(Boolean);
  const ends = steps.map((_, at) => steps.slice(at)).slice(-endsMax - 1);
  // A folder may be told itself, or a file in one; a name alone says nothing of its folder.
  const tried = ends.flatMap((end) => [
    { folder: end.join('/'), path: end.join('/'), length: end.length },
    { folder: end.slice(0, -1).join('/'), path: end.join('/'), length: end.length },
  ]);
  const wanted = tried.filter(({ folder }) => folder !== '');
  const found = await mapAtOnce(roots, 4, async (root) => {
    const folders = wanted.map(({ folder }) => folder);
    const stats = await media
      .statDirectories(root.path, folders, { priority: 'user' })
      .catch(absent);
    const hit = wanted.find((_, at) => stats[at] !== undefined);
    return hit === undefined ? [] : [{ root, ...hit }];
  });
  const [best, other] = found.flat().toSorted((a, b) => b.length - a.length);
  if (best === undefined || best.length === other?.length) return undefined;
  return { root: best.root, path: best.path };
}

/** A root that does not answer has nothing to guess by. */
function absent(error: unknown): undefined[] {
  if (!(error instanceof MediaError)) throw error;
  return [];
}
