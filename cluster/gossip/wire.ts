/**
 * How a hint lies in its bytes: a version, then numbers (unsigned LEB128) and texts (length, then
 * UTF-8). A newer program may append fields; what must not be misread gets another version.
 */

/** What was read is no hint; never leaves the decoders. */
export class GarbageError extends Error {}

export interface Writer {
  number(value: number): Writer;
  text(value: string): Writer;
  /** Bytes so far. */
  size(): number;
  bytes(): Uint8Array;
}

export interface Reader {
  /** @throws GarbageError unless it is at most `max`. */
  number(max?: number): number;
  /** @throws GarbageError unless it is UTF-8 of 1 to `maxBytes` bytes. */
  text(maxBytes: number): string;
}

const encoder = new TextEncoder();

export function createWriter(): Writer {
  const out: number[] = [];
  const writer: Writer = {
    number(value) {
      let rest = value;
      while (rest >= 0x80) {
        out.push((rest % 0x80) | 0x80);
        rest = Math.floor(rest / 0x80);
      }
      out.push(rest);
      return writer;
    },
    text(value) {
      const bytes = encoder.encode(value);
      writer.number(bytes.length);
      for (const byte of bytes) out.push(byte);
      return writer;
    },
    size: () => out.length,
    bytes: () => Uint8Array.from(out),
  };
  return writer;
}

export function createReader(bytes: Uint8Array): Reader {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let at = 0;
  function number(max = Number.MAX_SAFE_INTEGER): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = bytes[at++];
      if (byte === undefined || scale > 2 ** 49) throw new GarbageError('no number');
      value += (byte & 0x7f) * scale;
      if (value > max) throw new GarbageError(`${value} is more than ${max}`);
      if (byte < 0x80) return value;
    }
  }
  return {
    number,
    text(maxBytes) {
      const length = number(maxBytes);
      if (length === 0 || at + length > bytes.length) throw new GarbageError('no text');
      at += length;
      try {
        return decoder.decode(bytes.subarray(at - length, at));
      } catch (cause) {
        throw new GarbageError('no UTF-8', { cause });
      }
    },
  };
}

/** Whether a text is read as it was written: not empty, no half characters, not too long. */
export const fits = (value: string, maxBytes: number): boolean =>
  value !== '' && value.isWellFormed() && encoder.encode(value).length <= maxBytes;

/** Undefined for what is no hint of this version. */
export function decode<T>(bytes: Uint8Array, version: number, read: (from: Reader) => T) {
  try {
    const reader = createReader(bytes);
    return reader.number() === version ? read(reader) : undefined;
  } catch (error) {
    if (error instanceof GarbageError) return undefined;
    throw error;
  }
}
