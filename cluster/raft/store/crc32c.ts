/** CRC-32C (Castagnoli), as LevelDB has it: turned and shifted, so that it may lie in what it is of. */
const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

/** To begin with, and to go on with byte by byte. */
export const initial = -1;
export const step = (crc: number, byte: number) => (table[(crc ^ byte) & 255] ?? 0) ^ (crc >>> 8);

/** What LevelDB writes down after these steps. */
export const masked = (crc: number) => {
  const value = ~crc >>> 0;
  return (((value >>> 15) | (value << 17)) + 0xa282ead8) >>> 0;
};

/** Of the bytes of a file from one offset up to another. */
export function checksum(file: Uint8Array, from: number, to: number): number {
  let crc = initial;
  for (let at = from; at < to; at += 1) crc = step(crc, file[at] ?? 0);
  return masked(crc);
}
