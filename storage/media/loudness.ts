import { openFile, ownPath, type Root } from './confine.ts';
import { discard } from './ffmpeg.ts';
import { askFfprobe, refusePlaylist } from './ffprobe.ts';
import { mtimeMsOf } from './files.ts';
import { MediaError, type Loudness, type StreamLoudness } from './media.ts';
import type { Tools } from './protocol.ts';

/** Each is measured at once, from one reading of the file. */
const streamsMax = 16;
/** What ebur128 calls the loudness of what is nowhere louder than its gate. */
const floor = -70;

/**
 * Measures all audio streams of a file by ffmpeg's `ebur128` (EBU R 128, ITU-R BS.1770-4, true peak
 * by fourfold oversampling). What cannot be decoded is left out, as a player leaves it out.
 */
export async function measureLoudness(
  root: Root,
  path: string,
  { ffmpeg, ffprobe, signal }: Partial<Tools> & { readonly signal: AbortSignal },
): Promise<Loudness> {
  if (ffmpeg === undefined) throw new MediaError('tool-missing', 'ffmpeg is not installed');
  const { handle, stat } = await openFile(root, path);
  try {
    if (stat.size === 0n) throw new MediaError('unreadable', 'the file is empty');
    await refusePlaylist(handle);
    const own = ownPath(handle);
    const { streams } = await askFfprobe(own, { ffprobe, signal });
    const audio = streams.filter(({ type }) => type === 'audio').map(({ index }) => index);
    const indexes = audio.slice(0, streamsMax);
    const version = { sizeBytes: Number(stat.size), mtimeMs: mtimeMsOf(stat) };
    if (indexes.length === 0) return { ...version, streams: [] };
    const lines: string[] = [];
    const output = ['-filter_complex', graphOf(indexes), ...indexes.flatMap(mapOf)];
    const onLine = (line: string) => void (isSummary(line) && lines.push(line));
    await discard(own, { ffmpeg, signal, output, onLine });
    return { ...version, streams: readSummaries(lines, indexes) };
  } finally {
    await handle.close();
  }
}

// All filters in one graph: their numbers, by which they sign what they say, are then in order.
const graphOf = (indexes: readonly number[]): string =>
  indexes.map((index) => `[0:${index}]ebur128=peak=true:framelog=verbose[loud${index}]`).join(';');
const mapOf = (index: number): string[] => ['-map', `[loud${index}]`];

const summary = /^\[Parsed_ebur128_(\d+) @ .*Summary:/;
const fact = /^\s+(I|LRA|Peak):\s+(-?(?:[\d.]+|inf|nan)) (?:LUFS|LU|dBFS)/;

const isSummary = (line: string): boolean => summary.test(line) || fact.test(line);

/** What the filters say at the end, one after the other. Pure. */
export function readSummaries(
  lines: readonly string[],
  indexes: readonly number[],
): StreamLoudness[] {
  const found = new Map<number, Map<string, number>>();
  let current = new Map<string, number>();
  for (const line of lines) {
    const filter = summary.exec(line)?.[1];
    if (filter !== undefined) found.set(Number(filter), (current = new Map<string, number>()));
    const [, name, value] = fact.exec(line) ?? [];
    if (name !== undefined) current.set(name, Number(value));
  }
  return indexes.flatMap((index, nth) => {
    const facts = found.get(nth);
    const integrated = facts?.get('I');
    if (facts === undefined || integrated === undefined) return [];
    const isLoud = integrated > floor;
    return {
      index,
      integrated: isLoud ? integrated : undefined,
      range: isLoud ? finite(facts.get('LRA')) : undefined,
      truePeak: finite(facts.get('Peak')),
    };
  });
}

const finite = (value: number | undefined): number | undefined =>
  value !== undefined && Number.isFinite(value) ? value : undefined;
