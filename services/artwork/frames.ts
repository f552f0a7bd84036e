import { MediaError, type Frame, type ImageFacts } from '#storage/media/media.ts';
import {
  describe,
  isPassing,
  keep,
  type CollectDeps,
  type Collected,
  type ItemFiles,
} from './collect.ts';
import type { ImageType } from './names.ts';
import { canBeMadeAgain } from './staying.ts';
import type { Image, NewImage, SourceFile } from './store.ts';

/** Parts of the running time at which frames are tried, until one shows something. */
const places = [0.2, 0.35, 0.5] as const;
/** Of how many at one place the one that shows most is taken. */
const framesAmong = 3;

/** Types a frame stands in for, so that a list and a page have something to show. */
const typesOfFrame: readonly ImageType[] = ['poster', 'backdrop'];

/** What an item's frames are to be. */
interface Plan {
  /** Those that hold. */
  readonly kept: readonly Image[];
  /** The video to take one of for these types; undefined: nothing is to be made. */
  readonly due: { readonly file: SourceFile; readonly types: readonly ImageType[] } | undefined;
}

function planFrames(item: ItemFiles, collected: Collected): Plan {
  const others = item.known.filter(({ source }) => source === 'upload');
  const pictures = [...collected.kept, ...collected.made, ...others];
  const have = new Set(pictures.map(({ type }) => type));
  // A frame that a person chose is one of the work, and not of the file that had it first.
  const isWantedAgain = (wanted: ImageType) =>
    item.known.some(
      (image) =>
        image.type === wanted &&
        image.source === 'frame' &&
        image.isChosenByUser &&
        !canBeMadeAgain(item, image),
    );
  const types = typesOfFrame.filter((type) => !have.has(type) || isWantedAgain(type));
  const file = item.files.find((one) => one.role === 'video' && hasPicture(one));
  if (types.length === 0 || file === undefined || collected.postponed) {
    return { kept: [], due: undefined };
  }
  const kept = item.known.filter(
    (image) =>
      image.source === 'frame' &&
      image.fileId === file.id &&
      canBeMadeAgain(item, image) &&
      types.includes(image.type),
  );
  return kept.length === types.length
    ? { kept, due: undefined }
    : { kept: [], due: { file, types } };
}

/** Adds the frames that hold; those that are to be made cost too much to make them now. */
export function keepFrames(item: ItemFiles, collected: Collected): Collected {
  const { kept, due } = planFrames(item, collected);
  return {
    ...collected,
    kept: [...collected.kept, ...kept],
    isFrameDue: due !== undefined,
  };
}

/** Adds frames of the video for the types that have no picture at all. */
export async function addFrames(
  deps: CollectDeps,
  item: ItemFiles,
  work: { collected: Collected; signal: AbortSignal },
): Promise<Collected> {
  const { collected, signal } = work;
  const { kept, due } = planFrames(item, collected);
  if (due === undefined) return { ...collected, kept: [...collected.kept, ...kept] };
  const { file, types } = due;
  try {
    const best = await bestFrame(deps, file, signal);
    if (best === undefined) return collected;
    const { facts, atMs } = best;
    const origin = { file, source: 'frame', rank: 0, streamIndex: null, atMs } as const;
    const made = types.map((type): NewImage => describe(item, origin, { facts, type }));
    return { ...collected, made: [...collected.made, ...made] };
  } catch (error) {
    if (!(error instanceof MediaError) || !isPassing(error)) throw error;
    return { ...collected, postponed: error };
  }
}

const hasPicture = ({ probe }: SourceFile): boolean =>
  probe?.streams.some(({ type }) => type === 'video') ?? false;

/** The frame that shows most of the first place that has one with something to see. */
async function bestFrame(
  deps: CollectDeps,
  file: SourceFile,
  signal: AbortSignal,
): Promise<{ facts: ImageFacts; atMs: number } | undefined> {
  let best: Frame | undefined;
  const durationMs = file.probe?.durationMs ?? 0;
  for (const place of durationMs > 0 ? places : [0]) {
    const atMs = Math.round(durationMs * place);
    const frame = await frameAt(deps, file, { atMs, signal });
    if (frame !== undefined && frame.bytes.length > (best?.bytes.length ?? 0)) best = frame;
    if (best !== undefined && showsSomething(best, file)) break;
  }
  return best && { facts: await keep(deps, best.bytes, { signal }), atMs: best.atMs };
}

/** A black or blurred picture takes fewer bytes than this for each of its pixels. */
const plainBytes = 0.03;
const widthMax = 1_920;

function showsSomething({ bytes }: Frame, { probe }: SourceFile): boolean {
  const video = probe?.streams.find((stream) => stream.type === 'video');
  if (video === undefined) return true;
  const { width, height } = video;
  const shrunk = Math.min(1, widthMax / width);
  return bytes.length > width * height * shrunk * shrunk * plainBytes;
}

async function frameAt(
  { media, log }: CollectDeps,
  file: SourceFile,
  options: { atMs: number; signal: AbortSignal },
): Promise<Frame | undefined> {
  try {
    return await media.frame(file.root, file.path, { ...options, among: framesAmong });
  } catch (error) {
    if (!(error instanceof MediaError) || error.code === 'cancelled' || isPassing(error)) {
      throw error;
    }
    log.debug('no frame of a video', { fileId: file.id, reason: error.message });
    return undefined;
  }
}
