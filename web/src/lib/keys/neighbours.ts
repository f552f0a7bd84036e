import { sharesColumn, type Box, type Direction } from './spatial.ts';

/** What stays at the top, or at the foot, while the page moves beneath it. */
const barOf = (element: Element) => element.closest<HTMLElement>('[data-bar]');
/** What stays beside the page while that moves. */
const sideOf = (element: Element) => element.closest<HTMLElement>('[data-beside]');

const lines = { 'input[type=checkbox]': 'label', '[data-work]': '[role=row]' };

/** What is pressed: of a box to tick, and of a work in a list, all of its line. */
export function boxOf(element: HTMLElement): DOMRect {
  const around = Object.entries(lines).find(([own]) => element.matches(own))?.[1];
  const line = around === undefined ? null : element.closest(around);
  return (line ?? element).getBoundingClientRect();
}

/**
 * Which of `all` an arrow key may go to from `from`, and where each lies as seen from there: what a
 * bar covers is nothing that it leads to, and what the page has scrolled away lies between the page
 * and the bar above it, as what is yet to come lies between the page and the bar below. A bar is
 * entered and left up and down, what stays beside the page sideways.
 */
export function neighboursOf(
  from: HTMLElement,
  all: readonly HTMLElement[],
  direction: Direction,
): Map<HTMLElement, Box> {
  const bar = barOf(from);
  const isCovered = bar ? coverOf(bar) : () => false;
  const isVertical = direction === 'up' || direction === 'down';
  const found = new Map<HTMLElement, Box>();
  for (const element of all) {
    // What is around it, as the stage of a player is, is no neighbour of it either.
    if (element.contains(from)) continue;
    const theirs = barOf(element);
    if (isVertical ? areBeside(from, element) : theirs !== bar) continue;
    const box = boxOf(element);
    if (theirs && !bar) found.set(element, lifted(box, fallOf(theirs)));
    else if (theirs || !isCovered(box)) found.set(element, box);
  }
  return found;
}

/** One stays beside the other's column of the page. */
function areBeside(one: HTMLElement, other: HTMLElement): boolean {
  const [side, otherSide] = [sideOf(one), sideOf(other)];
  if (side === otherSide) return false;
  const box = (side ?? one).getBoundingClientRect();
  return !sharesColumn(box, (otherSide ?? other).getBoundingClientRect());
}

/** What of the page lies beneath a bar, or behind it. */
function coverOf(bar: HTMLElement): (box: Box) => boolean {
  const fall = fallOf(bar);
  const { top, bottom } = bar.getBoundingClientRect();
  if (fall > 0) return (box) => box.top <= bottom - 1;
  return (box) => fall < 0 && box.bottom >= top + 1;
}

/**
 * How far a bar has come down from the top of what it is in, in CSS pixels; less than 0 where it
 * has come up from the foot of that.
 */
function fallOf(bar: HTMLElement): number {
  let around = bar.parentElement;
  // What has no box of its own says nothing of where it is.
  while (around && around.getClientRects().length === 0) around = around.parentElement;
  const edge = bar.dataset['bar'] === 'foot' ? 'bottom' : 'top';
  return bar.getBoundingClientRect()[edge] - (around?.getBoundingClientRect()[edge] ?? 0);
}

const lifted = ({ left, top, right, bottom }: Box, by: number): Box => ({
  ...{ left, right },
  top: top - by,
  bottom: bottom - by,
});
