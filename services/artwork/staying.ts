/** Which pictures stay when the files they came from change: what a person chose is not let go. */
import type { Collected, ItemFiles } from './collect.ts';
import type { Image, NewImage } from './store.ts';

/** What goes when its source has it no more; an upload has none. */
const sourced: ReadonlySet<string> = new Set(['local', 'embedded', 'frame', 'provider']);

/** The pictures that neither files nor providers give any more, and no person holds. Pure. */
export function goneOf(item: ItemFiles, { kept, made }: Collected): Image[] {
  const keptIds = new Set(kept.map(({ id }) => id));
  const isAnew = ({ type, sha256 }: Image) =>
    made.some((image) => image.type === type && image.sha256 === sha256);
  return item.known.filter(
    (image) =>
      sourced.has(image.source) &&
      !keptIds.has(image.id) &&
      !isAnew(image) &&
      !(image.isChosenByUser && (image.isLost || canBeMadeAgain(item, image))),
  );
}

/** Whether the file a picture was taken from is there as it was then. Pure. */
export const canBeMadeAgain = ({ files }: Pick<ItemFiles, 'files'>, image: Image): boolean =>
  files.some(
    ({ id, mtimeMs, sizeBytes }) =>
      id === image.fileId && mtimeMs === image.sourceMtimeMs && sizeBytes === image.sourceSizeBytes,
  );

/** A picture that a person chose, and the one they mean now. */
export interface Heir {
  readonly from: Image;
  readonly to: NewImage;
}

/**
 * What a person means who chose one of these, now that its file is another or away: what that file
 * gives now; of what comes out of videos, what another video of the work gives. Pure.
 */
export function heirsOf(
  away: readonly Image[],
  { kept, made }: Pick<Collected, 'kept' | 'made'>,
): Heir[] {
  return away
    .filter(({ isChosenByUser }) => isChosenByUser)
    .flatMap((image) => {
      const like = [...made, ...kept].filter(
        ({ type, source, sha256 }) =>
          type === image.type && source === image.source && sha256 !== image.sha256,
      );
      const own = like.find(({ fileId }) => fileId === image.fileId);
      const other = ['embedded', 'frame'].includes(image.source) ? like[0] : undefined;
      const heir = own ?? other;
      return heir === undefined ? [] : [{ from: image, to: heir }];
    });
}
