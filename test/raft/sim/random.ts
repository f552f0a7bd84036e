/** sfc32: fast, good enough, the same on every machine. One stream per concern. */
export interface Random {
  /** [0, 1) */
  next(): number;
  /** A whole number in [0, below). */
  below(below: number): number;
  between(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T | undefined;
}

export function createRandom(seed: number, stream: number): Random {
  let a = mix(seed, stream);
  let b = mix(a, 0x9e3779b9);
  let c = mix(b, stream ^ 0x85ebca6b);
  let counter = 1;
  function bits(): number {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  }
  for (let at = 0; at < 12; at += 1) bits();
  const next = () => bits() / 0x100000000;
  const below = (bound: number) => Math.floor(next() * bound);
  return {
    next,
    below,
    between: (low, high) => low + next() * (high - low),
    chance: (probability) => probability > 0 && next() < probability,
    pick: (from) => from[below(from.length)],
  };
}

function mix(value: number, salt: number): number {
  let bits = Math.imul(value ^ salt, 0x85ebca6b) ^ Math.imul(salt + 0x632be5ab, 0xc2b2ae35);
  bits = Math.imul(bits ^ (bits >>> 15), 0x2c1b3c6d);
  bits = Math.imul(bits ^ (bits >>> 12), 0x297a2d39);
  return (bits ^ (bits >>> 15)) | 0;
}

export interface Streams {
  readonly boot: Random;
  readonly network: Random;
  readonly disk: Random;
  readonly process: Random;
  readonly nemesis: Random;
  readonly clients: Random;
}

export function createStreams(seed: number): Streams {
  const stream = (number: number) => createRandom(seed, number);
  return {
    boot: stream(1),
    network: stream(2),
    disk: stream(3),
    process: stream(4),
    nemesis: stream(5),
    clients: stream(6),
  };
}
