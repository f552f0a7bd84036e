import type { HandlersOf } from '#api/handler.ts';
import { MediaError, type ImageFacts } from '#storage/media/media.ts';
import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import { copyRow, uuidBytes } from '#storage/postgres/copy-row.ts';
import { recordWork, type Doer } from '../activity/record.ts';
import type { Store } from '../changes.ts';
import { problem, type ProblemError } from '../errors.ts';
import type { Show } from './address.ts';
import { presentImage, type NameOf } from './choices.ts';
import { keep, type CollectDeps } from './collect.ts';
import type { ImageType } from './names.ts';
import { workTagsOf, type PictureParts } from './parts.ts';
import { chooseAgain, tagsOf, type HasItem, type Refresh } from './refresh.ts';
import { findImages, lockItems, saveImage, setChoice, type Image } from './store.ts';

interface UploadDeps extends CollectDeps {
  readonly store: Store;
  readonly show: Show;
  readonly parts: readonly PictureParts[];
  readonly hasItem: HasItem;
  readonly nameOf: NameOf;
  readonly due: Refresh['due'];
}

interface Act {
  readonly action: 'work.image-uploaded' | 'work.image-deleted';
  readonly by: Doer | undefined;
}

interface Item {
  readonly kind: string;
  readonly itemId: string;
}

/** Of one item; each may be as large as a body. */
const uploadsMax = 32;

/**
 * Pictures that people bring themselves. The database keeps their bytes: no file and no provider
 * has them, and every node can serve them.
 */
export function createUploads(deps: UploadDeps): HandlersOf<'uploadItemImage' | 'deleteItemImage'> {
  const { store, show } = deps;
  /** `work` resolves to the picture that came or went. */
  const change = (item: Item, act: Act, work: (tx: Tx) => Promise<Pick<Image, 'id' | 'type'>>) =>
    store.write(async (tx, stale) => {
      await lockItems(tx, item.kind, [item.itemId]);
      const { id: imageId, type } = await work(tx);
      const name = await deps.nameOf(tx, item.kind, item.itemId);
      const details = { type, imageId };
      await recordWork(tx, act.action, { ...item, name, by: act.by, details });
      await chooseAgain(tx, item.kind, item.itemId);
      const part = deps.parts.find(({ kind }) => kind === item.kind);
      stale(...tagsOf(item.kind, item.itemId), ...(await workTagsOf(tx, part, item.itemId)));
    });
  return {
    async uploadItemImage({ params: item, query: { type }, body, request, principal: by }) {
      await expectItem(deps, store.sql, item);
      const facts = await inspected(deps, body, request.signal);
      await change(item, { action: 'work.image-uploaded', by }, async (tx) => {
        // It may have gone, or become another's, while the picture was looked at.
        await expectItem(deps, tx, item);
        return { id: await add(tx, { ...item, type, facts, bytes: body }), type };
      });
      const images = await findImages(store.sql, item.kind, [item.itemId]);
      const made = images.find((one) => one.type === type && one.sha256 === facts.sha256);
      if (made === undefined) throw problem('gone', 'The picture was removed meanwhile');
      return { body: presentImage(made, show) };
    },
    async deleteItemImage({ params: { imageId, ...item }, principal: by }) {
      await change(item, { action: 'work.image-deleted', by }, async (tx) => {
        const images = await findImages(tx, item.kind, [item.itemId]);
        const image = images.find(({ id }) => id === imageId);
        if (image === undefined) throw problem('not-found', 'The item has no such picture');
        if (image.source !== 'upload') {
          throw problem('unprocessable', 'Only a picture that somebody uploaded can be removed');
        }
        await tx`delete from images where id = ${imageId}`;
        // A file or a provider may have the same one, whose place it took.
        await deps.due(tx, item.kind, [item.itemId]);
        return image;
      });
      return { status: 204, body: undefined };
    },
  };
}

async function expectItem(
  { hasItem }: UploadDeps,
  sql: Queryable,
  { kind, itemId }: Item,
): Promise<void> {
  if (await hasItem(sql, kind, itemId)) return;
  throw problem('not-found', `There is no ${kind} ${itemId}`);
}

interface Added extends Item {
  readonly type: ImageType;
  readonly facts: ImageFacts;
  readonly bytes: Uint8Array;
}

/** Resolves to its id. */
async function add(tx: Tx, { kind, itemId, type, facts, bytes }: Added): Promise<string> {
  const known = await findImages(tx, kind, [itemId]);
  const isNew = !known.some((image) => isUpload(image, type, facts.sha256));
  if (isNew && known.filter(({ source }) => source === 'upload').length >= uploadsMax) {
    throw problem('conflict', `There are ${uploadsMax} uploaded pictures; remove one first.`);
  }
  const { sha256, format, width, height, blurhash } = facts;
  await saveImage(tx, {
    ...{ kind, itemId, type, source: 'upload', rank: 0, language: null, sourceUrl: null },
    ...{ fileId: null, streamIndex: null, atMs: null },
    ...{ sourceMtimeMs: null, sourceSizeBytes: null },
    ...{ sha256, format, width, height, blurhash },
  });
  const [row] = await tx<[{ id: string }]>`
    select id from images
    where kind = ${kind} and item_id = ${itemId} and type = ${type} and sha256 = ${sha256}`;
  const [kept] = await tx`select from image_uploads where image_id = ${row.id}`;
  if (kept === undefined) {
    const target = { table: 'image_uploads', columns: ['image_id', 'bytes'] };
    await copyRow(tx, target, [uuidBytes(row.id), bytes]);
  }
  await setChoice(tx, { kind, itemId, id: row.id }, true);
  return row.id;
}

const isUpload = (image: Image, type: ImageType, sha256: string): boolean =>
  image.source === 'upload' && image.type === type && image.sha256 === sha256;

/** The bytes of a picture that somebody uploaded; undefined: there are none of this id. */
export async function readUpload(sql: Queryable, id: string): Promise<Uint8Array | undefined> {
  const [row] = await sql<{ bytes: Uint8Array }[]>`
    select bytes from image_uploads where image_id = ${id}`;
  return row?.bytes;
}

/** Decoded once, by a process that may nothing else, before anything is kept. */
async function inspected(
  deps: CollectDeps,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<ImageFacts> {
  try {
    return await keep(deps, bytes, { signal, priority: 'user' });
  } catch (error) {
    throw error instanceof MediaError ? toProblem(error) : error;
  }
}

function toProblem(cause: MediaError): ProblemError | MediaError {
  switch (cause.code) {
    case 'too-large':
      return problem('too-large', `The picture is too large: ${cause.message}`, { cause });
    case 'unavailable':
    case 'timeout':
    case 'tool-missing':
      return problem('unavailable', 'Pictures cannot be looked at right now', {
        ...{ cause, retryAfterSeconds: 10 },
      });
    case 'cancelled':
      return cause;
    case 'unreadable':
    case 'forbidden':
    case 'not-found':
      return problem('unprocessable', `This is no picture: ${cause.message}`, { cause });
  }
}
