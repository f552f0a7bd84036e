import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import type { Store } from '../changes.ts';
import { problem } from '../errors.ts';
import { defineJob, on, type JobAdder, type JobHandler } from '../jobs/job.ts';
import { chooseImages } from './choose.ts';
import { collect, type Collected, type ItemFiles } from './collect.ts';
import { addFrames, keepFrames } from './frames.ts';
import { addOffered, findOffers, type OfferDeps } from './offers.ts';
import {
  partsToFetchFor,
  partsToLookAt,
  sourcesOfParts,
  sourcesOfWorks,
  workTagsOf,
  type PictureParts,
} from './parts.ts';
import { goneOf, heirsOf } from './staying.ts';
import * as rows from './store.ts';

/** Looks again at what the files of some items give for pictures. */
export const refreshArtwork = defineJob<{ kind: string; itemIds: string[] }>('artwork.refresh', {
  queue: 'metadata',
  attempts: 6,
  timeoutMs: 20 * 60_000,
  priority: 'low',
});

/** Makes frames for items that have no other pictures, once there is nothing better to do. */
export const makeFrames = defineJob<{ kind: string; itemIds: string[] }>('artwork.frames', {
  queue: 'transcode',
  attempts: 6,
  timeoutMs: 60 * 60_000,
  priority: 'low',
});

export interface RefreshDeps extends OfferDeps {
  readonly store: Store;
  readonly jobs: JobAdder;
  /** See ArtworkDeps. */
  readonly whenIdle: WhenIdle;
  readonly parts: readonly PictureParts[];
  readonly hasItem: HasItem;
}

/** Whether there is a work, or a part of one, that can have pictures; it stays until `sql` ends. */
export type HasItem = (sql: Queryable, kind: string, itemId: string) => Promise<boolean>;

/** Resolves to true once frames may be made, to false where that takes long. */
export type WhenIdle = (signal: AbortSignal) => Promise<boolean>;

export interface Refresh {
  readonly jobs: readonly JobHandler[];
  /** Asks for a new look at items. */
  readonly due: (tx: Tx, kind: string, itemIds: readonly string[]) => Promise<void>;
  /** Asks for it of the parts of items for which a provider offers other pictures now. */
  readonly offersChanged: (tx: Tx, kind: string, itemIds: readonly string[]) => Promise<void>;
  /** Asks for it as soon as files that came, went or changed may tell something. */
  readonly filesChanged: (tx: Tx, kind: string, itemIds: readonly string[]) => Promise<void>;
}

const itemsPerJob = 16;
const lateMs = 15 * 60_000;
const busyMs = 60_000;

/** Makes the job and what asks for it. */
export function createRefresh(deps: RefreshDeps): Refresh {
  const due: Refresh['due'] = async (tx, kind, itemIds) => {
    if (itemIds.length === 0) return;
    // No key: a look that is under way may have read what has just changed. One in vain is cheap.
    const payloads = [];
    for (let at = 0; at < itemIds.length; at += itemsPerJob) {
      payloads.push({ payload: { kind, itemIds: itemIds.slice(at, at + itemsPerJob) } });
    }
    await deps.jobs.addMany(tx, refreshArtwork, payloads);
  };
  return {
    jobs: [
      on(refreshArtwork, ({ kind, itemIds }, context) =>
        refreshItems(deps, { kind, itemIds }, { ...context, areFramesMade: false }),
      ),
      on(makeFrames, (payload, context) => refreshWithFrames(deps, payload, context)),
    ],
    due,
    async offersChanged(tx, kind, itemIds) {
      for (const one of deps.parts.filter(({ of }) => of === kind)) {
        await due(tx, one.kind, await partsToFetchFor(tx, one, itemIds));
      }
    },
    async filesChanged(tx, kind, itemIds) {
      const ready = await rows.readyToLookAt(tx, itemIds);
      await due(tx, kind, ready);
      for (const one of deps.parts.filter(({ of }) => of === kind && ready.length > 0)) {
        await due(tx, one.kind, await partsToLookAt(tx, one, ready));
      }
    },
  };
}

interface Progress {
  readonly signal: AbortSignal;
  progress(done: number, total: number): void;
}

interface Context extends Progress {
  readonly areFramesMade: boolean;
}

/** Item by item, while nothing is looked into and no provider is asked; the rest later. */
async function refreshWithFrames(
  deps: RefreshDeps,
  { kind, itemIds }: { kind: string; itemIds: readonly string[] },
  context: Progress,
): Promise<void> {
  const { signal } = context;
  for (const [done, itemId] of itemIds.entries()) {
    if (!(await deps.whenIdle(signal))) {
      const left = itemIds.slice(done);
      await deps.jobs.add(deps.store.sql, makeFrames, { kind, itemIds: left }, { delayMs: busyMs });
      return;
    }
    const one = { signal, progress: () => undefined, areFramesMade: true };
    await refreshItems(deps, { kind, itemIds: [itemId] }, one);
    context.progress(done + 1, itemIds.length);
  }
}

async function refreshItems(
  deps: RefreshDeps,
  { kind, itemIds }: { kind: string; itemIds: readonly string[] },
  context: Context,
): Promise<void> {
  const { sql } = deps.store;
  const { signal } = context;
  const part = deps.parts.find((one) => one.kind === kind);
  const files = part
    ? await sourcesOfParts(sql, part, itemIds)
    : await sourcesOfWorks(sql, { kind, parts: deps.parts }, itemIds);
  const known = Map.groupBy(await rows.findImages(sql, kind, itemIds), ({ itemId }) => itemId);
  const offers = await (part?.offers(sql, itemIds) ?? findOffers(sql, kind, itemIds));
  const offered = Map.groupBy(offers, ({ itemId }) => itemId);
  const late: string[] = [];
  const bare: string[] = [];
  let postponed: Error | undefined;
  for (const [done, itemId] of itemIds.entries()) {
    const own = files.get(itemId);
    // Nothing is there now: what is known stays, since a share that is away takes no picture along.
    if (own === undefined) continue;
    const from = { files: own, known: known.get(itemId) ?? [], readName: part?.readName };
    const item = { kind, itemId, offers: offered.get(itemId) ?? [], ...from };
    const ofFiles = await collect(deps, item, signal);
    const { collected, isLate } = await addOffered(deps, item, { collected: ofFiles, signal });
    if (isLate) late.push(itemId);
    const framed = () =>
      context.areFramesMade
        ? addFrames(deps, item, { collected, signal })
        : keepFrames(item, collected);
    // Of what a part has no picture of, its work's is shown.
    const whole = part ? collected : await framed();
    if (whole.isFrameDue) bare.push(itemId);
    postponed ??= whole.postponed;
    await save(deps, { ...item, part }, whole);
    context.progress(done + 1, itemIds.length);
  }
  // No try of this job's is spent on a provider that may be away for hours. The look before the one
  // that makes frames has asked for the next one already.
  if (late.length > 0 && !context.areFramesMade) {
    await deps.jobs.add(sql, refreshArtwork, { kind, itemIds: late }, { delayMs: lateMs });
  }
  if (bare.length > 0) await deps.jobs.add(sql, makeFrames, { kind, itemIds: bare });
  if (postponed !== undefined) {
    throw problem('media-unavailable', postponed.message, { cause: postponed });
  }
}

async function save(
  { store, hasItem }: RefreshDeps,
  item: ItemFiles & { readonly part: PictureParts | undefined },
  collected: Collected,
): Promise<void> {
  const { known } = item;
  const isPartial = collected.postponed !== undefined || collected.isFrameDue;
  const gone = isPartial ? [] : goneOf(item, collected);
  const stays = known.filter((image) => !gone.includes(image));
  const chosen = chooseImages(stays);
  const heirs = heirsOf([...gone, ...stays.filter(({ isLost }) => isLost)], collected);
  const isSame =
    gone.length + collected.made.length + heirs.length === 0 &&
    known.every(({ id, isChosen }) => isChosen === chosen.has(id));
  if (isSame) return;
  await store.write(async (tx, stale) => {
    await rows.lockItems(tx, item.kind, [item.itemId]);
    // It may have been deleted while its files were looked at, and would leave pictures of nothing.
    if (!(await hasItem(tx, item.kind, item.itemId))) return;
    for (const image of collected.made) await rows.saveImage(tx, image);
    for (const { from, to } of heirs) await rows.moveChoice(tx, from, to);
    await rows.deleteImages(tx, gone);
    await chooseAgain(tx, item.kind, item.itemId);
    stale(...tagsOf(item.kind, item.itemId), ...(await workTagsOf(tx, item.part, item.itemId)));
  });
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
