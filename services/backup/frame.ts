import { createHash } from 'node:crypto';
import { createZstdCompress, createZstdDecompress, constants } from 'node:zlib';
import { pipeline } from 'node:stream/promises';
import { PassThrough, Readable } from 'node:stream';
import { BackupError } from './errors.ts';

/**
 * A backup on disk: `head | Zstandard frame of the archive | tail`. Head and tail are skippable
 * frames (RFC 8878, section 3.1.2), so that `zstd -d` sees the archive alone; the head says that
 * this is a backup, the tail holds the SHA-256 of all that is before it.
 */
const skippable = 0x184d2a50;
const headWords = 'revenge backup\n';
const digestBytes = 32;

const frameOf = (content: Uint8Array): Buffer => {
  const frame = Buffer.alloc(8 + content.length);
  frame.writeUInt32LE(skippable, 0);
  frame.writeUInt32LE(content.length, 4);
  frame.set(content, 8);
  return frame;
};

/** How every backup begins that is not sealed. */
export const head = frameOf(Buffer.from(headWords));
const tailBytes = 8 + digestBytes;

/** Of all levels the one that a home's processor does not notice; higher ones save a few percent. */
const level = 3;

/** Compresses an archive. */
export const compressor = () =>
  createZstdCompress({
    params: {
      [constants.ZSTD_c_checksumFlag]: 1,
      [constants.ZSTD_c_compressionLevel]: level,
    },
  });

/** Puts head and tail around a compressed archive. */
export async function* wrap(compressed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256').update(head);
  yield head;
  for await (const chunk of compressed) {
    hash.update(chunk);
    yield chunk;
  }
  yield frameOf(hash.digest());
}

const cutOff = (cause?: unknown) =>
  new BackupError('damaged', 'the backup is damaged: it is cut off', { cause });
const altered = (cause?: unknown) =>
  new BackupError('damaged', 'the backup is damaged: its checksum does not fit', { cause });

/**
 * Takes head and tail off; throws at the end when the checksum does not fit, so that nothing of it
 * may count before.
 * @throws BackupError `foreign`, `damaged`
 */
async function* unwrap(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let held = Buffer.alloc(0);
  let isBegun = false;
  for await (const chunk of source) {
    held = Buffer.concat([held, chunk]);
    if (!isBegun) {
      if (held.length < head.length) continue;
      if (!held.subarray(0, head.length).equals(head)) throw foreign();
      hash.update(head);
      held = held.subarray(head.length);
      isBegun = true;
    }
    // What may be the tail is kept until it is known to be.
    const body = held.subarray(0, Math.max(0, held.length - tailBytes));
    if (body.length === 0) continue;
    held = held.subarray(body.length);
    hash.update(body);
    yield body;
  }
  if (!isBegun)
    throw held.length === 0 || head.subarray(0, held.length).equals(held) ? cutOff() : foreign();
  if (!held.equals(frameOf(hash.digest()))) throw altered();
}

export const foreign = () =>
  new BackupError('foreign', 'this is no backup of Revenge: it begins with something else');

/** The archive in a backup. @throws BackupError `foreign`, `damaged` */
export async function* decompress(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const archive = new PassThrough();
  // Its failure reaches whoever reads the archive.
  const done = pipeline(Readable.from(unwrap(source)), createZstdDecompress(), archive).then(
    () => undefined,
    (error: unknown) => error,
  );
  try {
    for await (const chunk of archive) yield chunk as Buffer;
  } catch (error) {
    throw explain((await done) ?? error);
  }
  const failure = await done;
  if (failure !== undefined) throw explain(failure);
}

/** What zlib says of bytes that are not what was written. */
function explain(error: unknown): unknown {
  const { code } = error as { code?: unknown };
  if (typeof code !== 'string') return error;
  if (code === 'Z_BUF_ERROR') return cutOff(error);
  return /^Z(STD)?_/i.test(code) ? altered(error) : error;
}
