/*
 * What DTS-HD adds to a stream of DTS, as ETSI TS 102 114 has it: ffmpeg's encoder writes only the
 * core that every player understands.
 */

const bits = (value: number, count: number): string => value.toString(2).padStart(count, '0');

/** Whole bytes of bits, and a sum over all but their first `from`. */
function summed(text: string, from = 0): string {
  const padded = text.padEnd(Math.ceil(text.length / 8) * 8, '0');
  let rest = 0xffff;
  for (const bit of padded.slice(from)) {
    const isOut = (rest >> 15) ^ Number(bit);
    rest = ((rest << 1) & 0xffff) ^ (isOut ? 0x1021 : 0);
  }
  return padded + bits(rest, 16);
}

const bytesOf = (text: string): Buffer =>
  Buffer.from(text.match(/.{8}/g)!.map((byte) => parseInt(byte, 2)));

/** 48 kHz among the rates, and 24 bits. */
const rate = bits(12, 4);
const depth = bits(23, 5);
const wide = 16;

/** Where sound comes from: by pairs, as the asset tells it, and singly, as the channels do. */
export const speakers = {
  six: { count: 6, pairs: 0x0f, single: 0x3f },
  /** Beside who listens, and behind them. */
  eight: { count: 8, pairs: 0x84b, single: 0x7a7 },
  /** The same, as some discs tell it. */
  eightBehind: { count: 8, pairs: 0x4f, single: 0x1bf },
};
type Speakers = (typeof speakers)[keyof typeof speakers];

/** The size that a head has of itself is found by writing it twice. */
function sized(head: (bytes: number) => string): string {
  return head(head(1).length / 8);
}

/** Begins what DTS:X says of its objects, of which nothing is public. */
const objects = bits(0x02000850, 32) + bits(0, 96);

interface Lossless {
  readonly places: Speakers;
  readonly hasObjects?: boolean;
}

/** 512 samples of silence without loss, in two segments. */
function losslessFrame({ places: { count, single }, hasObjects }: Lossless): Buffer {
  const same = bits(2 ** count - 1, count) + depth + depth + rate + bits(0, 4);
  const placed = `1011${bits(single, wide)}0${bits(0, count * 6)}`;
  const channels = sized((size) => summed(bits(size - 1, 10) + bits(count - 1, 4) + same + placed));
  // All channels alike, and no bits for a sample.
  const segments = [`1${bits(0, 15)}`, `01${bits(0, 14)}`];
  const places = summed(segments.map((text) => bits(text.length / 8 - 1, wide)).join(''));
  const body = channels + places + segments.join('');
  const frame = (size: number) =>
    sized((own) => {
      const sizes = bits(own - 1, 8) + bits(wide - 1, 5) + bits(size - 1, wide);
      const rest = bits(0, 4) + bits(1, 4) + bits(8, 4) + bits(wide - 1, 5) + bits(0, 3);
      return summed(bits(0x41a29547, 32) + bits(0, 4) + sizes + rest + bits(wide - 1, 5), 32);
    });
  const size = Math.ceil((frame(1).length + body.length) / 32) * 4;
  const added = hasObjects === true ? objects : '';
  return bytesOf((frame(size + added.length / 8) + body).padEnd(size * 8, '0') + added);
}

/** The extension substream with one asset: a frame without loss. */
function extension(lossless: Lossless): Buffer {
  const { places } = lossless;
  const frame = losslessFrame(lossless);
  const asset = sized((size) => {
    const what = `000${depth}${rate}${bits(places.count - 1, 8)}10`;
    const where = `${places.count > 6 ? '0' : ''}111${bits(places.pairs, wide)}000`;
    const coded = bits(0, 2) + bits(0x200, 12) + bits(frame.length - 1, wide);
    const synced = `1${bits(0, 4 + 5 + 1 + wide)}${bits(0, 3)}`;
    const text = `${bits(size - 1, 9)}000${what}${where}00${coded}${synced}`;
    return text.padEnd(Math.ceil(text.length / 8) * 8, '0');
  });
  const head = (own: number) => {
    const about = `1${bits(0, 5)}0${bits(0, 6)}1${bits(1, 8)}0`;
    const sizes = bits(own - 1, 8) + bits(own + frame.length - 1, wide);
    const text = bits(0x64582025, 32) + bits(0, 8) + bits(0, 3) + sizes + about;
    const whole = `${text + bits(frame.length - 1, wide) + asset}1${bits(0, 5)}`;
    // Each substream begins at a multiple of four.
    return summed(whole.padEnd(Math.ceil((whole.length + 16) / 32) * 32 - 16, '0'), 40);
  };
  return Buffer.concat([bytesOf(sized(head)), frame]);
}

/** DTS as ffmpeg writes it, of which each frame is followed by one without loss. */
export function withLossless(stream: Buffer, lossless: Lossless): Buffer {
  const added = extension(lossless);
  const parts: Buffer[] = [];
  for (let at = 0; at < stream.length;) {
    const size = ((stream.readUInt32BE(at + 4) >> 4) & 0x3fff) + 1;
    parts.push(stream.subarray(at, at + size), Buffer.alloc(-size & 3), added);
    at += size;
  }
  return Buffer.concat(parts);
}
