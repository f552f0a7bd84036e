import { reachable } from './shown.ts';
import { nearestBox, type Box } from './spatial.ts';

/** Where the focus was: it may be gone by the time that this is asked for. */
interface Place {
  readonly element: Element;
  /** From the nearest. */
  readonly around: readonly Element[];
  readonly box: Box;
}

const layer = '[role=dialog], [role=alertdialog], [role=menu]';
const nearest = { block: 'nearest', inline: 'nearest' } as const;
const takesFocus = (element: Element) => element.isConnected && !element.matches(':disabled');

/**
 * Keeps the focus of who uses keys: where what had it is removed or can't be pressed any more, it
 * goes on in what is nearest to that; the page's own when a dialog took it. Returns how to stop.
 */
export function keepFocus(): () => void {
  const ending = new AbortController();
  const { signal } = ending;
  /** In what lies over the page, and in the page itself. */
  let above: Place | undefined;
  let below: Place | undefined;
  let usesKeys = false;
  let due = 0;

  const onFocus = ({ target }: FocusEvent) => {
    if (!(target instanceof Element)) return;
    const place = placeOf(target);
    if (target.closest(layer)) above = place;
    else [above, below] = [undefined, place];
    // A browser does so by itself, but of text fields forgets the bars that they may lie beneath.
    if (usesKeys && target.matches('input, textarea')) target.scrollIntoView(nearest);
  };
  const look = () => {
    due = 0;
    if (!usesKeys || document.activeElement !== document.body) return;
    // What lies over the page keeps the focus itself.
    if (above?.around.some((one) => one.isConnected && one.matches(layer))) return;
    if (below === undefined) return;
    const isLost = above !== undefined || !takesFocus(below.element);
    if (isLost) nextTo(below)?.focus({ preventScroll: true });
  };
  // In the next frame but one: what was removed in this one may be given back, or asked for.
  const soon = () => {
    if (due === 0) due = requestAnimationFrame(() => (due = requestAnimationFrame(look)));
  };

  addEventListener('focusin', onFocus, { signal });
  addEventListener('keydown', () => (usesKeys = true), { signal, capture: true });
  addEventListener('pointerdown', () => (usesKeys = false), { signal, capture: true });
  const watcher = new MutationObserver(soon);
  const what = { childList: true, subtree: true, attributeFilter: ['disabled'] };
  watcher.observe(document.body, what);
  return () => {
    ending.abort();
    watcher.disconnect();
    cancelAnimationFrame(due);
  };
}

function placeOf(element: Element): Place {
  const around: Element[] = [];
  for (let at = element.parentElement; at && at !== document.body; at = at.parentElement) {
    around.push(at);
  }
  return { element, around, box: element.getBoundingClientRect() };
}

function nextTo({ element, around, box }: Place): HTMLElement | undefined {
  if (takesFocus(element) && element instanceof HTMLElement) return element;
  for (const one of around.filter(({ isConnected }) => isConnected)) {
    if (one.matches('main')) break;
    const others = reachable(one);
    const at = nearestBox(
      box,
      others.map((other) => other.getBoundingClientRect()),
    );
    if (at !== undefined) return others[at];
  }
  return document.getElementById('content') ?? undefined;
}
