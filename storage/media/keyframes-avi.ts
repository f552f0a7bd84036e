import type { ReadPart } from './parts.ts';

interface Chunk {
  readonly kind: string;
  readonly from: number;
  readonly to: number;
}

const chunksMax = 200;
const headBytesMax = 1024 * 1024;
const indexBytesMax = 16 * 1024 * 1024;
const entryBytes = 16;
const isKeyFlag = 0x10;
/** Codecs of which a picture itself tells at once what it is, whatever the index says of it. */
const mpeg4 = new Set(['XVID', 'DIVX', 'DX50', 'FMP4', 'MP4V', '3IV2']);
/** How many pictures are asked themselves. */
const asked = 8;

interface Video {
  /** How its chunks begin: `00`, `01` … */
  readonly prefix: string;
  /** Milliseconds of a picture. */
  readonly pictureMs: number;
  readonly pictures: number;
  readonly codec: string;
}

/**
 * The times, in milliseconds, of an AVI file's keyframes, by its `idx1`; undefined where it has
 * none, or one that does not reach to its end, and for files in several parts (OpenDML).
 */
export async function keyframesInAvi(
  read: ReadPart,
  sizeBytes: number,
): Promise<number[] | undefined> {
  const parts = await chunksIn(read, { kind: '', from: 0, to: sizeBytes });
  const [whole] = parts ?? [];
  if (whole?.kind !== 'RIFF' || parts?.some(({ kind }, nth) => kind === 'RIFF' && nth > 0))
    return undefined;
  const chunks = await chunksIn(read, { ...whole, from: whole.from + 4 });
  const lists = await listsIn(read, chunks ?? []);
  const video = lists.hdrl && (await videoIn(read, lists.hdrl));
  const index = chunks?.find(({ kind }) => kind === 'idx1');
  if (!video || !lists.movi || !index || index.to - index.from > indexBytesMax) return undefined;
  const bytes = Buffer.from(await read(index.from, index.to - index.from));
  const found = picturesIn(bytes, video);
  // All: said so by a program that did not know.
  if (found.keys.length === 0 || found.keys.length === found.count) return undefined;
  if (found.count < video.pictures) return undefined;
  if (mpeg4.has(video.codec) && !(await areKeys(read, lists.movi, found.keys))) return undefined;
  return found.keys.map(({ nth }) => Math.round(nth * video.pictureMs));
}

interface Key {
  readonly nth: number;
  /** As the index has it: from the file's beginning, or from that of `movi`. */
  readonly offset: number;
}

function picturesIn(index: Buffer, { prefix }: Video): { keys: Key[]; count: number } {
  const keys: Key[] = [];
  let [count, lastOffset] = [0, -1];
  for (let at = 0; at + entryBytes <= index.length; at += entryBytes) {
    const id = index.toString('latin1', at, at + 4);
    if (id !== `${prefix}dc` && id !== `${prefix}db`) continue;
    const [offset, size] = [index.readUInt32LE(at + 8), index.readUInt32LE(at + 12)];
    const isKey = (index.readUInt32LE(at + 4) & isKeyFlag) !== 0;
    // An empty one stands for a picture that is shown again.
    if (isKey && size > 0 && offset !== lastOffset) keys.push({ nth: count, offset });
    if (size > 0) lastOffset = offset;
    count += 1;
  }
  return { keys, count };
}

/** Whether some of the pictures that are said to stand for themselves do so. */
async function areKeys(read: ReadPart, movi: Chunk, keys: readonly Key[]): Promise<boolean> {
  const base = (await isChunkAt(read, keys[0]!.offset)) ? 0 : movi.from;
  const step = Math.max(1, Math.floor(keys.length / asked));
  for (let nth = 0; nth < keys.length; nth += step) {
    const head = await read(base + keys[nth]!.offset + 8, 256);
    const at = head.indexOf('000001b6', 0, 'hex');
    // ISO/IEC 14496-2, vop_coding_type: 0 for a picture that needs no other.
    if (at < 0 || ((head[at + 4] ?? 0xff) & 0xc0) !== 0) return false;
  }
  return true;
}

const isChunkAt = async (read: ReadPart, at: number): Promise<boolean> =>
  /^\d\dd[bc]$/.test((await read(at, 4)).toString('latin1'));

async function videoIn(read: ReadPart, hdrl: Chunk): Promise<Video | undefined> {
  let stream = -1;
  for (const chunk of (await chunksIn(read, hdrl)) ?? []) {
    if (chunk.kind !== 'LIST') continue;
    if ((await read(chunk.from, 4)).toString('latin1') !== 'strl') continue;
    stream += 1;
    const parts = await chunksIn(read, { ...chunk, from: chunk.from + 4 });
    const header = parts?.find(({ kind }) => kind === 'strh');
    const bytes = header && Buffer.from(await read(header.from, 48));
    if (bytes === undefined || bytes.length < 48) return undefined;
    if (bytes.toString('latin1', 0, 4) !== 'vids') continue;
    const [scale, rate, start] = [20, 24, 28].map((at) => bytes.readUInt32LE(at));
    const isPlain = scale! > 0 && rate! > 0 && start === 0 && bytes.readUInt32LE(44) === 0;
    if (!isPlain || parts!.some(({ kind }) => kind === 'indx')) return undefined;
    return {
      prefix: String(stream).padStart(2, '0'),
      pictureMs: (scale! / rate!) * 1_000,
      pictures: bytes.readUInt32LE(32),
      codec: bytes.toString('latin1', 4, 8).toUpperCase(),
    };
  }
  return undefined;
}

async function listsIn(
  read: ReadPart,
  chunks: readonly Chunk[],
): Promise<{ hdrl?: Chunk; movi?: Chunk }> {
  const lists: { hdrl?: Chunk; movi?: Chunk } = {};
  for (const chunk of chunks) {
    const name = chunk.kind === 'LIST' && (await read(chunk.from, 4)).toString('latin1');
    const isShort = chunk.to - chunk.from < headBytesMax;
    if (name === 'hdrl' && isShort) lists.hdrl = { ...chunk, from: chunk.from + 4 };
    // Places in the index are counted from the list's name.
    if (name === 'movi') lists.movi = chunk;
  }
  return lists;
}

/** The chunks of a list; undefined where there are too many. A last one may be cut short. */
async function chunksIn(read: ReadPart, { from, to }: Chunk): Promise<Chunk[] | undefined> {
  const chunks: Chunk[] = [];
  for (let at = from; at + 8 <= to;) {
    const head = await read(at, 8);
    if (head.length < 8) break;
    if (chunks.length > chunksMax) return undefined;
    const size = head.readUInt32LE(4);
    const kind = head.toString('latin1', 0, 4);
    chunks.push({ kind, from: at + 8, to: Math.min(to, at + 8 + size) });
    at += 8 + size + (size % 2);
  }
  return chunks;
}
