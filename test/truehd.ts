/*
 * Silence in TrueHD, as Dolby publishes the format ("TrueHD (MLP), high-level bitstream
 * description"): ffmpeg's encoder has no more than six channels, and no objects.
 */

const bits = (value: number, count: number): string => value.toString(2).padStart(count, '0');
const bytesOf = (text: string): Buffer =>
  Buffer.from(text.match(/.{8}/g)!.map((byte) => parseInt(byte, 2)));

/** What is left of bits divided by a polynomial of `count` bits. */
function remainder(text: string, count: number, polynomial: number): number {
  let rest = 0;
  for (const bit of text) {
    rest = (rest << 1) | Number(bit);
    if (rest >> count) rest = (rest ^ polynomial) & ((1 << count) - 1);
  }
  return rest;
}

const samples = 40;
const unitsPerSecond = 48_000 / samples;
/** Which pairs and single channels there are, from the front: of six, and of eight. */
const six = 0b1111;
const eight = 0b100_1111;

/** What begins each unit here: who may listen from it on, and to how many channels. */
function majorSync(substreams: number, hasObjects: boolean): Buffer {
  const format = bits(0, 12) + bits(six, 5) + bits(0, 2) + bits(eight, 13);
  const rest = bits(0xb752, 16) + bits(0, 32) + bits(0x8c7f, 16) + bits(substreams, 4) + bits(0, 4);
  const told = bits(hasObjects ? 0xfc : 0x7c, 8) + bits(0, 64);
  const text = bits(0xf8726fba, 32) + format + rest + told;
  return bytesOf(text + bits(remainder(text, 16, 0x1002d), 16));
}

/** Silence of some channels, after those that the substreams before have. */
function silence(first: number, last: number): Buffer {
  const isNewNoise = last > 5;
  const channels = bits(first, 4) + bits(last, 4) + bits(last, 4);
  const order = Array.from({ length: last + 1 }, (_, nth) => bits(nth, 6)).join('');
  const sync = bits(0x31ea >> 1, 13) + (isNewNoise ? '1' : '0');
  const restart = sync + bits(0, 16) + channels + bits(0, 4 + 23 + 19 + 1 + 8 + 16) + order;
  // No filters and no bits for a sample.
  const each = `1000${bits(0, 7)}`.repeat(last - first + 1);
  const params = `01${bits(samples, 9)}000${each}`;
  const text = `11${restart}${bits(remainder(restart, 8, 0x11d), 8)}${params}1`;
  return bytesOf(text.padEnd(Math.ceil(text.length / 16) * 16, '0'));
}

const parityOf = (bytes: Buffer): number =>
  bytes.reduce((all, byte) => all ^ (byte >> 4) ^ (byte & 15), 0);

/** A second of silence of eight channels; with objects, a fourth substream is theirs. */
export function trueHd({ hasObjects }: { hasObjects: boolean }): Buffer {
  const parts = [silence(0, 1), silence(2, 5), silence(6, 7)];
  if (hasObjects) parts.push(Buffer.alloc(32));
  const sync = majorSync(parts.length, hasObjects);
  let end = 0;
  const directory = bytesOf(parts.map((part) => bits((end += part.length / 2), 16)).join(''));
  const head = Buffer.alloc(4);
  head.writeUInt16BE((head.length + sync.length + directory.length + end * 2) / 2);
  const units = Array.from({ length: unitsPerSecond }, (_, nth) => {
    const timed = Buffer.from(head);
    timed.writeUInt16BE((nth * samples) & 0xffff, 2);
    const parity = parityOf(timed) ^ parityOf(directory) ^ 15;
    timed.writeUInt8(timed.readUInt8(0) | (parity << 4), 0);
    return Buffer.concat([timed, sync, directory, ...parts]);
  });
  return Buffer.concat(units);
}
