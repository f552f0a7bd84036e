/** Mulberry32: small, and the same numbers on every machine. Only timeouts come from it. */
export interface Random {
  state: number;
}

export function createRandom(seed: number): Random {
  return { state: seed >>> 0 };
}

/** The next number of the sequence, in [0, 1). */
function nextRandom(random: Random): number {
  random.state = (random.state + 0x6d2b79f5) >>> 0;
  let bits = Math.imul(random.state ^ (random.state >>> 15), random.state | 1);
  bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
  return ((bits ^ (bits >>> 14)) >>> 0) / 0x100000000;
}

/** A time in [low, high). */
export function between(random: Random, low: number, high: number): number {
  return low + nextRandom(random) * (high - low);
}
