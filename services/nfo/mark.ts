/** What tells NFO files of ours from those of people and other programs. */
import { createHash } from 'node:crypto';

const declaration = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
const markOf = (digest: string): string =>
  `<!-- Revenge wrote this, and writes it anew until somebody changes it: ${digest} -->`;
const headLength = Buffer.byteLength(`${declaration}\n${markOf('0'.repeat(64))}\n`);
const start = Buffer.from(`${declaration}\n${markOf('').slice(0, -4)}`);

const digestOf = (text: string | Uint8Array): string =>
  createHash('sha256').update(text).digest('hex');

/** An NFO file with our mark over what it says. */
export const marked = (xml: string): string => `${declaration}\n${markOf(digestOf(xml))}\n${xml}`;

/** Whether an NFO file is one of ours that nobody has changed. */
export function isOurs(bytes: Uint8Array): boolean {
  if (bytes.length < headLength || !start.equals(bytes.subarray(0, start.length))) return false;
  const head = Buffer.from(bytes.subarray(0, headLength)).toString('latin1');
  return head === `${declaration}\n${markOf(digestOf(bytes.subarray(headLength)))}\n`;
}
