import { isUtf8 } from 'node:buffer';

/**
 * Names on disk are bytes; PostgreSQL and JSON want Unicode. A byte that is not part of valid UTF-8
 * becomes U+F700 + byte (private use); a valid character of that very range is written byte by byte
 * in the same way. So every name has exactly one string, and every such string exactly one name.
 */
const first = 0xf780;
const last = 0xf7ff;
const offset = 0xf700;
const escaped = /[\uf780-\uf7ff]/;
const escapedAll = /[\uf780-\uf7ff]/g;

/** The string for a path's bytes; reversible by `decodePath`. */
export function encodePath(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isUtf8(buffer)) {
    const text = buffer.toString('utf8');
    return escaped.test(text) ? text.replace(escapedAll, escapeCharacter) : text;
  }
  return encodeSlowly(buffer);
}

/** The bytes of an encoded path; throws RangeError for a string that `encodePath` never makes. */
export function decodePath(text: string): Buffer {
  if (!text.isWellFormed()) throw new RangeError('a path with half a surrogate pair');
  if (!escaped.test(text)) return Buffer.from(text, 'utf8');
  const parts: Buffer[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const isByte = code >= first && code <= last;
    parts.push(isByte ? Buffer.of(code - offset) : Buffer.from(character, 'utf8'));
  }
  const bytes = Buffer.concat(parts);
  if (encodePath(bytes) !== text) throw new RangeError('a path in no canonical form');
  return bytes;
}

/** A name as text: bytes that are no UTF-8 are read as Windows-1252, what old systems mostly wrote. */
export function readableName(text: string): string {
  return text.replace(escapedAll, legacyCharacter);
}

/**
 * A name for people: readable, and its control characters show as their pictures (U+2400 …), so
 * that no name breaks a line.
 */
export function displayName(text: string): string {
  return readableName(text).replace(/\p{Cc}/gu, controlPicture);
}

const windows1252 = new TextDecoder('windows-1252');

function legacyCharacter(character: string): string {
  return windows1252.decode(Uint8Array.of(character.charCodeAt(0) - offset));
}

function controlPicture(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? '\u2421' : '\ufffd';
}

function escapeBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(offset + byte)).join('');
}

function escapeCharacter(character: string): string {
  return escapeBytes(Buffer.from(character, 'utf8'));
}

function encodeSlowly(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const length = characterLength(bytes, at);
    const part = bytes.subarray(at, at + Math.max(length, 1));
    text += length === 0 ? escapeBytes(part) : encodePath(part);
    at += part.length;
  }
  return text;
}

/** Bytes of the valid UTF-8 character at `at`; 0 when there is none. */
function characterLength(bytes: Buffer, at: number): number {
  const lead = bytes[at] ?? 0;
  const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const end = at + length;
  return end <= bytes.length && isUtf8(bytes.subarray(at, end)) ? length : 0;
}
