import { isGenericName } from './generic.ts';
import type { NameReading } from './reading.ts';
import { titleKey } from './titles.ts';

/** A reading with where it comes from and how much it convinces (0 to 1). */
export interface ScoredReading extends NameReading {
  readonly from: 'file' | 'folder';
  readonly score: number;
}

const hasCapitals = (title: string): boolean => title !== title.toLowerCase();

/**
 * How much a reading convinces: by what it says, and by whether the other one agrees. Weights:
 * a title that says something 0.4 (else 0.1), a year 0.3, ids 0.15, agreement 0.1; a file's own
 * name 0.02; less 0.05 for a scene's short name or one in small letters.
 */
export function scoreReading(
  reading: NameReading,
  from: 'file' | 'folder',
  other: NameReading | undefined,
): ScoredReading {
  const agrees = other !== undefined && titleKey(other.title) === titleKey(reading.title);
  // Both say the same: then the one that a person has written, not a release in small letters.
  const isFlat = agrees && !hasCapitals(reading.title) && hasCapitals(other.title);
  const isScene = /^[a-z0-9]{2,8}-[a-z0-9.-]+$/.test(reading.title.replaceAll(' ', '.'));
  const value =
    (isGenericName(reading.title) ? 0.1 : 0.4) +
    (reading.year === undefined ? 0 : 0.3) +
    (Object.keys(reading.ids).length === 0 ? 0 : 0.15) +
    (agrees ? 0.1 : 0) +
    (from === 'file' ? 0.02 : 0) -
    (isScene || isFlat ? 0.05 : 0);
  return { ...reading, from, score: Math.round(Math.max(value, 0) * 100) / 100 };
}

/** What the winner lacks and the loser has, as long as they do not contradict each other. */
export function completeReading(best: ScoredReading, other: ScoredReading): ScoredReading {
  const agrees = titleKey(best.title) === titleKey(other.title);
  const ids = { ...other.ids, ...best.ids };
  return {
    ...best,
    ids: agrees || isGenericName(other.title) || best.year === other.year ? ids : best.ids,
    year: best.year ?? (agrees ? other.year : undefined),
    edition: best.edition ?? other.edition,
    release: { ...other.release, ...best.release },
  };
}
