/**
 * Lets something happen at most once in `everyMs`: the first time at once, and then with how often
 * it was left out in between.
 */
export function createSeldom(
  everyMs: number,
  now: () => number = () => performance.now(),
): (happen: (omitted: number) => void) => void {
  let next = -Infinity;
  let omitted = 0;
  return (happen) => {
    if (now() < next) return void (omitted += 1);
    next = now() + everyMs;
    happen(omitted);
    omitted = 0;
  };
}
