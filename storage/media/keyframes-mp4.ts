import type { ReadPart } from './parts.ts';

/** Bytes `from` up to, and without, `to`: the content of a box. */
interface Box {
  readonly kind: string;
  readonly from: number;
  readonly to: number;
}

const boxesMax = 2_000;
/** A table of a film of ten hours takes some megabytes. */
const tableBytesMax = 8 * 1024 * 1024;

/**
 * The times, in milliseconds, of the keyframes of an MP4 or QuickTime file's only video track, by
 * its sample tables (ISO/IEC 14496-12: `stss`, `stts`, `ctts`, `elst`); undefined where it has no
 * such track or several, is in fragments, is cut together from pieces, or marks pictures otherwise.
 */
export async function keyframesInMp4(
  read: ReadPart,
  sizeBytes: number,
): Promise<number[] | undefined> {
  const top = await boxesIn(read, { kind: '', from: 0, to: sizeBytes });
  const moov = top?.find(({ kind }) => kind === 'moov');
  const inMoov = moov && (await boxesIn(read, moov));
  if (inMoov === undefined || inMoov.some(({ kind }) => kind === 'mvex')) return undefined;
  const header = inMoov.find(({ kind }) => kind === 'mvhd');
  const movieScale = header && (await timescaleOf(read, header));
  const videos: Box[] = [];
  for (const trak of inMoov.filter(({ kind }) => kind === 'trak')) {
    if (await isVideo(read, trak)) videos.push(trak);
  }
  const [video] = videos;
  if (video === undefined || videos.length > 1 || !movieScale) return undefined;
  return readTrack(read, video, movieScale);
}

async function readTrack(
  read: ReadPart,
  trak: Box,
  movieScale: number,
): Promise<number[] | undefined> {
  const header = await find(read, trak, ['mdia', 'mdhd']);
  const scale = header && (await timescaleOf(read, header));
  const tables = await find(read, trak, ['mdia', 'minf', 'stbl']);
  const boxes = tables && (await boxesIn(read, tables));
  // `stps` and groups of samples mark more pictures from which one can begin.
  if (!scale || boxes?.some(({ kind }) => kind === 'stps' || kind === 'sbgp') !== false)
    return undefined;
  const table = (kind: string, entryBytes: number) =>
    readTable(
      read,
      boxes.find((box) => box.kind === kind),
      entryBytes,
    );
  const sync = await table('stss', 4);
  const durations = await table('stts', 8);
  const hasOffsets = boxes.some(({ kind }) => kind === 'ctts');
  const offsets = hasOffsets ? await table('ctts', 8) : Buffer.alloc(0);
  const edit = await readEdit(read, trak, { scale, movieScale });
  if (!sync || !durations || !offsets || !edit) return undefined;
  const shown = shownTimes({ sync, durations, offsets });
  if (shown === undefined) return undefined;
  const { start, end, delay } = edit;
  // What is shown first may be decoded from a keyframe before the beginning, and none earlier.
  const before = shown.findLast((time) => time <= start);
  return shown
    .filter((time) => (before === undefined || time >= before) && time < end)
    .map((time) => Math.round(((time - start + delay) / scale) * 1_000))
    .sort((a, b) => a - b);
}

/** When the samples that `stss` names are shown, in the track's ticks and before its edit. Pure. */
function shownTimes(tables: {
  readonly sync: Buffer;
  readonly durations: Buffer;
  readonly offsets: Buffer;
}): number[] | undefined {
  const decoded = runsOf(tables.durations, 'sum');
  const later = runsOf(tables.offsets, 'value');
  const times: number[] = [];
  let last = 0;
  for (let at = 0; at < tables.sync.length; at += 4) {
    const sample = tables.sync.readUInt32BE(at);
    if (sample <= last) return undefined;
    last = sample;
    const [time, offset] = [decoded(sample - 1), later(sample - 1)];
    if (time === undefined) return undefined;
    times.push(time + (offset ?? 0));
  }
  return times.length === 0 ? undefined : times;
}

/**
 * Reads a table of (count, value) for samples asked for in order: the sum of all values before
 * one, or its own value; undefined for one that the table does not reach.
 */
function runsOf(table: Buffer, what: 'sum' | 'value') {
  let [at, first, sum] = [0, 0, 0];
  return (sample: number): number | undefined => {
    for (; at < table.length; at += 8) {
      const count = table.readUInt32BE(at);
      const value = what === 'sum' ? table.readUInt32BE(at + 4) : table.readInt32BE(at + 4);
      if (sample < first + count) return what === 'sum' ? sum + (sample - first) * value : value;
      first += count;
      sum += count * value;
    }
    return undefined;
  };
}

interface Edit {
  /** Of what is shown, in the track's ticks. */
  readonly start: number;
  readonly end: number;
  /** Ticks that pass before it is shown. */
  readonly delay: number;
}

const noEdit: Edit = { start: 0, end: Infinity, delay: 0 };

/** One piece, perhaps after a pause; undefined for whatever else is there. */
async function readEdit(
  read: ReadPart,
  trak: Box,
  { scale, movieScale }: { scale: number; movieScale: number },
): Promise<Edit | undefined> {
  const box = await find(read, trak, ['edts', 'elst']);
  if (box === undefined) return noEdit;
  const isLong = (await read(box.from, 1))[0] === 1;
  const list = await readTable(read, box, isLong ? 20 : 12);
  if (list === undefined || list.length > 100) return undefined;
  const entries: { duration: number; time: number; rate: number }[] = [];
  for (let at = 0; at < list.length; at += isLong ? 20 : 12) {
    const duration = isLong ? Number(list.readBigUInt64BE(at)) : list.readUInt32BE(at);
    const time = isLong ? Number(list.readBigInt64BE(at + 8)) : list.readInt32BE(at + 4);
    entries.push({ duration, time, rate: list.readInt32BE(at + (isLong ? 16 : 8)) });
  }
  if (entries.length === 0) return noEdit;
  const pause = entries.length > 1 && entries[0]!.time === -1 ? entries.shift() : undefined;
  const [piece] = entries;
  const isPlain = entries.length === 1 && piece!.time >= 0 && piece!.rate === 0x10000;
  if (!isPlain || piece!.duration === 0) return undefined;
  const inTicks = (duration: number) => (duration * scale) / movieScale;
  const end = piece!.time + inTicks(piece!.duration);
  return { start: piece!.time, end, delay: pause ? inTicks(pause.duration) : 0 };
}

async function isVideo(read: ReadPart, trak: Box): Promise<boolean> {
  const box = await find(read, trak, ['mdia', 'hdlr']);
  return box !== undefined && (await read(box.from + 8, 4)).toString('latin1') === 'vide';
}

/** Ticks of a second; `mvhd` and `mdhd` begin alike. */
async function timescaleOf(read: ReadPart, box: Box): Promise<number | undefined> {
  const bytes = await read(box.from, 24);
  return bytes.length < 24 ? undefined : bytes.readUInt32BE(bytes[0] === 1 ? 20 : 12);
}

/** The entries of a table; undefined where it is not all there, or counts more than it has. */
async function readTable(
  read: ReadPart,
  box: Box | undefined,
  entryBytes: number,
): Promise<Buffer | undefined> {
  if (box === undefined || box.to - box.from < 8) return undefined;
  const count = (await read(box.from + 4, 4)).readUInt32BE();
  const size = count * entryBytes;
  if (size > Math.min(tableBytesMax, box.to - box.from - 8)) return undefined;
  const bytes = Buffer.from(await read(box.from + 8, size));
  return bytes.length < size ? undefined : bytes;
}

async function find(read: ReadPart, box: Box, path: readonly string[]): Promise<Box | undefined> {
  let at: Box | undefined = box;
  for (const kind of path) {
    at = at && (await boxesIn(read, at))?.find((inner) => inner.kind === kind);
  }
  return at;
}

/** The boxes in one; undefined where something else is in it. */
async function boxesIn(read: ReadPart, { from, to }: Box): Promise<Box[] | undefined> {
  const boxes: Box[] = [];
  for (let at = from; at + 8 <= to;) {
    const head = await read(at, 16);
    if (head.length < 8 || boxes.length > boxesMax) return undefined;
    const kind = head.toString('latin1', 4, 8);
    const short = head.readUInt32BE(0);
    const isLong = short === 1 && head.length === 16;
    const size = isLong ? Number(head.readBigUInt64BE(8)) : short || to - at;
    if (size < (isLong ? 16 : 8) || at + size > to) return undefined;
    boxes.push({ kind, from: at + (isLong ? 16 : 8), to: at + size });
    at += size;
  }
  return boxes;
}
