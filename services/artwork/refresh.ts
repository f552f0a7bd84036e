import type { Tx } from '#storage/postgres/connect.ts';
import type { Store } from '../changes.ts';
import { problem } from '../errors.ts';
import { defineJob, on, type JobAdder, type JobHandler } from '../jobs/job.ts';
import { chooseImages } from './choose.ts';
import { collect, type Collected, type ItemFiles } from './collect.ts';
import { addFrames } from './frames.ts';
import { addOffered, findOffers, type OfferDeps } from './offers.ts';
import * as rows from './store.ts';

/** Looks again at what the files of some items give for pictures. */
export const refreshArtwork = defineJob<{ kind: string; itemIds: string[] }>('artwork.refresh', {
  queue: 'metadata',
  attempts: 6,
  timeoutMs: 20 * 60_000,
  priority: 'low',
});

export interface RefreshDeps extends OfferDeps {
  readonly store: Store;
  readonly jobs: JobAdder;
}

export interface Refresh {
  readonly jobs: readonly JobHandler[];
  /** Asks for a new look at items whose files came, went or changed. */
  readonly due: (tx: Tx, kind: string, itemIds: readonly string[]) => Promise<void>;
}

const itemsPerJob = 16;
const lateMs = 15 * 60_000;

/** Makes the job and what asks for it. */
export function createRefresh(deps: RefreshDeps): Refresh {
  return {
    jobs: [
      on(refreshArtwork, ({ kind, itemIds }, context) =>
        refreshItems(deps, { kind, itemIds }, context),
      ),
    ],
    async due(tx, kind, itemIds) {
      if (itemIds.length === 0) return;
      // No key: a look that is under way may have read what has just changed. One in vain is cheap.
      const payloads = [];
      for (let at = 0; at < itemIds.length; at += itemsPerJob) {
        payloads.push({ payload: { kind, itemIds: itemIds.slice(at, at + itemsPerJob) } });
      }
      await deps.jobs.addMany(tx, refreshArtwork, payloads);
    },
  };
}

interface Context {
  readonly signal: AbortSignal;
  progress(done: number, total: number): void;
}

async function refreshItems(
  deps: RefreshDeps,
  { kind, itemIds }: { kind: string; itemIds: readonly string[] },
  context: Context,
): Promise<void> {
  const { sql } = deps.store;
  const { signal } = context;
  const files = Map.groupBy(await rows.findSources(sql, kind, itemIds), ({ itemId }) => itemId);
  const known = Map.groupBy(await rows.findImages(sql, kind, itemIds), ({ itemId }) => itemId);
  const offered = Map.groupBy(await findOffers(sql, kind, itemIds), ({ itemId }) => itemId);
  const late: string[] = [];
  let postponed: Error | undefined;
  for (const [done, itemId] of itemIds.entries()) {
    const own = files.get(itemId);
    // Nothing is there now: what is known stays, since a share that is away takes no picture along.
    if (own === undefined) continue;
    const offers = offered.get(itemId) ?? [];
    const item = { kind, itemId, files: own, known: known.get(itemId) ?? [], offers };
    const ofFiles = await collect(deps, item, signal);
    const { collected, isLate } = await addOffered(deps, item, { collected: ofFiles, signal });
    if (isLate) late.push(itemId);
    const whole = await addFrames(deps, item, { collected, signal });
    postponed ??= whole.postponed;
    await save(deps.store, item, whole);
    context.progress(done + 1, itemIds.length);
  }
  // No try of this job's is spent on a provider that may be away for hours.
  if (late.length > 0) {
    await deps.jobs.add(sql, refreshArtwork, { kind, itemIds: late }, { delayMs: lateMs });
  }
  if (postponed !== undefined) {
    throw problem('media-unavailable', postponed.message, { cause: postponed });
  }
}

/** What goes when its source has it no more; an upload has none. */
const sourced: ReadonlySet<string> = new Set(['local', 'embedded', 'frame', 'provider']);

async function save(store: Store, item: ItemFiles, collected: Collected): Promise<void> {
  const kept = new Set(collected.kept.map(({ id }) => id));
  const isAnew = ({ type, sha256 }: rows.Image) =>
    collected.made.some((image) => image.type === type && image.sha256 === sha256);
  const gone = collected.postponed
    ? []
    : item.known.filter(
        (image) => sourced.has(image.source) && !kept.has(image.id) && !isAnew(image),
      );
  if (gone.length === 0 && collected.made.length === 0 && !isUnchosen(item.known)) return;
  await store.write(async (tx, stale) => {
    await rows.lockItems(tx, item.kind, [item.itemId]);
    const ids = gone.map(({ id }) => id);
    await rows.deleteImages(tx, ids);
    for (const image of collected.made) await rows.saveImage(tx, image);
    await chooseAgain(tx, item.kind, item.itemId);
    stale(...tagsOf(item.kind, item.itemId));
  });
}

/** True when a type has pictures and shows none. */
function isUnchosen(images: readonly rows.Image[]): boolean {
  const shown = new Set(images.filter(({ isChosen }) => isChosen).map(({ type }) => type));
  return images.some(({ type }) => !shown.has(type));
}

/** Applies the order of choice to the pictures an item has now. */
export async function chooseAgain(tx: Tx, kind: string, itemId: string): Promise<void> {
  const images = await rows.findImages(tx, kind, [itemId]);
  const chosen = chooseImages(images);
  const loses = images.filter(({ id, isChosen }) => isChosen && !chosen.has(id));
  const gains = images.filter(({ id, isChosen }) => !isChosen && chosen.has(id));
  await rows.lower(
    tx,
    loses.map(({ id }) => id),
  );
  await rows.raise(
    tx,
    gains.map(({ id }) => id),
  );
}

/** What shows an item's pictures: the item, and the lists of its kind. */
export const tagsOf = (kind: string, itemId: string): string[] => [`${kind}:${itemId}`, `${kind}s`];
