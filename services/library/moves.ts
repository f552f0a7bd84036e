import { MediaError, type FileFacts, type Media } from '#storage/media/media.ts';
import { chunksOf, mapAtOnce } from './at-once.ts';
import { isProbed, type KnownFile, type Root, type SeenFile } from './model.ts';
import {
  candidatesByHash,
  candidatesByInode,
  candidatesByTrace,
  type Candidate,
} from './moves-store.ts';
import { awayWithShares, type ShareSearch } from './mount-points.ts';
import { isSameContent, type Comparison, type MoveSource } from './reconcile.ts';

/** What looking for moves needs. */
export interface MoveSearch extends ShareSearch {
  readonly media: Pick<Media, 'list' | 'statMany' | 'fingerprint'>;
  readonly libraryId: string;
  readonly roots: ReadonlyMap<string, Root>;
}

/**
 * Smaller files are not matched by content, nor by inode alone: sidecars are often equal, and their
 * inodes and sizes are soon used again.
 */
const telltaleBytes = 131_072;
/** Looked up by one call, and calls at once. */
const lookupsPerCall = 256;
const callsAtOnce = 4;

/**
 * Finds the rows that arrivals were before. A row is free when its own file is no longer at its
 * place, which is looked up on disk now: so it does not matter whether a scan comes by the old or
 * the new place first, and a hard link is never taken for a move.
 */
export async function findMoves(
  search: MoveSearch,
  comparison: Comparison,
  listed: ReadonlySet<string>,
): Promise<Map<SeenFile, MoveSource>> {
  const arrivals = comparison.arrivals.map(({ seen }) => seen);
  const moves = new Map<SeenFile, MoveSource>();
  if (arrivals.length === 0) return moves;
  const claimed = new Set([...comparison.same, ...comparison.rewritten].map(({ row }) => row.id));
  const round: Round = { search, listed, claimed, moves, used: new Set() };
  await matchByInode(round, arrivals, comparison.absent);
  await matchByContent(round, arrivals);
  return moves;
}

interface Round {
  readonly search: MoveSearch;
  readonly listed: ReadonlySet<string>;
  readonly claimed: ReadonlySet<string>;
  readonly moves: Map<SeenFile, MoveSource>;
  readonly used: Set<string>;
}

async function matchByInode(
  round: Round,
  arrivals: readonly SeenFile[],
  absent: readonly KnownFile[],
): Promise<void> {
  const { sql, libraryId } = round.search;
  const found = [
    // Of a file with very many names the store gives only some: those that left must be among them.
    ...absent.map((row) => ({ row, isTrace: false, isDirectoryGone: false })),
    ...(await candidatesByInode(sql, libraryId, arrivals)),
    ...(await candidatesByTrace(sql, libraryId, arrivals)),
  ];
  if (found.length === 0) return;
  const byInode = Map.groupBy(found, ({ row }) => row.inode);
  const pairs = arrivals.flatMap((seen) =>
    (byInode.get(seen.inode) ?? [])
      .filter((candidate) => isSameInode(seen, candidate))
      .map((candidate) => ({ seen, candidate })),
  );
  const free = await findFree(
    round,
    pairs.map(({ candidate }) => candidate),
  );
  for (const { seen, candidate } of pairs) {
    if (round.moves.has(seen) || !free.has(candidate.row.id)) continue;
    if (await isProved(round.search, seen, candidate)) take(round, seen, candidate);
  }
}

async function matchByContent(round: Round, arrivals: readonly SeenFile[]): Promise<void> {
  const { search } = round;
  const left = arrivals.filter(
    (seen) => !round.moves.has(seen) && seen.sizeBytes >= telltaleBytes && isProbed(seen.role),
  );
  if (left.length === 0) return;
  const sizes = [...new Set(left.map(({ sizeBytes }) => sizeBytes))];
  const found = await candidatesByHash(search.sql, search.libraryId, sizes);
  const free = await findFree(round, found);
  const usable = found.filter(({ row }) => free.has(row.id));
  const wanted = new Set(usable.map(({ row }) => row.sizeBytes));
  for (const seen of left.filter(({ sizeBytes }) => wanted.has(sizeBytes))) {
    const hash = await fingerprint(search, seen);
    const match = usable.find(({ row }) => row.oshash === hash && !round.used.has(row.id));
    if (match !== undefined && match.row.sizeBytes === seen.sizeBytes) take(round, seen, match);
  }
}

function take(round: Round, seen: SeenFile, { row, isTrace }: Candidate): void {
  if (round.used.has(row.id)) return;
  round.used.add(row.id);
  round.moves.set(seen, { row, isTrace });
}

/** Same inode and size; the time may differ only for files too large to be equal by chance. */
function isSameInode(seen: SeenFile, { row, isTrace }: Candidate): boolean {
  if (row.inode !== seen.inode || row.sizeBytes !== seen.sizeBytes) return false;
  if (row.mtimeMs === seen.mtimeMs) return true;
  return !isTrace && row.device === seen.device && seen.sizeBytes >= telltaleBytes;
}

async function isProved(search: MoveSearch, seen: SeenFile, { row }: Candidate): Promise<boolean> {
  if (row.mtimeMs === seen.mtimeMs || row.oshash === null) return true;
  return (await fingerprint(search, seen)) === row.oshash;
}

/** Ids of the rows whose files have left their places. */
async function findFree(round: Round, candidates: readonly Candidate[]): Promise<Set<string>> {
  const left = candidates.filter(
    ({ row }) => !round.used.has(row.id) && !round.claimed.has(row.id),
  );
  const free = new Set<string>();
  const unsure = new Map<string, KnownFile>();
  for (const candidate of left) {
    const { row } = candidate;
    const isFree = knownToBeFree(round, candidate);
    if (isFree === true) free.add(row.id);
    if (isFree === undefined) unsure.set(row.id, row);
  }
  for (const id of await findLeft(round.search, [...unsure.values()])) free.add(id);
  return free;
}

/** Undefined when only the disk can tell. */
function knownToBeFree(
  { search, listed }: Round,
  { row, isTrace, isDirectoryGone }: Candidate,
): boolean | undefined {
  const root = search.roots.get(row.rootId);
  if (isTrace || root === undefined || root.removedAt !== null) return true;
  if (root.unavailableSince !== null) return false; // its share may come back with the file
  if (row.missingSince !== null || isDirectoryGone || listed.has(row.directoryId)) return true;
  return undefined;
}

/** Ids of those rows whose files are at their places no more, looked up now. */
async function findLeft(search: MoveSearch, rows: readonly KnownFile[]): Promise<string[]> {
  const calls = [...Map.groupBy(rows, ({ rootId }) => rootId)].flatMap(([rootId, own]) =>
    chunksOf(own, lookupsPerCall).map((chunk) => ({ rootId, chunk })),
  );
  const left = await mapAtOnce(calls, callsAtOnce, async ({ rootId, chunk }) => {
    const now = await lookUp(search, rootId, chunk);
    return chunk.filter((row, at) => hasLeft(row, now[at]));
  });
  const kept = new Set(await keptByShares(search, left.flat()));
  return left.flat().flatMap((row) => (kept.has(row) ? [] : row.id));
}

/** Rows whose share, mounted inside their root, may come back with the file. */
async function keptByShares(search: MoveSearch, rows: readonly KnownFile[]): Promise<KnownFile[]> {
  const byRoot = [...Map.groupBy(rows, ({ rootId }) => rootId)];
  const kept = await mapAtOnce(byRoot, callsAtOnce, async ([rootId, own]) => {
    const root = search.roots.get(rootId);
    return root === undefined ? [] : awayWithShares(search, root, own);
  });
  return kept.flat();
}

async function lookUp(
  search: MoveSearch,
  rootId: string,
  rows: readonly KnownFile[],
): Promise<(FileFacts | MediaError)[]> {
  const root = search.roots.get(rootId);
  if (root === undefined) return [];
  try {
    const paths = rows.map(({ path }) => path);
    return await search.media.statMany(root.path, paths, { signal: search.signal });
  } catch (error) {
    if (!(error instanceof MediaError) || error.code === 'cancelled') throw error;
    return []; // the mount does not answer, which proves nothing
  }
}

/** Anything but a clear "not there" leaves a row where it is. */
function hasLeft(row: KnownFile, now: FileFacts | MediaError | undefined): boolean {
  if (now === undefined) return false;
  if (now instanceof MediaError) return now.code === 'not-found' || now.code === 'unreadable';
  return now.inode !== row.inode && !isSameContent(row, now);
}

async function fingerprint(search: MoveSearch, seen: SeenFile): Promise<string | undefined> {
  const root = search.roots.get(seen.rootId);
  if (root === undefined) return undefined;
  try {
    return await search.media.fingerprint(root.path, seen.path, { signal: search.signal });
  } catch (error) {
    if (!(error instanceof MediaError) || error.code === 'cancelled') throw error;
    return undefined; // it cannot be read: then it proves nothing
  }
}
