import { setTimeout as pause } from 'node:timers/promises';
import { countDue, dueAfter, dueDirectories, type KnownDirectory } from './directories-store.ts';
import { addReads } from './read-jobs.ts';
import { ScanOverError, type ScanRun, type SharingRules } from './run.ts';
import { findScan } from './scans-store.ts';

/** The directories of a root that wait to be read, shared out among all nodes. */
export interface Share {
  /** The next ones to read here; none when nothing of the root is left to read, anywhere. */
  next(): Promise<readonly KnownDirectory[]>;
}

const pageSize = 2_000;
/** What is taken back at once, when nobody seems to read. */
const takenBack = 512;
const lookMs = 200;
/** Fewer are read before others have heard of them; and who helps may have a slow disk. */
const usual: SharingRules = { from: 256, beginMs: 2_000, helpMs: 10_000 };

const rulesOf = ({ deps }: ScanRun): SharingRules => ({ ...usual, ...deps.sharing });

/** Whether it is worth while to let all nodes read so many. */
export const isMuch = (run: ScanRun, directories: number): boolean =>
  directories >= rulesOf(run).from;

/**
 * Shares out the directories of a root. What is much is given to all nodes as jobs, this one's own
 * workers among them; while they get on with it the run waits. When nothing moves any more, because
 * there are no workers, or they cannot read what is left, the run reads it itself: only it may
 * conclude that something is gone. Two that read the same do no harm; see `saveUnread`.
 */
export function createShare(
  run: ScanRun,
  rootId: string,
  onLeft: (left: Left) => Promise<void>,
): Share {
  const { sql } = run.deps.store;
  let given: string | undefined;
  let isShared = false;
  let hasHelp = false;
  let isAlone = false;
  /** To be left when nobody else reads. */
  let expected = 0;

  /** What nobody was told of yet. */
  async function fresh(): Promise<readonly KnownDirectory[]> {
    const page = await dueAfter(sql, { rootId, after: given, limit: pageSize });
    given = page.at(-1)?.id ?? given;
    return page;
  }
  async function give(directories: readonly KnownDirectory[]): Promise<void> {
    const directoryIds = directories.map(({ id }) => id);
    const { id: scanId, epoch } = run.scan;
    await run.change(async (tx) => {
      await addReads(tx, run.deps.jobs, { scanId, epoch, rootId, directoryIds });
      return {};
    });
    isShared = true;
  }
  /** Waits for others; false when they have not read anything for too long. */
  async function isMoving(before: Left): Promise<boolean> {
    if (!isShared || isAlone) return false;
    const { beginMs, helpMs } = rulesOf(run);
    const until = performance.now() + (hasHelp ? helpMs : beginMs);
    while (performance.now() < until) {
      await pause(lookMs, undefined, { signal: run.signal });
      await stillRuns(run);
      const left = await countDue(sql, rootId);
      await onLeft(left);
      // Less is more read; another one found last is one found by reading.
      if (left.count !== before.count || left.latest !== before.latest) return (hasHelp = true);
    }
    isAlone = true;
    return false;
  }
  return {
    async next() {
      for (;;) {
        const page = await fresh();
        if (page.length > 0 && !(isMuch(run, page.length) && !isAlone)) return page;
        if (page.length > 0) await give(page);
        const left = await countDue(sql, rootId);
        if (left.count === 0) return [];
        // Less than this run has left: others have begun after all.
        if (left.count < expected) isAlone = false;
        if (await isMoving(left)) continue;
        const own = await dueDirectories(sql, rootId, takenBack);
        expected = left.count - own.length;
        return own;
      }
    },
  };
}

export type Left = Awaited<ReturnType<typeof countDue>>;

/** @throws ScanOverError */
async function stillRuns({ deps, scan }: ScanRun): Promise<void> {
  const now = await findScan(deps.store.sql, scan.id);
  if (now?.state !== 'running' || now.epoch !== scan.epoch) throw new ScanOverError();
}
