const units = [
  ['day', 24 * 3600 * 1000],
  ['hour', 3600 * 1000],
  ['minute', 60 * 1000],
  ['second', 1000],
] as const;

/** `3 days`, `1 second`, `200 ms`: the largest unit of which there is one, rounded down. */
export function duration(ms: number): string {
  for (const [unit, size] of units) if (ms >= size) return counted(Math.floor(ms / size), unit);
  return `${Math.max(0, Math.floor(ms))} ms`;
}

/** `1 node`, `2 nodes`. */
export const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** `a`, `a and b`, `a, b and c`. */
export function list(words: readonly string[]): string {
  const last = words[words.length - 1] ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} and ${last}`;
}
