import { boxOf, neighboursOf } from './neighbours.ts';
import { reachable } from './shown.ts';
import { nextBox, type Direction } from './spatial.ts';

/** Where a list can be opened, arrow keys need not change what is chosen in passing. */
const opensByKey = 'showPicker' in HTMLSelectElement.prototype;

const directions: Readonly<Record<string, Direction>> = {
  ArrowUp: 'up',
  ArrowDown: 'down',
  ArrowLeft: 'left',
  ArrowRight: 'right',
};
/** What needs the arrow keys for itself. */
const own = '[role=menu], [role=listbox], [role=slider], [data-arrows=own]';
/** What needs those that go along it: the others lead out of it. */
const ownAlong = '[role=tablist], input[type=range]';
/** What needs those that go across it: what lies beside it would be out of reach. */
const ownAcross = '[data-arrows=across]';

/**
 * Moves the focus by arrow keys, as a remote control does, and has its other key, Enter, open and
 * tick what else waits for a space; returns how to stop.
 */
export function useArrowKeys(): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && !event.defaultPrevented && press(event.target)) {
      event.preventDefault();
      return;
    }
    const direction = directions[event.key];
    if (!direction || event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) {
      return;
    }
    const from = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    if (from && keepsArrows(from, direction)) return;
    const target = find(from, direction);
    // Nor does one that leads nowhere choose another of a list.
    if (target || from instanceof HTMLSelectElement) event.preventDefault();
    if (!target) return;
    target.focus({ preventScroll: true });
    target.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  };
  addEventListener('keydown', onKey);
  return () => removeEventListener('keydown', onKey);
}

/** Whether Enter did something to it. */
function press(target: EventTarget | null): boolean {
  if (target instanceof HTMLSelectElement && opensByKey) {
    target.showPicker();
    return true;
  }
  if (!(target instanceof HTMLInputElement) || target.type !== 'checkbox') return false;
  target.click();
  return true;
}

function keepsArrows(element: HTMLElement, direction: Direction): boolean {
  const isAlong = direction === 'left' || direction === 'right';
  if (element.closest(own)) return true;
  if (element.closest(ownAcross)) return !isAlong;
  if (element.closest(ownAlong)) return isAlong;
  if (element instanceof HTMLTextAreaElement || element.isContentEditable) return true;
  if (element instanceof HTMLSelectElement) return !opensByKey && !isAlong;
  if (!(element instanceof HTMLInputElement)) return false;
  const { type, selectionStart, selectionEnd, value } = element;
  if (type === 'radio' || type === 'number') return true;
  if (type === 'checkbox' || selectionStart === null) return false;
  if (!isAlong) return false;
  const isAtEdge = direction === 'left' ? selectionEnd === 0 : selectionStart === value.length;
  return !isAtEdge;
}

function find(from: HTMLElement | null, direction: Direction): HTMLElement | undefined {
  const scope = from?.closest('[role=dialog], [role=alertdialog]') ?? openDialog() ?? document.body;
  const all = reachable(scope);
  // Nothing of the page has it yet, or all of it.
  if (!from || from === document.body || from.matches('main')) {
    return all.find((element) => element.closest('main')) ?? all[0];
  }
  const boxes = neighboursOf(from, all, direction);
  const at = nextBox(boxOf(from), [...boxes.values()], direction);
  return at === undefined ? undefined : [...boxes.keys()][at];
}

/** Of those over each other that is the last: each was added when it was opened. */
const openDialog = () =>
  [...document.querySelectorAll('[role=dialog][data-state=open], [role=alertdialog]')].at(-1);
