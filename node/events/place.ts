/**
 * A place in the sequence of events: after the `number`-th event of the log's entry `index`, and
 * after all that came before. `number` 0: after the entry before. Events are counted from 1.
 */
export interface Place {
  /** The clock's index; see `cluster/state`. */
  readonly index: number;
  readonly number: number;
}

/** A place that no node remembers: who comes back with it begins anew. */
export const nowhere: Place = { index: 0, number: 0 };

export const afterEntry = (index: number): Place => ({ index: index + 1, number: 0 });

export const isBefore = (one: Place, other: Place): boolean =>
  one.index < other.index || (one.index === other.index && one.number < other.number);

export const later = (one: Place, other: Place): Place => (isBefore(one, other) ? other : one);

export const writePlace = ({ index, number }: Place): string => `${index}-${number}`;

/** Undefined for what is none, such as the ids of versions that had one sequence per node. */
export function readPlace(text: string): Place | undefined {
  const [, index, number] = /^(\d{1,16})-(\d{1,6})$/.exec(text) ?? [];
  if (index === undefined || number === undefined) return undefined;
  const place = { index: Number(index), number: Number(number) };
  return Number.isSafeInteger(place.index) ? place : undefined;
}
