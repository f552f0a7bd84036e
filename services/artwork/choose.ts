import type { ImageType } from './names.ts';

export type ImageSource = 'local' | 'embedded' | 'frame' | 'provider' | 'upload';

/** What the choice looks at. */
export interface Candidate {
  readonly id: string;
  readonly type: ImageType;
  readonly source: ImageSource;
  readonly rank: number;
  readonly width: number;
  readonly isChosenByUser: boolean;
  /** The file it was taken from is missing. */
  readonly isLost: boolean;
}

const sourceOrder: Readonly<Record<ImageSource, number>> = {
  upload: 0,
  local: 1,
  provider: 2,
  embedded: 3,
  frame: 4,
};

/**
 * Which picture of each type is shown, of those whose file is there if any is: the one a person
 * chose, else by source, then by how surely its name says it, then the largest. Pure; ids out.
 */
export function chooseImages(images: readonly Candidate[]): Set<string> {
  const best = new Map<ImageType, Candidate>();
  for (const image of images) {
    const rival = best.get(image.type);
    if (rival === undefined || compare(image, rival) < 0) best.set(image.type, image);
  }
  return new Set([...best.values()].map(({ id }) => id));
}

function compare(a: Candidate, b: Candidate): number {
  return (
    Number(a.isLost) - Number(b.isLost) ||
    Number(b.isChosenByUser) - Number(a.isChosenByUser) ||
    sourceOrder[a.source] - sourceOrder[b.source] ||
    a.rank - b.rank ||
    b.width - a.width ||
    (a.id < b.id ? -1 : 1)
  );
}
