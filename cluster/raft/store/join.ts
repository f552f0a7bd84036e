import type { Boot } from '../core/types.ts';
import { DamagedError } from './errors.ts';
import { newestWhole, type Skipped, type SnapshotFile } from './snapshots.ts';

export interface Joined {
  /** As found, but with the meta of the file when another had to serve. */
  readonly boot: Boot;
  /** To set the state machine to, before anything is applied. */
  readonly file: SnapshotFile | undefined;
  readonly skipped: readonly Skipped[];
}

/**
 * Finds the file of the snapshot the log stands on. If that one is torn, another will do as long as
 * the log reaches from it: trailing entries are kept for slow followers, and for this.
 * @throws DamagedError when no whole snapshot is left that the log joins
 */
export async function joinSnapshot(dir: string, boot: Boot): Promise<Joined> {
  const meta = boot.snapshot;
  if (!meta) return { boot, file: undefined, skipped: [] };
  const isIt = ({ meta: { index, term } }: SnapshotFile) =>
    index === meta.index && term === meta.term;
  const own = await newestWhole(dir, isIt);
  if (own.file) return { boot, ...own };
  const { file, skipped } = await newestWhole(dir, (other) => !isIt(other) && reaches(boot, other));
  const names = [...own.skipped, ...skipped].map(({ path, reason }) => `${path} ${reason}`);
  if (!file) {
    const why = [...new Set(names)].join(', ') || 'there is no file';
    throw new DamagedError(dir, `no snapshot is left that the log joins (${why})`);
  }
  const all = [...own.skipped, ...skipped.filter(({ path }) => !isNamed(own.skipped, path))];
  return { boot: { ...boot, snapshot: file.meta }, file, skipped: all };
}

const isNamed = (skipped: readonly Skipped[], path: string) =>
  skipped.some((one) => one.path === path);

function reaches({ entries }: Boot, { meta }: SnapshotFile): boolean {
  const first = entries[0];
  if (!first) return false;
  const at = entries[meta.index - first.index];
  return at ? at.term === meta.term : meta.index === first.index - 1;
}
