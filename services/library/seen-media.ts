import { MediaError, type Media } from '#storage/media/media.ts';

/** Calls on one file, whose absence would be taken for a fact about it. */
const guarded = ['read', 'stat', 'fingerprint', 'probe', 'frame', 'attachedPicture'] as const;

/**
 * Media of a node that may not see every root: what is not found in one of `unseen` (their paths)
 * is `unavailable`, for it may well be there. So a share that is not mounted here is tried again,
 * or elsewhere, and nothing is recorded against its files.
 */
export function mediaOfSeen<Engine extends Pick<Media, (typeof guarded)[number]>>(
  media: Engine,
  unseen: ReadonlySet<string>,
): Engine {
  const guards = guarded.map((name) => {
    const call = media[name] as (root: string, ...rest: readonly unknown[]) => Promise<unknown>;
    const guard: typeof call = async (root, ...rest) => {
      try {
        return await call(root, ...rest);
      } catch (error) {
        const isAbsent = error instanceof MediaError && error.code === 'not-found';
        if (!isAbsent || !unseen.has(root)) throw error;
        throw new MediaError('unavailable', 'its folder is not there on this node', error);
      }
    };
    return [name, guard] as const;
  });
  return { ...media, ...Object.fromEntries(guards) };
}
