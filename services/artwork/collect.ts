import type { Blobs } from '#storage/blobs/index.ts';
import { MediaError, type ImageFacts, type Media, type MediaCall } from '#storage/media/media.ts';
import type { Log } from '../log.ts';
import { readAttachedName, readImageName, type ImageType } from './names.ts';
import type { Image, NewImage, SourceFile } from './store.ts';

export interface CollectDeps {
  readonly media: Pick<Media, 'read' | 'frame' | 'attachedPicture' | 'inspectImage'>;
  readonly blobs: Blobs;
  readonly log: Log;
}

/** One item with what is on disk for it and what is known of it. */
export interface ItemFiles {
  readonly kind: string;
  readonly itemId: string;
  readonly files: readonly SourceFile[];
  readonly known: readonly Image[];
  /** How pictures beside are named; as those of works unless stated. */
  readonly readName?: typeof readImageName | undefined;
}

/** The pictures the files of an item give now: old ones that still hold, and new ones. */
export interface Collected {
  readonly kept: readonly Image[];
  readonly made: readonly NewImage[];
  /** The failure that made it incomplete, so that nothing may be concluded from what is missing. */
  readonly postponed: MediaError | undefined;
  /** A frame is yet to be made: until then nothing may be concluded from what is missing either. */
  readonly isFrameDue: boolean;
}

/** A picture that is to be there, and how its bytes are got. */
interface Wanted {
  readonly file: SourceFile;
  readonly source: 'local' | 'embedded';
  readonly rank: number;
  readonly streamIndex: number | null;
  readonly typeOf: (facts: ImageFacts) => ImageType;
  readonly bytes: (signal: AbortSignal) => Promise<Uint8Array>;
}

export const imageBytesMax = 48 * 1024 * 1024;
const localMax = 32;
const attachedMax = 4;

/** Looks at an item's files; only what is new or changed is read. */
export async function collect(
  deps: CollectDeps,
  item: ItemFiles,
  signal: AbortSignal,
): Promise<Collected> {
  const kept: Image[] = [];
  const made: NewImage[] = [];
  let postponed: MediaError | undefined;
  for (const wanted of [...wantedLocal(deps, item), ...wantedAttached(deps, item)]) {
    const known = item.known.filter((image) => isFrom(image, wanted));
    if (known.length > 0) {
      kept.push(...known);
      continue;
    }
    const result = await make(deps, item, { wanted, signal });
    if (result instanceof MediaError) postponed = result;
    else if (result !== undefined) made.push(result);
  }
  return { kept, made: distinct(made), postponed, isFrameDue: false };
}

/** A picture from these bytes, in the store of this node. */
export async function keep(
  { media, blobs }: CollectDeps,
  bytes: Uint8Array,
  call: MediaCall,
): Promise<ImageFacts> {
  await using staged = await blobs.stage(bytes);
  const facts = await media.inspectImage({ file: staged.path }, call);
  await staged.keep(facts.sha256);
  return facts;
}

/** Whether a failure says something of the file, or only of this moment. */
export function isPassing(error: MediaError): boolean {
  return error.code === 'unavailable' || error.code === 'timeout';
}

function wantedLocal({ media }: CollectDeps, item: ItemFiles): Wanted[] {
  const { files, readName = readImageName } = item;
  const videos = files.filter(({ role }) => role === 'video');
  const stems = videos.map(({ name }) => name.replace(/\.[^.]*$/, ''));
  return files
    .filter(({ role }) => role === 'image')
    .flatMap((file): Wanted[] => {
      const named = readName(file.path, stems);
      if (named === undefined) return [];
      const bytes = (signal: AbortSignal) =>
        media.read(file.root, file.path, { signal, maxBytes: imageBytesMax });
      const { type, rank } = named;
      return [{ file, source: 'local', rank, streamIndex: null, typeOf: () => type, bytes }];
    })
    .sort((a, b) => a.rank - b.rank)
    .slice(0, localMax);
}

function wantedAttached({ media }: CollectDeps, { files }: ItemFiles): Wanted[] {
  const file = files.find(({ role, probe }) => role === 'video' && probe !== null);
  const pictures = (file?.probe?.streams ?? []).filter(
    (stream) => stream.type === 'attachment' && stream.role === 'picture',
  );
  if (file === undefined) return [];
  return pictures
    .filter((stream) => !/^small_/i.test(nameOf(stream) ?? ''))
    .slice(0, attachedMax)
    .map((stream, rank): Wanted => {
      const { index } = stream;
      return {
        file,
        source: 'embedded',
        rank,
        streamIndex: index,
        typeOf: (facts) => readAttachedName(nameOf(stream), facts),
        bytes: (signal) => media.attachedPicture(file.root, file.path, { signal, index }),
      };
    });
}

const nameOf = (stream: object): string | undefined =>
  'fileName' in stream && typeof stream.fileName === 'string' ? stream.fileName : undefined;

function isFrom(image: Image, { file, source, streamIndex }: Wanted): boolean {
  return (
    image.source === source &&
    image.fileId === file.id &&
    image.streamIndex === streamIndex &&
    image.sourceMtimeMs === file.mtimeMs &&
    image.sourceSizeBytes === file.sizeBytes
  );
}

/** The picture; undefined when the file holds none; the failure when that cannot be told now. */
async function make(
  deps: CollectDeps,
  item: ItemFiles,
  { wanted, signal }: { wanted: Wanted; signal: AbortSignal },
): Promise<NewImage | MediaError | undefined> {
  const { file, source, rank, streamIndex } = wanted;
  try {
    const facts = await keep(deps, await wanted.bytes(signal), { signal });
    return describe(
      item,
      { file, source, rank, streamIndex, atMs: null },
      {
        facts,
        type: wanted.typeOf(facts),
      },
    );
  } catch (error) {
    if (!(error instanceof MediaError) || error.code === 'cancelled') throw error;
    if (isPassing(error)) return error;
    deps.log.debug('a picture was left out', { fileId: file.id, source, reason: error.message });
    return undefined;
  }
}

/** The row of a picture. */
export function describe(
  item: Pick<ItemFiles, 'kind' | 'itemId'>,
  origin: Pick<NewImage, 'source' | 'rank' | 'streamIndex' | 'atMs'> & { file: SourceFile },
  { facts, type }: { facts: ImageFacts; type: ImageType },
): NewImage {
  const { file, ...rest } = origin;
  const { sha256, format, width, height, blurhash } = facts;
  return {
    kind: item.kind,
    itemId: item.itemId,
    type,
    ...rest,
    fileId: file.id,
    sourceMtimeMs: file.mtimeMs,
    sourceSizeBytes: file.sizeBytes,
    ...{ sha256, format, width, height, blurhash },
    sourceUrl: null,
    language: null,
  };
}

/** The same bytes under two names are one picture: the better name's. */
function distinct(images: readonly NewImage[]): NewImage[] {
  const seen = new Set<string>();
  return images.filter(({ type, sha256 }) => {
    const key = `${type}:${sha256}`;
    return !seen.has(key) && seen.add(key);
  });
}
