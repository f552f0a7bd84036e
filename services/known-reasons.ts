/** A reason by its code, and what it is about. */
export interface Reason<Code extends string = string> {
  readonly code: Code | 'other';
  readonly values: Record<string, string | number>;
}

/**
 * Reads which of the sentences of a table one is; `other` for all else. What a sentence is about are
 * the named groups of its pattern: `count` is a number, all else is text. Pure.
 */
export const reasonReader =
  <const Table extends Readonly<Record<string, RegExp>>>(table: Table) =>
  (sentence: string): Reason<keyof Table & string> => {
    for (const [code, pattern] of Object.entries(table)) {
      const match = pattern.exec(sentence);
      if (!match) continue;
      const values = Object.entries(match.groups ?? {}).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, name === 'count' ? Number(value) : value] as const],
      );
      return { code, values: Object.fromEntries(values) };
    }
    return { code: 'other', values: {} };
  };
