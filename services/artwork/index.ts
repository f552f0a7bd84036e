import type { HandlersOf } from '#api/handler.ts';
import type { Blobs } from '#storage/blobs/index.ts';
import type { Cache } from '#storage/cache/cache.ts';
import type { Media } from '#storage/media/media.ts';
import type { Outbound } from '#storage/outbound/index.ts';
import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import type { Store } from '../changes.ts';
import type { JobAdder, JobHandler } from '../jobs/job.ts';
import type { Log } from '../log.ts';
import type { SeesItem } from '../visible.ts';
import { createImageAddresses, type Addressed, type Show, type ShownImage } from './address.ts';
import { createChoices, type NameOf } from './choices.ts';
import { createDelivery } from './delivery.ts';
import { replaceOffers, type Offer } from './offers.ts';
import type { PictureParts } from './parts.ts';
import { createRefresh, type HasItem, type WhenIdle } from './refresh.ts';
import { findChosen } from './store.ts';
import { createUploads } from './upload.ts';

export type { Show, ShownImage } from './address.ts';
export type { ImageType } from './names.ts';

export interface ArtworkDeps {
  readonly store: Store;
  readonly cache: Cache;
  readonly media: Media;
  readonly jobs: JobAdder;
  /** Frames of videos are made only then: files to look into and providers to ask come first. */
  readonly whenIdle: WhenIdle;
  /** Parts of works that have pictures of their own. */
  readonly parts?: readonly PictureParts[];
  readonly hasItem: HasItem;
  readonly nameOf: NameOf;
  readonly seesItem: SeesItem;
  /** Fetches what providers offer. */
  readonly outbound: Outbound;
  /** Originals and sizes made of them, on this node. */
  readonly blobs: Blobs;
  /** The cluster's signing key, at least 32 bytes; addresses get a key derived from it. */
  readonly signingKey: Uint8Array;
  readonly log: Log;
}

/** Pictures of items of all kinds. */
export interface Artwork {
  readonly handlers: HandlersOf<
    | 'getImage'
    | 'listItemImages'
    | 'chooseItemImage'
    | 'unchooseItemImage'
    | 'uploadItemImage'
    | 'deleteItemImage'
  >;
  readonly jobs: readonly JobHandler[];
  /** Asks, in the transaction that changed files, for a new look at their items. */
  readonly filesChanged: (tx: Tx, kind: string, itemIds: readonly string[]) => Promise<void>;
  /**
   * Notes, in the transaction of whoever was told, what a provider offers for an item; what it
   * offers for the item's parts is with these.
   */
  readonly offered: (
    tx: Tx,
    item: { readonly kind: string; readonly itemId: string; readonly provider: string },
    offers: readonly Offer[],
  ) => Promise<void>;
  /** An image's address; `?width=` may be added. */
  readonly imageUrl: (image: Addressed) => string;
  readonly show: Show;
  /** The chosen picture of each type, by item: one query for a page; items without are absent. */
  readonly forItems: (
    sql: Queryable,
    kind: string,
    itemIds: readonly string[],
  ) => Promise<Map<string, Record<string, ShownImage>>>;
}

/** Makes artwork. */
export function createArtwork(deps: ArtworkDeps): Artwork {
  const { store, cache, media, jobs, blobs, outbound, whenIdle, hasItem, nameOf } = deps;
  const { parts = [] } = deps;
  const log = deps.log.child({ module: 'artwork' });
  const addresses = createImageAddresses(deps.signingKey);
  const refresh = createRefresh({
    ...{ store, media, blobs, jobs, parts, hasItem, outbound, log, whenIdle },
  });
  const show: Show = (image) => {
    const { blurhash, width, height } = image;
    return { url: addresses.url(image), blurhash, width, height };
  };
  return {
    handlers: {
      ...createDelivery({ sql: store.sql, cache, blobs, addresses, media, outbound }),
      ...createChoices({ store, show, parts, nameOf, seesItem: deps.seesItem }),
      ...createUploads({
        ...{ store, show, parts, media, blobs, log },
        ...{ hasItem, nameOf, due: refresh.due },
      }),
    },
    jobs: refresh.jobs,
    filesChanged: refresh.filesChanged,
    async offered(tx, item, offers) {
      const isChanged = await replaceOffers(tx, item, offers);
      if (isChanged) await refresh.due(tx, item.kind, [item.itemId]);
      await refresh.offersChanged(tx, item.kind, [item.itemId]);
    },
    imageUrl: addresses.url,
    show,
    async forItems(sql, kind, itemIds) {
      const byItem = new Map<string, Record<string, ShownImage>>();
      for (const image of await findChosen(sql, kind, itemIds)) {
        byItem.set(image.itemId, { ...byItem.get(image.itemId), [image.type]: show(image) });
      }
      return byItem;
    },
  };
}
