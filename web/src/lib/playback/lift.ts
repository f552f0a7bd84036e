/** The picture of a player, in CSS pixels. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** What its controls cover, from below. */
  readonly covered: number;
}

/** As browsers set subtitles: by the shorter side of the video, and a line by its letters. */
const letterPart = 0.05;
const lineHeight = 1.2;
/** How wide a letter is of its height, as far as one may say so. */
const letterWidth = 0.52;

/**
 * The line, counted from below, in which subtitles begin that end above the controls, however many
 * lines they take; 'auto' where nothing is covered. Pure.
 */
export function lineAbove(
  text: string,
  scale: number,
  { width, height, covered }: Picture,
): number | 'auto' {
  if (covered === 0) return 'auto';
  const letter = Math.min(width, height) * letterPart;
  const linesOf = (line: string) => Math.ceil((line.length * letter * scale * letterWidth) / width);
  const lines = text
    .replaceAll(/<[^>]*>/g, '')
    .split('\n')
    .reduce((sum, line) => sum + Math.max(1, linesOf(line)), 0);
  // A smaller letter does not bring lines closer together, but counts as a smaller line.
  const needed = covered + lines * letter * Math.max(1, scale) * lineHeight;
  return -Math.ceil(needed / (letter * scale * lineHeight));
}
