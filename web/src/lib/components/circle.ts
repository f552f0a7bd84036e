/** Something and where it stands. */
export interface Placed<T> {
  readonly item: T;
  readonly x: number;
  readonly y: number;
}

/** Spreads things over an ellipse around a point, the first at the top, clockwise. Pure. */
export function circleOf<T>(
  items: readonly T[],
  { radius, x, y }: { readonly radius: number; readonly x: number; readonly y: number },
): readonly Placed<T>[] {
  return items.map((item, index) => {
    const angle = (2 * Math.PI * index) / items.length - Math.PI / 2;
    // Wider than high: names stand beside each other.
    return {
      item,
      x: Math.round(x + 1.25 * radius * Math.cos(angle)),
      y: Math.round(y + radius * Math.sin(angle)),
    };
  });
}
