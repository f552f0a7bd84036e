import { MediaError } from '#storage/media/media.ts';
import { problem } from '../errors.ts';
import type { JobContext } from '../jobs/job.ts';
import { mapAtOnce } from './at-once.ts';
import { refreshItems } from './items.ts';
import { findLibrary } from './libraries-store.ts';
import { probeTargets, saveProbes, type ProbeResult, type ProbeTarget } from './probe-store.ts';
import { lockItems, type ScannerDeps } from './run.ts';

/** Asked for at once by one job; how many really run is bounded per mount behind `media`. */
const probesAtOnce = 4;
/** From this try on a file that takes too long is taken for one that cannot be probed. */
const lastTimeoutTry = 3;
const eventsMax = 20;

/**
 * Probes some files and writes what was found in one round trip. A file that cannot be understood
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
  let done = 0;
  const outcomes = await mapAtOnce(targets, probesAtOnce, async (target) => {
    const outcome = await probe(deps, target, context);
    context.progress(++done, targets.length);
    return outcome;
  });
  const results = outcomes.filter(isResult);
  if (results.length > 0) {
    await deps.turns(library.id, () =>
      deps.store.write(async (tx, stale, tell) => {
        await lockItems(tx, library.id);
        const itemIds = await saveProbes(tx, results);
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
  const postponed = outcomes.find((outcome) => outcome instanceof MediaError);
  if (postponed !== undefined) throw later(postponed);
}

/** What was found; or a MediaError when it could not be found out now. */
async function probe(
  { media }: ScannerDeps,
  target: ProbeTarget,
  { signal, attempt }: Pick<JobContext, 'signal' | 'attempt'>,
): Promise<ProbeResult | MediaError> {
  const failed = (error: string, oshash?: string) => ({ target, probe: undefined, error, oshash });
  if (target.sizeBytes === 0) return failed('the file is empty');
  let oshash: string | undefined;
  try {
    oshash = await media.fingerprint(target.rootPath, target.path, { signal });
    const found = await media.probe(target.rootPath, target.path, { signal });
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

const isResult = (outcome: ProbeResult | MediaError): outcome is ProbeResult =>
  !(outcome instanceof MediaError);

const later = (error: MediaError): Error =>
  error.code === 'tool-missing'
    ? problem('tool-missing', error.message, { cause: error })
    : problem('media-unavailable', error.message, { cause: error });
