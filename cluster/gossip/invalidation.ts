import { MAX_MESSAGE_BYTES } from './limits.ts';
import { createWriter, decode, fits, type Writer } from './wire.ts';

/** Cache tags that became stale at an index of the clock. It never carries what is true instead. */
export interface Invalidation {
  readonly index: number;
  readonly tags: readonly string[];
}

const VERSION = 1;
const MAX_TAGS = 512;
const MAX_TAG_BYTES = 256;
const MAX_MESSAGES = 16;
/** The longest tag and its length. */
const ROOM = MAX_TAG_BYTES + 2;
/** The number of tags is written in front of them, in two bytes at most. */
const MAX_BODY_BYTES = MAX_MESSAGE_BYTES - 16;

/**
 * As few messages as will hold the tags. Tags that no hint can hold, and those beyond 16 messages,
 * are left out: every node learns of them from the log anyway.
 */
export function encodeInvalidation({ index, tags }: Invalidation): Uint8Array[] {
  if (!Number.isSafeInteger(index) || index < 0) throw new RangeError(`${index} is no index`);
  const messages: Uint8Array[] = [];
  let body: Writer = createWriter();
  let count = 0;
  const flush = (): void => {
    if (count === 0) return;
    const head = createWriter().number(VERSION).number(index).number(count).bytes();
    messages.push(Buffer.concat([head, body.bytes()]));
    body = createWriter();
    count = 0;
  };
  for (const tag of new Set(tags)) {
    if (messages.length === MAX_MESSAGES) break;
    if (!fits(tag, MAX_TAG_BYTES)) continue;
    body.text(tag);
    count += 1;
    if (count === MAX_TAGS || body.size() + ROOM > MAX_BODY_BYTES) flush();
  }
  if (messages.length < MAX_MESSAGES) flush();
  return messages;
}

/** Undefined for garbage. */
export function decodeInvalidation(bytes: Uint8Array): Invalidation | undefined {
  return decode(bytes, VERSION, (reader) => {
    const index = reader.number();
    const tags = Array.from({ length: reader.number(MAX_TAGS) }, () => reader.text(MAX_TAG_BYTES));
    return { index, tags };
  });
}
