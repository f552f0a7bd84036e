/*
 * HE-AAC out of what ffmpeg encodes, which is LC alone: each frame gets what replicates its upper
 * half (SBR), as ISO/IEC 14496-3 has it, for silence.
 */

const bits = (value: number, count: number): string => value.toString(2).padStart(count, '0');
const bitsOf = (bytes: Buffer): string => [...bytes].map((byte) => bits(byte, 8)).join('');
const bytesOf = (text: string): Buffer =>
  Buffer.from(text.match(/.{8}/g)!.map((byte) => parseInt(byte, 2)));

const addedBytes = 60;
/** Ends an element list. */
const end = '111';

/** From where to where it replicates, in a header. */
const bounds = `1${bits(0, 1)}${bits(5, 4)}${bits(9, 4)}${bits(0, 7)}`;
/** A filling element, which older players pass over; no energy, and no bits for a difference. */
const replication =
  `110${bits(15, 4)}${bits(addedBytes - 14, 8)}` + `1101${bounds}`.padEnd(addedBytes * 8, '0');

/** ADTS frames with SBR. */
export function withReplication(stream: Buffer): Buffer {
  const frames: Buffer[] = [];
  for (let at = 0; at < stream.length;) {
    const size = (stream.readUInt32BE(at + 2) >> 5) & 0x1fff;
    const body = bitsOf(stream.subarray(at + 7, at + size));
    // The list ends with ones, after which the last byte is filled.
    const list = body.slice(0, body.lastIndexOf(end)) + replication + end;
    const whole = bytesOf(list.padEnd(Math.ceil(list.length / 8) * 8, '0'));
    const head = Buffer.from(stream.subarray(at, at + 7));
    const length = (head.readUInt32BE(2) & ~(0x1fff << 5)) | ((7 + whole.length) << 5);
    head.writeUInt32BE(length >>> 0, 2);
    frames.push(head, whole);
    at += size;
  }
  return Buffer.concat(frames);
}

/** 24 kHz and twice as much, among the rates. */
const half = bits(6, 4);
const full = bits(3, 4);

/** What a decoder is told: that SBR is to be expected, upon LC, of a number of channels. */
export const replicated = (channels: number): Buffer =>
  bytesOf(`${bits(5, 5)}${half}${bits(channels, 4)}${full}${bits(2, 5)}`.padEnd(32, '0'));

/** An MP4 file of sound alone, its index at its end, that tells decoders something else. */
export function withConfig(file: Buffer, config: Buffer): Buffer {
  const bytes = Buffer.from(file);
  const path = ['moov', 'trak', 'mdia', 'minf', 'stbl', 'stsd', 'mp4a', 'esds'];
  const kinds = path.map((kind) => bytes.indexOf(kind, file.indexOf('moov'), 'latin1'));
  const sizeAt = bytes.indexOf('0580808002', kinds.at(-1), 'hex') + 4;
  const added = config.length - 2;
  for (const at of kinds) bytes.writeUInt32BE(bytes.readUInt32BE(at - 4) + added, at - 4);
  // Each descriptor's size is that of those within too.
  for (const tag of ['03808080', '04808080', '05808080']) {
    const at = bytes.indexOf(tag, kinds.at(-1), 'hex') + 4;
    bytes.writeUInt8(bytes.readUInt8(at) + added, at);
  }
  return Buffer.concat([bytes.subarray(0, sizeAt + 1), config, bytes.subarray(sizeAt + 3)]);
}
