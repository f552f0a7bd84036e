import { MediaError, type Look } from '#storage/media/media.ts';
import { problem } from '../errors.ts';
import type { JobContext } from '../jobs/job.ts';
import type { ContentModule } from '../content/module.ts';
import { chunksOf, inOrder, mapAtOnce } from './at-once.ts';
import { refreshItems } from './items.ts';
import { findLibrary } from './libraries-store.ts';
import type { Library } from './model.ts';
import { probeTargets, saveProbes, type ProbeResult, type ProbeTarget } from './probe-store.ts';
import { lockItems, type ScannerDeps } from './run.ts';

/** Written in one transaction: what a job that is cut off has done is not done again. */
const targetsPerSave = 64;
/** Looked at in one round trip. */
const looksAtOnce = 16;
/** Asked for at once by one job; how many really run is bounded per mount behind `media`. */
const asksAtOnce = 4;
/** From this try on a file that takes too long is taken for one that cannot be probed. */
const lastTimeoutTry = 3;
const eventsMax = 20;

/**
 * Probes some files and writes what was found, many at once. A file that cannot be understood
 * is a fact about the file, recorded and shown; a mount that does not answer fails the job, which
 * is tried again for the files that are left.
 */
export async function runProbes(
  deps: ScannerDeps,
  payload: { libraryId: string; fileIds: readonly string[] },
  context: Pick<JobContext, 'signal' | 'attempt' | 'progress'>,
): Promise<void> {
  const library = await findLibrary(deps.store.sql, payload.libraryId);
  const module = library && deps.modules.get(library.kind);
  if (library === undefined || module === undefined) return;
  const targets = await probeTargets(deps.store.sql, payload.fileIds);
  const parts = chunksOf(targets, targetsPerSave);
  let done = 0;
  let postponed: MediaError | undefined;
  // While what was found is written, the next ones are looked at.
  for await (const outcomes of inOrder(parts, 1, (part) => probePart(deps, part, context))) {
    const results = outcomes.filter(isResult);
    if (results.length > 0) await save(deps, { library, module, results });
    context.progress((done += outcomes.length), targets.length);
    postponed ??= outcomes.find((outcome) => outcome instanceof MediaError);
  }
  if (postponed !== undefined) throw later(postponed);
}

interface Saving {
  readonly library: Pick<Library, 'id'>;
  readonly module: ContentModule;
  readonly results: readonly ProbeResult[];
}

async function save(deps: ScannerDeps, { library, module, results }: Saving): Promise<void> {
  await deps.turns(library.id, () =>
    deps.store.write(async (tx, stale, tell) => {
      await lockItems(tx, library.id);
      const itemIds = await saveProbes(tx, results);
      await deps.onProbed?.(
        tx,
        results.filter(hasVideo).map(({ target }) => target.id),
      );
      const { onItemsChanged } = deps;
      const { kind } = module;
      const libraryId = library.id;
      await refreshItems(tx, { module, libraryId, itemIds, onItemsChanged, stale });
      for (const itemId of itemIds.slice(0, eventsMax)) {
        tell('item.updated', { kind, itemId, libraryId });
      }
    }),
  );
}

/** What was found of some files, whatever roots they are below. */
async function probePart(
  deps: ScannerDeps,
  targets: readonly ProbeTarget[],
  context: Context,
): Promise<(ProbeResult | MediaError)[]> {
  const groups = [...Map.groupBy(targets, ({ rootPath }) => rootPath).values()].flatMap((all) =>
    chunksOf(all, looksAtOnce),
  );
  const found = await mapAtOnce(groups, asksAtOnce, (group) => probeMany(deps, group, context));
  return found.flat();
}

type Context = Pick<JobContext, 'signal' | 'attempt'>;

/** What was found of files below one root; a MediaError for one of which it cannot be told now. */
async function probeMany(
  deps: ScannerDeps,
  targets: readonly ProbeTarget[],
  context: Context,
): Promise<(ProbeResult | MediaError)[]> {
  const { signal } = context;
  const full = targets.filter(({ sizeBytes }) => sizeBytes > 0);
  const looks = new Map<ProbeTarget, Look | MediaError>();
  if (full.length > 0) {
    const paths = full.map(({ path }) => path);
    const found = await lookMany(deps, full[0]!.rootPath, { paths, signal });
    for (const [at, target] of full.entries()) looks.set(target, found[at]!);
  }
  return mapAtOnce(targets, asksAtOnce, (target) =>
    probe(deps, { target, look: looks.get(target) }, context),
  );
}

async function lookMany(
  { media }: ScannerDeps,
  root: string,
  { paths, signal }: { paths: readonly string[]; signal: AbortSignal },
): Promise<readonly (Look | MediaError)[]> {
  try {
    return await media.lookMany(root, paths, { signal });
  } catch (error) {
    if (!(error instanceof MediaError) || error.code === 'cancelled') throw error;
    return paths.map(() => error);
  }
}

/** What was found; or a MediaError when it could not be found out now. */
async function probe(
  { media }: ScannerDeps,
  { target, look }: { target: ProbeTarget; look: Look | MediaError | undefined },
  { signal, attempt }: Context,
): Promise<ProbeResult | MediaError> {
  const failed = (error: string, oshash?: string) => ({ target, probe: undefined, error, oshash });
  if (look === undefined) return failed('the file is empty');
  const { rootPath, path } = target;
  // One that takes too long must not be held against those that were looked at with it.
  const isOpen = look instanceof MediaError && look.code === 'timeout';
  let oshash = look instanceof MediaError ? undefined : look.fingerprint;
  try {
    if (look instanceof MediaError && !isOpen) throw look;
    oshash ??= await media.fingerprint(rootPath, path, { signal });
    const known = look instanceof MediaError ? undefined : look.probe;
    const found = known ?? (await media.probe(rootPath, path, { signal, isLookedAt: !isOpen }));
    return { target, probe: found, error: undefined, oshash };
  } catch (error) {
    if (!(error instanceof MediaError) || error.code === 'cancelled') throw error;
    switch (error.code) {
      case 'unavailable':
      case 'tool-missing':
        return error;
      case 'timeout':
        return attempt < lastTimeoutTry ? error : failed(error.message, oshash);
      case 'not-found': // the next scan will tell where it is
      case 'forbidden':
      case 'unreadable':
      case 'too-large':
        return failed(error.message, oshash);
    }
  }
}

const hasVideo = ({ probe }: ProbeResult): boolean =>
  probe?.streams.some(({ type }) => type === 'video') ?? false;

const isResult = (outcome: ProbeResult | MediaError): outcome is ProbeResult =>
  !(outcome instanceof MediaError);

const later = (error: MediaError): Error =>
  error.code === 'tool-missing'
    ? problem('tool-missing', error.message, { cause: error })
    : problem('media-unavailable', error.message, { cause: error });
