import { MediaError, type Media } from '#storage/media/media.ts';

/** Calls on files whose absence would be taken for a fact about them. */
const guarded = [
  'read',
  'stat',
  'fingerprint',
  'probe',
  'lookMany',
  'frame',
  'attachedPicture',
] as const;

/**
 * Media of a node that may not see every root: what is not found in one of `unseen` (their paths)
 * is `unavailable`, for it may well be there. So a share that is not mounted here is tried again,
 * or elsewhere, and nothing is recorded against its files.
 */
export function mediaOfSeen<Engine extends Pick<Media, (typeof guarded)[number]>>(
  media: Engine,
  unseen: ReadonlySet<string>,
): Engine {
  const isAbsent = (root: string, error: unknown) =>
    unseen.has(root) && error instanceof MediaError && error.code === 'not-found';
  const away = (error: unknown) =>
    new MediaError('unavailable', 'its folder is not there on this node', error);
  const guards = guarded.map((name) => {
    const call = media[name] as (root: string, ...rest: readonly unknown[]) => Promise<unknown>;
    const guard: typeof call = async (root, ...rest) => {
      try {
        const result = await call(root, ...rest);
        if (!Array.isArray(result)) return result;
        return result.map((one: unknown) => (isAbsent(root, one) ? away(one) : one));
      } catch (error) {
        throw isAbsent(root, error) ? away(error) : error;
      }
    };
    return [name, guard] as const;
  });
  return { ...media, ...Object.fromEntries(guards) };
}
