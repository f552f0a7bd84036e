/** Times in order, in few bytes. */

/**
 * The first in milliseconds, then the steps from each to the next, each in as many groups of seven
 * bits as it takes, the lowest first; a set high bit says that another follows. The first may be
 * negative, and is folded (0, −1, 1, −2 …). Pure.
 */
export function packTimes(times: readonly number[]): Uint8Array {
  const bytes: number[] = [];
  let last = 0;
  for (const [nth, time] of times.entries()) {
    const step = time - last;
    last = time;
    let left = nth === 0 ? fold(step) : step;
    for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
    bytes.push(left);
  }
  return Uint8Array.from(bytes);
}

/** The times that `packTimes` packed. Pure. */
export function unpackTimes(bytes: Uint8Array): number[] {
  const times: number[] = [];
  let [step, weight] = [0, 1];
  for (const byte of bytes) {
    step += (byte & 0x7f) * weight;
    weight *= 128;
    if (byte >= 128) continue;
    times.push(times.length === 0 ? unfold(step) : times.at(-1)! + step);
    [step, weight] = [0, 1];
  }
  return times;
}

const fold = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);
const unfold = (value: number): number => (value % 2 === 1 ? -(value + 1) / 2 : value / 2);
