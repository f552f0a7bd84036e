import { isUnavailable } from '#storage/postgres/errors.ts';
import { setTimeout as pause } from 'node:timers/promises';
import type { JobContext } from '../jobs/job.ts';
import { findLibrary, rootsOf } from './libraries-store.ts';
import type { Scan, ScanPhase } from './model.ts';
import { walk } from './phase-1-walk.ts';
import { identify } from './phase-2-identify.ts';
import { settleMissing } from './phase-3-missing.ts';
import { inspectRoots } from './roots.ts';
import { createRun, ScanOverError, type ScannerDeps, type ScanRun } from './run.ts';
import { endScan, setPhase, takeOver } from './scans-store.ts';
import { createWalkProgress } from './walk-progress.ts';

/** What a scan needs of the job it runs in. */
export type ScanContext = Pick<JobContext, 'signal' | 'progress'>;

const outagesMax = 60;
const outagePauseMs = 500;
const outagePauseMaxMs = 10_000;
const reportEveryMs = 500;
/** Runs of one scan after which something in it evidently kills the process that runs it. */
const runsMax = 200;

/**
 * Carries a scan out, or on from where an earlier run was cut off. While PostgreSQL is away it
 * waits, up to about ten minutes, and carries on. Resolves when the scan has ended, or was taken
 * over by another run; throws what stops it otherwise.
 */
export async function runScan(
  deps: ScannerDeps,
  scanId: string,
  context: ScanContext,
): Promise<void> {
  for (let outages = 0; ;) {
    try {
      return await runOnce(deps, scanId, context);
    } catch (error) {
      if (error instanceof ScanOverError) return;
      context.signal.throwIfAborted();
      if (!isUnavailable(error) || ++outages > outagesMax) throw error;
      deps.log.warn('the scan waits for the database', { scanId, outages });
      const waitMs = Math.min(outagePauseMs * 2 ** (outages - 1), outagePauseMaxMs);
      await pause(waitMs, undefined, { signal: context.signal });
    }
  }
}

async function runOnce(deps: ScannerDeps, scanId: string, context: ScanContext): Promise<void> {
  const scan = await deps.store.write((tx) => takeOver(tx, scanId));
  if (scan === undefined) return;
  const library = await findLibrary(deps.store.sql, scan.libraryId);
  const module = library && deps.modules.get(library.kind);
  if (library === undefined || module === undefined || scan.epoch > runsMax) {
    await failScan(deps, scanId, scan.epoch > runsMax ? 'every run was cut off' : 'no such kind');
    return;
  }
  const stop = new AbortController();
  const run = createRun({
    deps,
    scan,
    library,
    module,
    roots: await rootsOf(deps.store.sql, [library.id], { withRemoved: true }),
    signal: AbortSignal.any([context.signal, stop.signal]),
    report: reporter(deps, scan, context),
  });
  run.log.info('scan runs', { mode: scan.mode, run: scan.epoch });
  await inspectRoots(run);
  await walkAndIdentify(run, stop);
  await enter(run, 'missing');
  await settleMissing(run);
  await complete(run);
}

/** Phases 1 and 2 side by side; when one fails the other is stopped, and waited for. */
async function walkAndIdentify(run: ScanRun, stop: AbortController): Promise<void> {
  const progress = createWalkProgress();
  let failure: { error: unknown } | undefined;
  const guard = async (work: Promise<void>) => {
    try {
      await work;
    } catch (error) {
      failure ??= { error };
      stop.abort(error);
    }
  };
  const walking = guard(walk(run, () => progress.saved())).then(async () => {
    if (failure === undefined) await guard(enter(run, 'identify'));
    progress.end();
  });
  await Promise.all([walking, guard(identify(run, progress))]);
  if (failure !== undefined) throw failure.error;
}

async function enter(run: ScanRun, phase: ScanPhase): Promise<void> {
  await run.change(async (tx) => {
    await setPhase(tx, run.scan.id, phase);
    return {};
  });
  run.report(phase, 0, 0);
}

async function complete(run: ScanRun): Promise<void> {
  const { scan, library } = run;
  await run.change(async (tx, stale, tell) => {
    await endScan(tx, scan.id, { state: 'completed' });
    stale(`library:${library.id}`, 'libraries');
    tell('scan.finished', { scanId: scan.id, libraryId: library.id, state: 'completed' });
    return {};
  });
  run.log.info('scan completed', { counters: run.counters() });
}

/** Ends a scan that cannot go on, and says why. */
export async function failScan(deps: ScannerDeps, scanId: string, reason: string): Promise<void> {
  const scan = await deps.store.write(async (tx, stale, tell) => {
    const ended = await endScan(tx, scanId, { state: 'failed', error: reason });
    if (ended === undefined) return undefined;
    const { libraryId } = ended;
    stale(`library:${libraryId}`, 'libraries');
    tell('scan.finished', { scanId, libraryId, state: 'failed' });
    return ended;
  });
  if (scan !== undefined) deps.log.error('scan failed', { scanId, reason });
}

/** Tells progress at most twice a second, but every change of phase. */
function reporter(deps: ScannerDeps, scan: Scan, context: ScanContext): ScanRun['report'] {
  let last = { phase: '' as ScanPhase | '', at: 0 };
  return (phase, done, total) => {
    const at = deps.now();
    if (phase === last.phase && at - last.at < reportEveryMs) return;
    last = { phase, at };
    context.progress(done, total, phase);
    const { id: scanId, libraryId } = scan;
    deps.events.publish('scan.progress', { scanId, libraryId, phase, done, total });
  };
}
