import { nextBox, type Direction } from './spatial.ts';

const directions: Readonly<Record<string, Direction>> = {
  ArrowUp: 'up',
  ArrowDown: 'down',
  ArrowLeft: 'left',
  ArrowRight: 'right',
};
const focusable =
  'a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea, ' +
  '[tabindex]:not([tabindex="-1"])';
/** What needs the arrow keys for itself. */
const own = '[role=menu], [role=listbox], [role=slider], [data-arrows=own]';

/** Moves the focus by arrow keys, as a remote control does; returns how to stop. */
export function useArrowKeys(): () => void {
  const onKey = (event: KeyboardEvent) => {
    const direction = directions[event.key];
    if (!direction || event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) {
      return;
    }
    const from = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    if (from && keepsArrows(from, direction)) return;
    const target = find(from, direction);
    if (!target) return;
    event.preventDefault();
    target.focus({ preventScroll: true });
    target.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  };
  addEventListener('keydown', onKey);
  return () => removeEventListener('keydown', onKey);
}

function keepsArrows(element: HTMLElement, direction: Direction): boolean {
  if (element.closest(own)) return true;
  if (element instanceof HTMLTextAreaElement || element.isContentEditable) return true;
  if (element instanceof HTMLSelectElement) return direction === 'up' || direction === 'down';
  if (!(element instanceof HTMLInputElement)) return false;
  const { type, selectionStart, selectionEnd, value } = element;
  if (type === 'radio' || type === 'range' || type === 'number') return true;
  if (type === 'checkbox' || selectionStart === null) return false;
  if (direction === 'up' || direction === 'down') return false;
  const isAtEdge = direction === 'left' ? selectionEnd === 0 : selectionStart === value.length;
  return !isAtEdge;
}

function find(from: HTMLElement | null, direction: Direction): HTMLElement | undefined {
  const scope = from?.closest('[role=dialog], [role=alertdialog]') ?? openDialog() ?? document.body;
  const candidates = [...scope.querySelectorAll<HTMLElement>(focusable)].filter(
    (element) => element !== from && isShown(element),
  );
  // Nothing of the page has it yet, or all of it.
  if (!from || from === document.body || from.matches('main')) {
    return candidates.find((element) => element.closest('main')) ?? candidates[0];
  }
  const at = nextBox(boxOf(from), candidates.map(boxOf), direction);
  return at === undefined ? undefined : candidates[at];
}

/** What is pressed: of a box to tick all of its line, which is where somebody looks for it. */
function boxOf(element: HTMLElement): DOMRect {
  const line = element.matches('input[type=checkbox]') ? element.closest('label') : null;
  return (line ?? element).getBoundingClientRect();
}

const openDialog = () =>
  document.querySelector<HTMLElement>('[role=dialog][data-state=open], [role=alertdialog]');

function isShown(element: HTMLElement): boolean {
  if (element.closest('[inert], [aria-hidden=true]')) return false;
  const { width, height } = element.getBoundingClientRect();
  return width > 0 && height > 0 && element.checkVisibility({ visibilityProperty: true });
}
