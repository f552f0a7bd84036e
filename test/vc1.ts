/*
 * Pictures in VC-1 (SMPTE 421M, advanced profile), which ffmpeg reads and does not write: a gray
 * one, of whose every block nothing is told, and others that repeat it.
 */

const bits = (value: number, count: number): string => value.toString(2).padStart(count, '0');

/** Three bytes before each unit; within, a three stands before what would look like them. */
function unit(kind: number, text: string): Buffer {
  const whole = `${text}1`;
  const bytes = whole
    .padEnd(Math.ceil(whole.length / 8) * 8, '0')
    .match(/.{8}/g)!
    .map((byte) => parseInt(byte, 2));
  const safe: number[] = [];
  for (const byte of bytes) {
    const isNear = byte < 4 && safe.at(-1) === 0 && safe.at(-2) === 0;
    safe.push(...(isNear ? [3, byte] : [byte]));
  }
  return Buffer.from([0, 0, 1, kind, ...safe]);
}

const level = 3;
const width = 320;
const height = 176;

interface Vc1 {
  readonly isInterlaced?: boolean;
}

/** A second of it, 25 pictures, of 320 to 176. */
export function vc1({ isInterlaced = false }: Vc1 = {}): Buffer {
  const lines = isInterlaced ? '1' : '0';
  const size = bits(width / 2 - 1, 12) + bits(height / 2 - 1, 12);
  const shown = `1${bits(width - 1, 14)}${bits(height - 1, 14)}0`;
  // Its rate, in lack of one in the container: the second of the numbers, by a thousand.
  const rate = `10${bits(2, 8)}${bits(1, 4)}`;
  const about = `11${bits(level, 3)}01${bits(0, 3 + 5 + 1)}${size}0${lines}0010${shown}${rate}00`;
  const sequence = unit(0x0f, about);
  const entry = unit(0x0e, `01${bits(0, 4)}0${bits(0, 2)}00${bits(0, 2)}000`);
  const progressive = isInterlaced ? '0' : '';
  // Each block is as the one before.
  const block = `10${'1'.repeat(4)}${'00'.repeat(2)}`;
  const blocks = block.repeat((width / 16) * (height / 16));
  const gray = unit(
    0x0d,
    `${progressive}1100${isInterlaced ? '0' : ''}${bits(10, 5)}00000000${blocks}`,
  );
  const same = unit(0x0d, `${progressive}1111`);
  return Buffer.concat([sequence, entry, gray, ...Array.from({ length: 24 }, () => same)]);
}
