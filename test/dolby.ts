/*
 * What no encoder at hand writes, set into what ffmpeg has made, as Dolby and ETSI publish it.
 */

/** Dolby Vision's configuration (Dolby, "Streams within the ISO base media file format", 3.2). */
export interface DolbyVision {
  readonly profile: number;
  /** dv_bl_signal_compatibility_id. */
  readonly base: number;
  readonly hasEnhancement?: boolean;
  /** The sample entry's name, where another one than ffmpeg wrote. */
  readonly entry?: string;
}

const level = 6;

/** An MP4 file whose index stands at its end, with Dolby Vision told of its first track. */
export function withDolbyVision(file: Buffer, vision: DolbyVision): Buffer {
  const { profile, base, hasEnhancement = false, entry } = vision;
  const box = Buffer.alloc(32);
  box.writeUInt32BE(box.length);
  box.write(profile > 7 ? 'dvvC' : 'dvcC', 4);
  box.writeUInt8(1, 8);
  box.writeUInt16BE((profile << 9) | (level << 3) | 4 | (hasEnhancement ? 2 : 0) | 1, 10);
  box.writeUInt8(base << 4, 12);
  const bytes = Buffer.from(file);
  let [at, end] = [0, file.length];
  for (const name of ['moov', 'trak', 'mdia', 'minf', 'stbl', 'stsd', '']) {
    while (name !== '' && file.toString('latin1', at + 4, at + 8) !== name) {
      at += file.readUInt32BE(at);
    }
    const size = file.readUInt32BE(at);
    bytes.writeUInt32BE(size + box.length, at);
    if (name === '' && entry !== undefined) bytes.write(entry, at + 4);
    end = at + size;
    at += name === 'stsd' ? 16 : 8;
  }
  return Buffer.concat([bytes.subarray(0, end), box, bytes.subarray(end)]);
}

const bits = (value: number, count: number): string => value.toString(2).padStart(count, '0');
const bitsOf = (bytes: Buffer): string => [...bytes].map((byte) => bits(byte, 8)).join('');
const bytesOf = (text: string): Buffer =>
  Buffer.from(text.match(/.{8}/g)!.map((byte) => parseInt(byte, 2)));

/** A remainder of 16 bits, the highest first. */
function remainder(bytes: Buffer, polynomial: number): number {
  let rest = 0;
  for (const byte of bytes) {
    rest ^= byte << 8;
    for (let nth = 0; nth < 8; nth += 1) {
      rest = ((rest << 1) ^ (rest & 0x8000 ? polynomial : 0)) & 0xffff;
    }
  }
  return rest;
}

const objects = 11;
const silentObjects = bits(0, 3) + bits(objects - 1, 6) + bits(0, 3) + bits(0x80, 8) + bits(0, 10);
/** Joint object coding (ETSI TS 103 420, 5): eleven objects, none of which is heard. */
const joc = (silentObjects + '0'.repeat(objects)).padEnd(48, '0');
/** The container of such (ETSI TS 102 366, H.2): one payload, of the kind 14, not protected. */
const extension = `00000${bits(14, 5)}00001${bits(joc.length / 8, 8)}0${joc}00000${bits(4, 4)}`;

/**
 * E-AC-3 as ffmpeg writes it, with objects told in each frame: in the header's additional
 * information, and by a container in what is left over at its end.
 */
export function withObjects(stream: Buffer): Buffer {
  const frames: Buffer[] = [];
  for (let at = 0; at < stream.length;) {
    const size = ((stream.readUInt16BE(at + 2) & 0x7ff) + 1) * 2;
    frames.push(frameWithObjects(bitsOf(stream.subarray(at, at + size))));
    at += size;
  }
  return Buffer.concat(frames);
}

function frameWithObjects(frame: string): Buffer {
  // Nothing optional stands in the header, so that the flags for it are these four bits.
  const flags = 50;
  if (frame.slice(flags, flags + 4) !== '0000') throw new Error('another header than was expected');
  const additional = `1${bits(1, 6)}${bits(1, 8)}${bits(16, 8)}`;
  const padded = (extension + bits(0, 8)).padEnd(Math.ceil(extension.length / 8 + 1) * 8, '0');
  const container = bits(0x5838, 16) + bits(padded.length / 8, 16) + padded;
  const body = frame.slice(0, flags + 3) + additional + frame.slice(flags + 4, -18);
  const length = Math.ceil((body.length + container.length + 18) / 16) * 16;
  const bytes = bytesOf(body.padEnd(length - container.length - 18, '0') + container + bits(0, 18));
  bytes.writeUInt16BE((bytes.readUInt16BE(2) & 0xf800) | (bytes.length / 2 - 1), 2);
  bytes.writeUInt16BE(remainder(bytes.subarray(2, -2), 0x8005), bytes.length - 2);
  return bytes;
}
