const focusable =
  'a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), ' +
  'textarea:not(:disabled), summary, [tabindex]';

/** What can have the focus within something, and is there to be seen. */
export const reachable = (scope: ParentNode): HTMLElement[] =>
  [...scope.querySelectorAll<HTMLElement>(focusable)].filter(isShown);

function isShown(element: HTMLElement): boolean {
  // Of a row of tabs that is the one that is chosen; what is for pointers alone is left out.
  if (element.tabIndex < 0) return false;
  if (element.closest('[inert], [aria-hidden=true]')) return false;
  const { width, height } = element.getBoundingClientRect();
  // Of one pixel is what is there for those who listen, until it has the focus.
  return width > 1 && height > 1 && element.checkVisibility({ visibilityProperty: true });
}
