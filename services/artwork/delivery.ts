import type { HandlersOf, StreamReply } from '#api/handler.ts';
import type { Blobs } from '#storage/blobs/index.ts';
import type { Cache } from '#storage/cache/cache.ts';
import { MediaError, type ImageTarget, type Media } from '#storage/media/media.ts';
import type { Outbound } from '#storage/outbound/index.ts';
import type { Sql } from '#storage/postgres/connect.ts';
import { problem, type ProblemError } from '../errors.ts';
import type { ImageAddresses } from './address.ts';
import { imageBytesMax } from './collect.ts';
import { AwayError, fetchPicture } from './offers.ts';
import { chooseFormat, snapWidth } from './negotiate.ts';
import { findOrigin, type ImageOrigin } from './store.ts';
import { readUpload } from './upload.ts';

export interface DeliveryDeps {
  readonly sql: Sql;
  readonly cache: Cache;
  readonly blobs: Blobs;
  readonly addresses: ImageAddresses;
  readonly outbound: Outbound;
  readonly media: Pick<
    Media,
    'read' | 'frame' | 'attachedPicture' | 'inspectImage' | 'resizeImage'
  >;
}

const ttlMs = 5 * 60_000;
const makeMs = 20_000;

/** Serves pictures in the size and format asked for; each is made once, and kept. */
export function createDelivery(deps: DeliveryDeps): HandlersOf<'getImage'> {
  const { sql, cache, addresses } = deps;
  const origins = cache.define({
    name: 'image',
    ttlMs,
    negativeTtlMs: 1_000,
    load: (id: string) => findOrigin(sql, id),
    tags: (image: ImageOrigin | undefined) =>
      image === undefined ? [] : [`${image.kind}:${image.itemId}`],
  });
  const making = new Map<string, Promise<Uint8Array>>();
  return {
    async getImage({ params, query, request }) {
      const image = await origins.get(params.imageId);
      if (image === undefined || !addresses.isKey(image, params.key)) {
        throw problem('not-found', 'There is no such picture');
      }
      const format = chooseFormat(request.headers['accept'], image.type);
      if (format === undefined) {
        throw problem('not-acceptable', 'Pictures come as WebP, AVIF or JPEG');
      }
      const width = snapWidth(query.width, image.width);
      const etag = `"${image.sha256.slice(0, 32)}-${width}-${format}"`;
      const headers = headersOf(etag, format);
      if (request.headers['if-none-match']?.includes(etag)) {
        return { status: 304, headers, stream: undefined };
      }
      const bytes = await variant({ ...deps, making }, image, { width, format });
      return whole(headers, bytes);
    },
  };
}

function whole(headers: Record<string, string>, bytes: Uint8Array): StreamReply {
  return { status: 200, headers, stream: bytes };
}

const headersOf = (etag: string, format: ImageTarget['format']): Record<string, string> => ({
  ETag: etag,
  Vary: 'Accept',
  'Content-Type': `image/${format}`,
  'Content-Disposition': 'inline',
  // The address is of this content alone, so that nobody ever need ask again.
  'Cache-Control': 'public, max-age=31536000, immutable',
});

interface Making extends DeliveryDeps {
  /** Those being made, so that a page of the same poster makes it once. */
  readonly making: Map<string, Promise<Uint8Array>>;
}

async function variant(deps: Making, image: ImageOrigin, target: ImageTarget): Promise<Uint8Array> {
  const name = `${image.sha256}-${target.width}.${target.format}`;
  const ready = await deps.blobs.get(name);
  if (ready !== undefined) return ready;
  const begun = deps.making.get(name);
  if (begun !== undefined) return begun;
  const made = (async () => {
    const file = (await deps.blobs.find(image.sha256)) ?? (await makeAgain(deps, image));
    const call = { priority: 'user', timeoutMs: makeMs } as const;
    const bytes = await deps.media.resizeImage({ file }, { ...call, ...target });
    await deps.blobs.put(name, bytes);
    return bytes;
  })().catch((error: unknown) => {
    if (error instanceof AwayError) throw problem('unavailable', error.message, { cause: error });
    throw error instanceof MediaError ? toProblem(error) : error;
  });
  deps.making.set(name, made);
  try {
    return await made;
  } finally {
    deps.making.delete(name);
  }
}

/** The original from where it came from, as a file: this node may never have had it. */
async function makeAgain(deps: DeliveryDeps, image: ImageOrigin): Promise<string> {
  const call = { priority: 'user', timeoutMs: makeMs } as const;
  await using staged = await deps.blobs.stage(await fetchOriginal(deps, image));
  const facts = await deps.media.inspectImage({ file: staged.path }, call);
  // A frame differs in its bytes between builds of ffmpeg, and shows the same.
  if (facts.sha256 !== image.sha256 && image.source !== 'frame') {
    throw problem('not-found', 'The picture has changed; its new address is in the item');
  }
  await staged.keep(image.sha256);
  const file = await deps.blobs.find(image.sha256);
  if (file === undefined) throw problem('unavailable', 'The folder of pictures has no room');
  return file;
}

async function fetchOriginal(
  { media, outbound, sql }: DeliveryDeps,
  { id, source, root, path, streamIndex, atMs, sourceUrl }: ImageOrigin,
): Promise<Uint8Array> {
  const call = { priority: 'user', timeoutMs: makeMs } as const;
  if (root !== null && path !== null) {
    if (source === 'local') return media.read(root, path, { ...call, maxBytes: imageBytesMax });
    if (source === 'embedded' && streamIndex !== null) {
      return media.attachedPicture(root, path, { ...call, index: streamIndex });
    }
    if (source === 'frame' && atMs !== null) {
      return (await media.frame(root, path, { ...call, atMs, among: 1 })).bytes;
    }
  }
  if (source === 'upload') {
    const bytes = await readUpload(sql, id);
    if (bytes !== undefined) return bytes;
  }
  if (source === 'provider' && sourceUrl !== null) {
    const bytes = await fetchPicture(outbound, sourceUrl);
    if (bytes !== undefined) return bytes;
  }
  throw problem('not-found', 'The picture is no longer there');
}

function toProblem(error: MediaError): ProblemError {
  const cause = error;
  switch (error.code) {
    case 'unavailable':
    case 'timeout':
    case 'cancelled': {
      const retryAfterSeconds = Math.ceil((error.retryAfterMs ?? 15_000) / 1_000);
      return problem('media-unavailable', 'The picture’s folder does not answer', {
        cause,
        retryAfterSeconds,
      });
    }
    case 'tool-missing':
      return problem('tool-missing', error.message, { cause });
    case 'not-found':
    case 'forbidden':
    case 'unreadable':
    case 'too-large':
      return problem('not-found', 'The picture is no longer there', { cause });
  }
}
