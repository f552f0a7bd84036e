const slot = 'revenge.place';
/** How long the page waits for what it shows, before it stays where it is. */
const waitMs = 10_000;

/**
 * Keeps where a page is scrolled for when it is loaded anew, by whoever does so or by a phone that
 * had dropped it: what it shows comes only after the browser has scrolled. Returns how to stop.
 */
export function keepPlace(): () => void {
  const ending = new AbortController();
  const { signal } = ending;
  const keep = () =>
    sessionStorage.setItem(slot, JSON.stringify({ href: location.href, top: scrollY }));
  addEventListener('pagehide', keep, { signal });
  const top = keptTop();
  if (top > 0) returnTo(top, signal);
  return () => ending.abort();
}

function keptTop(): number {
  const [entry] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  const kept = sessionStorage.getItem(slot);
  sessionStorage.removeItem(slot);
  if (kept === null || entry?.type === 'navigate') return 0;
  const { href, top } = JSON.parse(kept) as { href: string; top: number };
  return href === location.href ? top : 0;
}

/** Scrolls as soon as the page is long enough, unless the person has begun to do something. */
function returnTo(top: number, signal: AbortSignal): void {
  const { href } = location;
  const done = new AbortController();
  const until = { signal: AbortSignal.any([signal, done.signal, AbortSignal.timeout(waitMs)]) };
  const look = () => {
    if (location.href !== href) return done.abort();
    if (document.documentElement.scrollHeight - innerHeight < top) return;
    scrollTo({ top, behavior: 'instant' });
    done.abort();
  };
  const observer = new ResizeObserver(look);
  until.signal.addEventListener('abort', () => observer.disconnect());
  for (const deed of ['wheel', 'touchstart', 'pointerdown', 'keydown']) {
    addEventListener(deed, () => done.abort(), { ...until, passive: true });
  }
  observer.observe(document.body);
}
