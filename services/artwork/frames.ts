import { MediaError, type ImageFacts } from '#storage/media/media.ts';
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
import type { NewImage, SourceFile } from './store.ts';

/** Parts of the running time at which frames are tried. */
const places = [0.2, 0.35, 0.5] as const;

/** Types a frame stands in for, so that a list and a page have something to show. */
const typesOfFrame: readonly ImageType[] = ['poster', 'backdrop'];

/** Adds frames of the video for the types that have no picture at all. */
export async function addFrames(
  deps: CollectDeps,
  item: ItemFiles,
  work: { collected: Collected; signal: AbortSignal },
): Promise<Collected> {
  const { collected, signal } = work;
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
  const lacking = typesOfFrame.filter((type) => !have.has(type) || isWantedAgain(type));
  const file = item.files.find((one) => one.role === 'video' && hasPicture(one));
  if (lacking.length === 0 || file === undefined || collected.postponed) return collected;
  const kept = item.known.filter(
    (image) =>
      image.source === 'frame' &&
      image.fileId === file.id &&
      canBeMadeAgain(item, image) &&
      lacking.includes(image.type),
  );
  if (kept.length === lacking.length) return { ...collected, kept: [...collected.kept, ...kept] };
  try {
    const best = await bestFrame(deps, file, signal);
    if (best === undefined) return collected;
    const { facts, atMs } = best;
    const origin = { file, source: 'frame', rank: 0, streamIndex: null, atMs } as const;
    const made = lacking.map((type): NewImage => describe(item, origin, { facts, type }));
    return { ...collected, made: [...collected.made, ...made] };
  } catch (error) {
    if (!(error instanceof MediaError) || !isPassing(error)) throw error;
    return { ...collected, postponed: error };
  }
}

const hasPicture = ({ probe }: SourceFile): boolean =>
  probe?.streams.some(({ type }) => type === 'video') ?? false;

/**
 * The frame that shows most. At one size and quality a JPEG is the larger the more there is to see,
 * so black, white and blurred frames lose.
 */
async function bestFrame(
  deps: CollectDeps,
  file: SourceFile,
  signal: AbortSignal,
): Promise<{ facts: ImageFacts; atMs: number } | undefined> {
  let best: { bytes: Uint8Array; atMs: number } | undefined;
  const durationMs = file.probe?.durationMs ?? 0;
  for (const place of durationMs > 0 ? places : [0]) {
    const atMs = Math.round(durationMs * place);
    const bytes = await frameAt(deps, file, { atMs, signal });
    if (bytes !== undefined && bytes.length > (best?.bytes.length ?? 0)) best = { bytes, atMs };
  }
  return best && { facts: await keep(deps, best.bytes, signal), atMs: best.atMs };
}

async function frameAt(
  { media, log }: CollectDeps,
  file: SourceFile,
  options: { atMs: number; signal: AbortSignal },
): Promise<Uint8Array | undefined> {
  try {
    return await media.frame(file.root, file.path, options);
  } catch (error) {
    if (!(error instanceof MediaError) || error.code === 'cancelled' || isPassing(error)) {
      throw error;
    }
    log.debug('no frame of a video', { fileId: file.id, reason: error.message });
    return undefined;
  }
}
