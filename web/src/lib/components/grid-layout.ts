/** How works stand below each other, in CSS pixels. */
export interface GridLayout {
  readonly columns: number;
  readonly gap: number;
  /** Of a row with its captions and the space below. */
  readonly rowHeight: number;
}

const posterRatio = 1.5;
/** In units of the page's font size, so that a larger text makes larger posters. */
const wantedWidth = 9.5;
const captionHeight = 3.35;
const spaceBelow = 1.25;

const lineHeight = 4.5;

/** A work a line. Pure. */
export const listLayout = (rem: number): GridLayout => ({
  ...{ columns: 1, gap: 0, rowHeight: Math.round(lineHeight * rem) },
});

/** As many columns as fit, three at least: a phone shows posters too, not one. Pure. */
export function layoutOf(width: number, rem: number): GridLayout {
  const gap = Math.round(width < 30 * rem ? 0.75 * rem : 1.1 * rem);
  const fitting = Math.floor((width + gap) / (wantedWidth * rem + gap));
  const columns = Math.max(width < 22 * rem ? 2 : 3, fitting);
  const poster = Math.max(0, (width - (columns - 1) * gap) / columns);
  const rowHeight = Math.round(poster * posterRatio + (captionHeight + spaceBelow) * rem);
  return { columns, gap, rowHeight };
}
