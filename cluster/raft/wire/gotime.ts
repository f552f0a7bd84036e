/** Go's time.Time as hashicorp/raft sends it in `AppendedAt`: for people only, Raft never reads it. */
import type { Raw } from './msgpack.ts';

/** Seconds from 1 January of the year 1 to 1970: Go's zero time counts from there. */
const YEAR_1 = 62_135_596_800;
const UTC = -1;

/** The form every Go version reads: version 1, seconds, nanoseconds, zone. Undefined: the zero time. */
export function encodeGoTime(ms: number | undefined): Uint8Array {
  const bytes = Buffer.alloc(15);
  bytes[0] = 1;
  bytes.writeInt16BE(UTC, 13);
  if (ms === undefined || !Number.isFinite(ms)) return bytes;
  const seconds = Math.floor(ms / 1000);
  const rest = Math.floor(ms) - seconds * 1000;
  const since = seconds + YEAR_1;
  bytes.writeInt32BE(Math.floor(since / 0x1_0000_0000) | 0, 1);
  bytes.writeUInt32BE(((since % 0x1_0000_0000) + 0x1_0000_0000) % 0x1_0000_0000, 5);
  bytes.writeInt32BE(rest * 1_000_000, 9);
  return bytes;
}

/**
 * Ms since 1970; undefined for the zero time, nil and any form unknown here, for an entry
 * must not be
 * lost over a decoration.
 */
export function decodeGoTime(bytes: Raw | undefined): number | undefined {
  if (!bytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (bytes.length) {
    case 15: // version 1
    case 16: // version 2, with the seconds of an odd zone behind it
      return fromSeconds(Number(view.getBigInt64(1)) - YEAR_1, view.getInt32(9));
    case 4:
      return view.getUint32(0) * 1000;
    case 8: {
      const both = view.getBigUint64(0);
      return fromSeconds(Number(both & 0x3_ffff_ffffn), Number(both >> 34n));
    }
    case 12:
      return fromSeconds(Number(view.getBigInt64(4)), view.getUint32(0));
    default:
      return undefined;
  }
}

function fromSeconds(seconds: number, nanoseconds: number): number | undefined {
  if (seconds === -YEAR_1 && nanoseconds === 0) return undefined;
  const ms = seconds * 1000 + Math.floor(nanoseconds / 1_000_000);
  return Number.isSafeInteger(ms) ? ms : undefined;
}
