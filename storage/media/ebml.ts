/** How Matroska's elements are written (EBML, RFC 8794); pure. */

export interface Element {
  readonly id: number;
  /** Of its content. */
  readonly from: number;
  /** Infinity where its size is left open. */
  readonly to: number;
}

/** What the head of an element takes at most. */
export const elementHeadBytes = 12;

/** The element whose head these bytes begin with, and which stands at `at`. */
export function elementAt(bytes: Buffer, at: number): Element | undefined {
  const idBytes = lengthOf(bytes, 0);
  const sizeBytes = lengthOf(bytes, idBytes);
  if (idBytes > 4 || sizeBytes > 8 || bytes.length < idBytes + sizeBytes) return undefined;
  const id = unsigned(bytes.subarray(0, idBytes));
  const coded = Buffer.from(bytes.subarray(idBytes, idBytes + sizeBytes));
  // Without the bit that says how long it is; all others set mean that it is left open.
  coded[0]! &= 0x7f >> (sizeBytes - 1);
  const size = unsigned(coded);
  const isOpen = size >= 2 ** (7 * sizeBytes) - 1;
  const from = at + idBytes + sizeBytes;
  return { id, from, to: isOpen ? Infinity : from + size };
}

/** The elements that follow each other in `bytes`, up to where there is none. */
export function* childrenOf(bytes: Buffer): Generator<Element> {
  for (let at = 0; at < bytes.length;) {
    const element = elementAt(bytes.subarray(at, at + elementHeadBytes), at);
    if (element === undefined) return;
    yield element;
    at = element.to;
  }
}

/** Of a number whose first byte says by its leading zeros how many bytes it takes. */
export const lengthOf = (bytes: Buffer, at: number): number => Math.clz32(bytes[at] ?? 0) - 23;

/** Bytes as one number. */
export const unsigned = (bytes: Buffer): number => bytes.reduce((sum, byte) => sum * 256 + byte, 0);
