import type { Tree } from './tree.ts';

/** When to kill: once there are so many of something, and a random while later. */
export interface Moment {
  readonly what: 'directories' | 'films' | 'probes' | 'pictures';
  readonly least: number;
  readonly laterMs: number;
}

/** How many files a run uses: `usual`, or what REVENGE_TEST_FILES says. */
export function videosOfRun(usual: number): number {
  const wanted = Number(process.env['REVENGE_TEST_FILES'] ?? usual);
  if (!Number.isInteger(wanted) || wanted < 100) throw new Error('REVENGE_TEST_FILES: 100 or more');
  return wanted;
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const laterMaxMs = 120;

/** Two moments in each of walk, identify, probe and artwork, in the order in which they come. */
export function killMoments(tree: Tree, seed: number): Moment[] {
  const random = seeded(seed);
  const folders = new Set(tree.films.flatMap(({ videos }) => videos.map(folderOf))).size;
  const totals = {
    directories: folders,
    films: tree.films.length,
    probes: tree.videos,
    pictures: tree.films.length,
  } as const;
  return (['directories', 'films', 'probes', 'pictures'] as const).flatMap((what) =>
    [0, 1].map((half) => ({
      what,
      least: Math.max(1, Math.floor(((half + random()) / 2) * totals[what] * 0.9)),
      laterMs: Math.floor(random() * laterMaxMs),
    })),
  );
}

const folderOf = (path: string) => path.slice(0, path.lastIndexOf('/'));
