import { createWriter, decode, fits } from './wire.ts';

/** What a node says of itself every few seconds. */
export interface Presence {
  readonly nodeId: string;
  /** Raised at each of its starts. */
  readonly bootEpoch: number;
  /** Random per start. */
  readonly session: string;
  /** Counts what it has said in this session: the larger is the later. */
  readonly beat: number;
  /** Milliseconds since 1970, by its own clock. */
  readonly at: number;
  /** How busy it is, in thousandths: 1000 means all cores are. */
  readonly load: number;
  /** Streams it serves. */
  readonly streams: number;
  /** The last index of the clock that it has applied. */
  readonly index: number;
  /** It is about to stop: send it nothing new. */
  readonly isLeaving: boolean;
}

const VERSION = 1;
const MAX_ID_BYTES = 128;
const MAX_LOAD = 1_000_000;
const MAX_STREAMS = 100_000;

/** @throws RangeError for what no reader would take. */
export function encodePresence(presence: Presence): Uint8Array {
  const { nodeId, session, bootEpoch, beat, at, load, streams, index, isLeaving } = presence;
  for (const text of [nodeId, session]) {
    if (!fits(text, MAX_ID_BYTES)) throw new RangeError(`'${text}' cannot be told`);
  }
  for (const number of [bootEpoch, beat, at, load, streams, index]) {
    if (!Number.isSafeInteger(number) || number < 0) throw new RangeError(`${number} is no count`);
  }
  return createWriter()
    .number(VERSION)
    .text(nodeId)
    .text(session)
    .number(bootEpoch)
    .number(beat)
    .number(at)
    .number(Math.min(load, MAX_LOAD))
    .number(Math.min(streams, MAX_STREAMS))
    .number(index)
    .number(isLeaving ? 1 : 0)
    .bytes();
}

/** Undefined for garbage. */
export function decodePresence(bytes: Uint8Array): Presence | undefined {
  return decode(bytes, VERSION, (reader) => ({
    nodeId: reader.text(MAX_ID_BYTES),
    session: reader.text(MAX_ID_BYTES),
    bootEpoch: reader.number(),
    beat: reader.number(),
    at: reader.number(),
    load: reader.number(MAX_LOAD),
    streams: reader.number(MAX_STREAMS),
    index: reader.number(),
    isLeaving: reader.number(1) === 1,
  }));
}

/** Whether `next` was said after `last`: what is older, or came twice, is not. */
export function isLater(next: Presence, last: Presence | undefined): boolean {
  if (!last || next.bootEpoch > last.bootEpoch) return true;
  if (next.bootEpoch < last.bootEpoch) return false;
  // Two processes with one epoch: a copied data folder. Which is right is not for a hint to say.
  return next.session !== last.session || next.beat > last.beat;
}
