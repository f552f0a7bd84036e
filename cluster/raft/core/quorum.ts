/** How many of `voters` are a majority; of none, nobody is. */
export function quorumSize(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/**
 * The largest value that a majority has reached; `values` is sorted in place. 0 without voters.
 * Clusters are small: an insertion sort allocates nothing and beats the built-in one.
 */
export function majorityValue(values: number[]): number {
  for (let at = 1; at < values.length; at += 1) {
    const value = values[at] ?? 0;
    let to = at;
    while (to > 0 && (values[to - 1] ?? 0) < value) {
      values[to] = values[to - 1] ?? 0;
      to -= 1;
    }
    values[to] = value;
  }
  return values[quorumSize(values.length) - 1] ?? 0;
}

/** A term or an index that this core can count with. */
export function isCountable(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
