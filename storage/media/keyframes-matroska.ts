import { childrenOf, elementAt, elementHeadBytes, lengthOf, unsigned } from './ebml.ts';
import type { ReadPart } from './parts.ts';

// Matroska's elements (RFC 9559).
const ids = {
  ebml: 0x1a45dfa3,
  segment: 0x18538067,
  seekHead: 0x114d9b74,
  seek: 0x4dbb,
  seekId: 0x53ab,
  seekPosition: 0x53ac,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  trackType: 0x83,
  trackTimestampScale: 0x23314f,
  cues: 0x1c53bb6b,
  cuePoint: 0xbb,
  cueTime: 0xb3,
  cueTrackPositions: 0xb7,
  cueTrack: 0xf7,
  cueClusterPosition: 0xf1,
  cluster: 0x1f43b675,
  timestamp: 0xe7,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
  referenceBlock: 0xfb,
} as const;

const videoType = 1;
const partsMax = 200;
/** What describes the tracks of a film, and the index of a long one, are far smaller. */
const headBytesMax = 4 * 1024 * 1024;
const cuesBytesMax = 4 * 1024 * 1024;
/** Two groups of pictures of a film have some hundreds. */
const elementsMax = 10_000;
const scaleDefault = 1_000_000;
const numberBytesMax = 8;

interface Index {
  /** The segment's content: places are counted from there. */
  readonly base: number;
  readonly firstCluster: number;
  /** Nanoseconds of a tick. */
  readonly scale: number;
  readonly track: number;
  /** In ticks, by time. */
  readonly cues: readonly Cue[];
}

interface Cue {
  readonly time: number;
  readonly cluster: number;
}

/**
 * The times, in milliseconds, of a Matroska file's keyframes, by its Cues; undefined where these do
 * not name them all, as far as a look at some places can tell, or there are none.
 */
export async function keyframesInMatroska(
  read: ReadPart,
  sizeBytes: number,
): Promise<number[] | undefined> {
  const index = await readIndex(read, sizeBytes);
  if (index === undefined || !(await isComplete(read, sizeBytes, index))) return undefined;
  return index.cues.map(({ time }) => Math.round((time * index.scale) / 1e6));
}

async function readIndex(read: ReadPart, sizeBytes: number): Promise<Index | undefined> {
  const ebml = await elementOf(read, 0);
  const whole = ebml?.id === ids.ebml ? await elementOf(read, ebml.to) : undefined;
  if (whole?.id !== ids.segment) return undefined;
  const base = whole.from;
  const head = await readHead(read, base, sizeBytes);
  if (head === undefined) return undefined;
  const { scale, track, cuesAt, firstCluster } = head;
  const list = await elementOf(read, base + cuesAt);
  if (list?.id !== ids.cues || list.to > sizeBytes) return undefined;
  const cues = cuesIn(await content(read, list, cuesBytesMax), track);
  return cues && { base, firstCluster, scale, track, cues };
}

/** What stands before the pictures: their track, its clock, and where the Cues are. */
async function readHead(read: ReadPart, base: number, sizeBytes: number) {
  const found = new Map<number, Buffer>();
  let [at, cuesAt] = [base, -1];
  for (let nth = 0; at < sizeBytes && nth < partsMax; nth += 1) {
    const element = await elementOf(read, at);
    if (element === undefined || element.id === ids.cluster) break;
    const { id, to } = element;
    if (id === ids.cues) cuesAt = at - base;
    const wanted = id === ids.seekHead || id === ids.info || id === ids.tracks;
    if (wanted && !found.has(id)) found.set(id, await content(read, element));
    at = to;
  }
  const bytesOf = (id: number) => found.get(id) ?? Buffer.alloc(0);
  if (cuesAt < 0) cuesAt = placeOfCues(bytesOf(ids.seekHead)) ?? -1;
  const track = videoIn(bytesOf(ids.tracks));
  if (track === undefined || cuesAt < 0 || at >= sizeBytes) return undefined;
  return { scale: scaleIn(bytesOf(ids.info)) ?? scaleDefault, track, cuesAt, firstCluster: at };
}

const elementOf = async (read: ReadPart, at: number) =>
  Number.isSafeInteger(at) ? elementAt(await read(at, elementHeadBytes), at) : undefined;

async function content(
  read: ReadPart,
  { from, to }: { from: number; to: number },
  max = headBytesMax,
): Promise<Buffer> {
  if (to - from > max) return Buffer.alloc(0);
  return Buffer.from(await read(from, to - from));
}

/** Numbers of an element's children, by id; of one that comes twice the last. */
function factsOf(bytes: Buffer): Map<number, number> {
  const facts = new Map<number, number>();
  for (const { id, from, to } of childrenOf(bytes)) {
    if (to - from <= numberBytesMax) facts.set(id, unsigned(bytes.subarray(from, to)));
  }
  return facts;
}

function* partsNamed(bytes: Buffer, name: number): Generator<Buffer> {
  for (const { id, from, to } of childrenOf(bytes)) {
    if (id === name) yield bytes.subarray(from, to);
  }
}

function placeOfCues(seekHead: Buffer): number | undefined {
  for (const entry of partsNamed(seekHead, ids.seek)) {
    const facts = factsOf(entry);
    if (facts.get(ids.seekId) === ids.cues) return facts.get(ids.seekPosition);
  }
  return undefined;
}

const scaleIn = (info: Buffer): number | undefined => factsOf(info).get(ids.timestampScale);

/** The number of the first video track; undefined too where it has a clock of its own. */
function videoIn(tracks: Buffer): number | undefined {
  for (const entry of partsNamed(tracks, ids.trackEntry)) {
    const facts = factsOf(entry);
    if (facts.get(ids.trackType) !== videoType) continue;
    return facts.has(ids.trackTimestampScale) ? undefined : facts.get(ids.trackNumber);
  }
  return undefined;
}

/** The places of one track; undefined where there are none. */
function cuesIn(list: Buffer, track: number): Cue[] | undefined {
  const cues = new Map<number, Cue>();
  for (const point of partsNamed(list, ids.cuePoint)) {
    const time = factsOf(point).get(ids.cueTime);
    for (const positions of partsNamed(point, ids.cueTrackPositions)) {
      const facts = factsOf(positions);
      const cluster = facts.get(ids.cueClusterPosition);
      if (facts.get(ids.cueTrack) !== track || time === undefined || cluster === undefined)
        continue;
      cues.set(time, { time, cluster });
    }
  }
  return cues.size === 0 ? undefined : [...cues.values()].sort((a, b) => a.time - b.time);
}

/**
 * Looks at the beginning, the middle and the end: there, the keyframes must be those of the Cues.
 * Some programs write one for every few seconds only, or none of the last pictures.
 */
async function isComplete(read: ReadPart, sizeBytes: number, index: Index): Promise<boolean> {
  const { base, cues, firstCluster } = index;
  const middle = cues.length >> 1;
  const last = cues.length - 1;
  for (const nth of new Set([0, middle, last])) {
    const cue = cues[nth]!;
    const from = nth === 0 ? firstCluster : base + cue.cluster;
    const wanted = cues.slice(nth, nth + 2).map(({ time }) => time);
    const found: number[] = [];
    const walk = keyframesFrom(read, { from, sizeBytes, track: index.track });
    for await (const time of walk) {
      if (time === 'lost') return false;
      if (nth === 0 || time >= cue.time) found.push(time);
      if (found.length > 1) break;
    }
    if (found.join() !== wanted.join()) return false;
  }
  return true;
}

/** The times of the keyframes of one track from a cluster on; `lost` where that cannot be read. */
async function* keyframesFrom(
  read: ReadPart,
  { from, sizeBytes, track }: { from: number; sizeBytes: number; track: number },
): AsyncGenerator<number | 'lost'> {
  let clock = 0;
  /** A block of a group is a keyframe when nothing in its group says that it refers to another. */
  let grouped: number | undefined;
  let at = from;
  for (let nth = 0; at < sizeBytes; nth += 1) {
    const element = await elementOf(read, at);
    const isLost = element?.id === ids.timestamp && element.to - element.from > numberBytesMax;
    if (element === undefined || isLost || nth > elementsMax) {
      yield 'lost';
      return;
    }
    const { id } = element;
    const isEntered = id === ids.cluster || id === ids.blockGroup;
    if (id === ids.referenceBlock) grouped = undefined;
    else if (isEntered || id === ids.simpleBlock) {
      if (grouped !== undefined) yield grouped;
      grouped = undefined;
    }
    if (id === ids.timestamp) clock = unsigned(await read(element.from, element.to - element.from));
    else if (id === ids.simpleBlock || id === ids.block) {
      const block = await blockAt(read, element.from);
      if (block.track === track) {
        if (id === ids.block) grouped = clock + block.time;
        else if (block.isKey) yield clock + block.time;
      }
    }
    at = isEntered ? element.from : element.to;
  }
  if (grouped !== undefined) yield grouped;
}

async function blockAt(read: ReadPart, at: number) {
  const head = await read(at, 12);
  const numberBytes = lengthOf(head, 0);
  if (head.length < numberBytes + 3 || numberBytes > numberBytesMax)
    return { track: -1, time: 0, isKey: false };
  const track = unsigned(head.subarray(0, numberBytes)) - 2 ** (7 * numberBytes);
  const time = head.readInt16BE(numberBytes);
  return { track, time, isKey: (head[numberBytes + 2]! & 0x80) !== 0 };
}
