import type { Tx } from '#storage/postgres/connect.ts';
import { creditsTold, namesPeople } from '../../nfo/people.ts';
import { replaceCredits } from '../../people/index.ts';
import type { SeriesRow } from './fields.ts';
import { bestPlan, type Resolution } from './resolve.ts';
import { works } from './series.ts';

/**
 * Gives series the people whom their NFO files name, and takes them from those whose NFO names
 * nobody any more. What a person has locked stays. Resolves to the series that have others now.
 */
export function saveCast(
  tx: Tx,
  resolved: readonly Resolution[],
  known: readonly SeriesRow[],
): Promise<string[]> {
  const before = new Map(known.map((row) => [row.id, row]));
  const groups = Map.groupBy(resolved, ({ seriesId }) => seriesId);
  const items = [...groups].flatMap(([itemId, found]) => {
    const { nfo } = bestPlan(found);
    const row = before.get(itemId);
    if (nfo === undefined || row?.lockedFields.includes('people')) return [];
    const isTold = namesPeople(nfo) || row?.sources['people'] === 'nfo';
    return isTold ? [{ itemId, credits: creditsTold(nfo) }] : [];
  });
  return replaceCredits(tx, works.kind, items);
}
