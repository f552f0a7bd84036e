import { judgeArr } from './arr.ts';
import type { Judge } from './case.ts';
import { judgeGuessit } from './guessit.ts';
import { judgeJellyfin } from './jellyfin.ts';
import { judgeSilo } from './silo.ts';

const judges: readonly (readonly [RegExp, Judge])[] = [
  [/^guessit/, judgeGuessit],
  [/^arr-sonarr/, judgeArr('series')],
  [/^arr-radarr/, judgeArr('movie')],
  [/^silo/, judgeSilo],
];

/** The judge of a file of cases; undefined: it holds no cases of naming. */
export const judgeFor = (file: string): Judge | undefined =>
  judges.find(([name]) => name.test(file))?.[1] ?? judgeJellyfin(file);
