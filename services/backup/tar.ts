import { BackupError } from './errors.ts';

/** A file of an archive, whole in memory. */
export interface Entry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const blockBytes = 512;
const nameMax = 100;
/** What an entry may hold; one of ours holds a few megabytes, or one row, or one picture. */
const entryMax = 1024 ** 3;
const endBlocks = 2;

/** An archive as `tar` reads it (POSIX.1-1988, ustar), of files that their owner alone may read. */
export async function* packTar(
  entries: AsyncIterable<Entry>,
  at: Date,
): AsyncGenerator<Uint8Array> {
  for await (const { name, bytes } of entries) {
    yield headerOf(name, bytes.length, at);
    yield bytes;
    const over = bytes.length % blockBytes;
    if (over > 0) yield Buffer.alloc(blockBytes - over);
  }
  yield Buffer.alloc(endBlocks * blockBytes);
}

function headerOf(name: string, size: number, at: Date): Buffer {
  if (Buffer.byteLength(name) > nameMax)
    throw new RangeError(`"${name}" is too long for an archive`);
  if (size > entryMax) throw new RangeError(`${name} is too large for a backup: ${size} bytes`);
  const block = Buffer.alloc(blockBytes);
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length, '0')}\0`;
  block.write(name, 0);
  block.write(octal(0o600, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(size, 11), 124);
  block.write(octal(Math.floor(at.getTime() / 1_000), 11), 136);
  block.write('0', 156);
  block.write('ustar\u000000', 257);
  block.write(`${sumOf(block).toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** Of all bytes, with the sum's own eight counted as spaces. */
function sumOf(block: Uint8Array): number {
  let sum = 0;
  for (const [at, byte] of block.entries()) sum += at >= 148 && at < 156 ? 0x20 : byte;
  return sum;
}

/** The files of an archive, one after the other. @throws BackupError `damaged` */
export async function* unpackTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<Entry> {
  const reader = createReader(source);
  for (;;) {
    const header = await reader.take(blockBytes);
    if (header.every((byte) => byte === 0)) break;
    const { name, size } = readHeader(header);
    const bytes = await reader.take(size);
    if (size % blockBytes > 0) await reader.take(blockBytes - (size % blockBytes));
    yield { name, bytes };
  }
  const last = await reader.take(blockBytes);
  if (last.some((byte) => byte !== 0) || !(await reader.isOver())) throw damaged();
}

const damaged = () => new BackupError('damaged', 'the backup is damaged: it is no whole archive');

function readHeader(block: Buffer): { name: string; size: number } {
  const text = (from: number, to: number) =>
    block.toString('latin1', from, to).replace(/\0.*$/s, '');
  const isOurs = text(257, 263) === 'ustar' && text(156, 157) === '0';
  const size = Number.parseInt(text(124, 136), 8);
  if (!isOurs || Number.parseInt(text(148, 156), 8) !== sumOf(block)) throw damaged();
  if (!Number.isSafeInteger(size) || size < 0 || size > entryMax) throw damaged();
  return { name: text(0, nameMax), size };
}

/** Takes bytes off a stream in the amounts wanted. */
function createReader(source: AsyncIterable<Uint8Array>) {
  const chunks = source[Symbol.asyncIterator]();
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  const more = async (): Promise<boolean> => {
    const next = await chunks.next();
    if (next.done === true) return false;
    held.push(next.value);
    heldBytes += next.value.length;
    return true;
  };
  return {
    async take(amount: number): Promise<Buffer> {
      while (heldBytes < amount) if (!(await more())) throw damaged();
      const all =
        held.length === 1
          ? Buffer.from(held[0]!.buffer, held[0]!.byteOffset, heldBytes)
          : Buffer.concat(held, heldBytes);
      held = amount < heldBytes ? [all.subarray(amount)] : [];
      heldBytes -= amount;
      return all.subarray(0, amount);
    },
    async isOver(): Promise<boolean> {
      while (heldBytes === 0) if (!(await more())) return true;
      return false;
    },
  };
}
