import type { Scene } from './scene.ts';

/** Something that an attacker tries at one of the ports. */
export interface Attempt {
  readonly what: string;
  /** Does it; resolves to how it was answered. */
  try(scene: Scene): Promise<string>;
  /** How it must be answered. */
  readonly answer: RegExp;
  /** What the attacked node must say of it; undefined: a stranger's connection, told by none. */
  readonly logged?: RegExp;
}

export const repeated = async (times: number, work: () => Promise<string>): Promise<string> => {
  const answers = new Set<string>();
  const atOnce = 50;
  for (let done = 0; done < times; done += atOnce) {
    const some = Array.from({ length: Math.min(atOnce, times - done) }, work);
    for (const answer of await Promise.all(some)) answers.add(answer);
  }
  return [...answers].join(' | ');
};

/** Bytes that begin nothing, the same at each run. */
export const garbage = Buffer.from(
  Array.from({ length: 4096 }, (_, nth) => (nth * 167 + (nth >> 3) * 59 + 13) & 0xff),
);
