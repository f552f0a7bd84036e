/** A rectangle on the screen, in CSS pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export type Direction = 'up' | 'down' | 'left' | 'right';

const middle = (a: number, b: number) => (a + b) / 2;

type Span = readonly [from: number, to: number];

/** Distance between two spans on a line; 0 where they overlap. */
const gap = (a: Span, b: Span) => Math.max(0, b[0] - a[1], a[0] - b[1]);

/** Whether one lies above the other, or upon it: their columns overlap. */
export const sharesColumn = (a: Box, b: Box): boolean => a.left < b.right && b.left < a.right;

/**
 * Which of `boxes` an arrow key goes to from `from`, as an index; undefined when there is none in
 * that direction. What lies straight ahead wins over what is near but aside.
 */
export function nextBox(
  from: Box,
  boxes: readonly Box[],
  direction: Direction,
): number | undefined {
  let best: number | undefined;
  let bestCost = Infinity;
  boxes.forEach((box, index) => {
    const cost = costOf(from, box, direction);
    if (cost < bestCost) [best, bestCost] = [index, cost];
  });
  return best;
}

const asideWeight = 3;

/** What clears a field lies within it, and is reached from it all the same. */
const isWithin = (a: Box, b: Box) =>
  a.left >= b.left && a.right <= b.right && a.top >= b.top && a.bottom <= b.bottom;

function costOf(from: Box, to: Box, direction: Direction): number {
  const isAlongX = direction === 'left' || direction === 'right';
  const sign = direction === 'left' || direction === 'up' ? -1 : 1;
  const ahead = isAlongX
    ? sign * (middle(to.left, to.right) - middle(from.left, from.right))
    : sign * (middle(to.top, to.bottom) - middle(from.top, from.bottom));
  const edge = {
    left: from.left - to.right,
    right: to.left - from.right,
    up: from.top - to.bottom,
    down: to.top - from.bottom,
  }[direction];
  // A pixel or two of overlap is a border, not a neighbour on the other side.
  const isApart = edge >= -Math.min(8, Math.abs(ahead));
  if (ahead <= 1 || !(isApart || isWithin(from, to) || isWithin(to, from))) return Infinity;
  const aside = isAlongX
    ? gap([from.top, from.bottom], [to.top, to.bottom])
    : gap([from.left, from.right], [to.left, to.right]);
  const offset = isAlongX
    ? Math.abs(middle(to.top, to.bottom) - middle(from.top, from.bottom))
    : Math.abs(middle(to.left, to.right) - middle(from.left, from.right));
  return Math.max(0, edge) + asideWeight * aside + offset / 10;
}

/** Which of `boxes` is nearest to `from`, by their middles, as an index; undefined of none. Pure. */
export function nearestBox(from: Box, boxes: readonly Box[]): number | undefined {
  const far = ({ left, right, top, bottom }: Box) =>
    Math.hypot(
      middle(left, right) - middle(from.left, from.right),
      middle(top, bottom) - middle(from.top, from.bottom),
    );
  const distances = boxes.map(far);
  const at = distances.indexOf(Math.min(...distances));
  return at === -1 ? undefined : at;
}
