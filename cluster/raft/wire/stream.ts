/** Finds messages in a stream that may be cut anywhere. "Not yet" is undefined; nonsense throws. */
import {
  kindOf,
  readErrorText,
  readRequest,
  readResponse,
  type Kind,
  type WireRequest,
  type WireResponse,
} from './messages.ts';
import {
  DEFAULT_LIMITS,
  resetScan,
  scanValue,
  startScan,
  type Cursor,
  type Limits,
} from './msgpack.ts';

/**
 * Bytes that came and were not used yet. What it hands out are slices, never written over. It
 * allocates for bytes that are there, at most twice as many, never for a length that is claimed.
 */
interface Inbox {
  readonly push: (chunk: Uint8Array) => void;
  /** Undefined: none is there yet. */
  readonly byte: () => number | undefined;
  readonly value: () => Cursor | undefined;
  /** Up to `max` bytes as they came, for the stream behind a snapshot's header. */
  readonly raw: (max: number) => Uint8Array | undefined;
  readonly buffered: number;
}

const NONE = new Uint8Array(0);

function createInbox(limits: Limits): Inbox {
  const scan = startScan();
  let held: Uint8Array = NONE; // unused bytes
  let own: Uint8Array | undefined; // the buffer `held` lies in, if it is ours to append to
  let used = 0; // where in `own` the bytes end

  function push(chunk: Uint8Array): void {
    if (held.length === 0) {
      held = chunk;
      own = undefined;
      return;
    }
    const wanted = held.length + chunk.length;
    if (own && used + chunk.length <= own.length) {
      own.set(chunk, used);
      used += chunk.length;
    } else {
      own = Buffer.allocUnsafeSlow(Math.max(wanted, held.length * 2));
      own.set(held);
      own.set(chunk, held.length);
      used = wanted;
    }
    held = own.subarray(used - wanted, used);
  }

  function drop(bytes: number): void {
    held = bytes === held.length ? NONE : held.subarray(bytes);
    resetScan(scan);
  }

  return {
    push,
    byte() {
      const byte = held[0];
      if (byte !== undefined) drop(1);
      return byte;
    },
    value() {
      if (!scanValue(scan, held, limits)) return undefined;
      const buf = held.subarray(0, scan.at);
      drop(scan.at);
      return { buf, at: 0 };
    },
    raw(max) {
      if (held.length === 0 || max <= 0) return undefined;
      const bytes = held.length <= max ? held : held.subarray(0, max);
      drop(bytes.length);
      return bytes;
    },
    get buffered() {
      return held.length;
    },
  };
}

export interface RequestReader {
  readonly push: (chunk: Uint8Array) => void;
  /** @throws WireError; nothing after that is to be read from this stream. */
  readonly next: () => WireRequest | undefined;
  /** After an install request: up to `max` bytes of its stream. */
  readonly raw: (max: number) => Uint8Array | undefined;
  readonly buffered: number;
  /** Whether a request has begun and is not whole yet. */
  readonly isInside: boolean;
}

export function createRequestReader(limits: Limits = DEFAULT_LIMITS): RequestReader {
  const inbox = createInbox(limits);
  let kind: Kind | undefined;
  return {
    push: inbox.push,
    next() {
      if (kind === undefined) {
        const byte = inbox.byte();
        if (byte === undefined) return undefined;
        kind = kindOf(byte);
      }
      const value = inbox.value();
      if (!value) return undefined;
      const request = readRequest(kind, value);
      kind = undefined;
      return request;
    },
    raw: inbox.raw,
    get buffered() {
      return inbox.buffered;
    },
    get isInside() {
      return kind !== undefined;
    },
  };
}

export interface ResponseReader {
  readonly push: (chunk: Uint8Array) => void;
  /** The kind is that of the oldest request without an answer. @throws WireError */
  readonly next: (kind: Kind) => WireResponse | undefined;
  readonly buffered: number;
}

/** No answer is longer than a few hundred bytes; an error text may be. */
const RESPONSE_LIMITS: Limits = { maxFrameBytes: 64 * 1024, maxItems: 1024, maxDepth: 8 };

export function createResponseReader(limits: Limits = RESPONSE_LIMITS): ResponseReader {
  const inbox = createInbox(limits);
  let error: string | undefined;
  return {
    push: inbox.push,
    next(kind) {
      if (error === undefined) {
        const first = inbox.value();
        if (!first) return undefined;
        error = readErrorText(first);
      }
      const second = inbox.value();
      if (!second) return undefined;
      const response = readResponse(kind, error, second);
      error = undefined;
      return response;
    },
    get buffered() {
      return inbox.buffered;
    },
  };
}
