/** Why works are taken for what they are, of all kinds alike. */
import type { components } from '#api/types.ts';
import { displayName } from '#storage/media/path.ts';
import type { ScoredReading } from '../naming/score.ts';
import { optional } from './files-view.ts';

/** What a name says a work is, and how much that convinces. */
export interface Candidate {
  readonly from: 'file' | 'folder';
  readonly title: string;
  readonly year: number | null;
  readonly score: number;
}

/** Who says it where names do not decide. */
export type Told = 'nfo' | 'hint';

/** The evidence a work was recognised by, kept so that a person can see why. */
export interface Evidence extends Omit<Candidate, 'from'> {
  readonly path: string;
  readonly from: Candidate['from'] | Told;
  readonly runnerUp?: Candidate;
  /** What was wrong with its NFO files; absent: nothing. */
  readonly problems?: readonly { readonly path: string; readonly message: string }[];
}

/** What evidence keeps beside the choice, of the reading that lost and of broken NFO files. */
export const besideChoice = (
  runnerUp: ScoredReading | undefined,
  problems: NonNullable<Evidence['problems']>,
): Pick<Evidence, 'runnerUp' | 'problems'> => ({
  ...optional('runnerUp', runnerUp && candidate(runnerUp)),
  ...(problems.length === 0 ? {} : { problems }),
});

const candidate = ({ from, title, year, score }: ScoredReading): Candidate => ({
  ...{ from, title, score },
  year: year ?? null,
});

/** Evidence as the API shows it. */
export function presentMatch(
  match: Evidence | Record<never, never>,
  nfoPath: string | undefined,
): components['schemas']['MovieMatch'] {
  if (!('path' in match)) return {};
  const { from, title, year, score, path, runnerUp, problems } = match;
  return {
    chosen: { from, title, year, score },
    ...optional('runnerUp', runnerUp),
    path: displayName(path),
    ...optional('nfoPath', nfoPath && displayName(nfoPath)),
    ...optional(
      'problems',
      problems?.map((one) => ({ ...one, path: displayName(one.path) })),
    ),
  };
}
