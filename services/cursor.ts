import { problem } from './errors.ts';

/**
 * Makes the opaque cursor of a list out of what the next page begins after. `scope` names the list
 * and its order: a cursor of another is refused.
 */
export const encodeCursor = (scope: string, values: readonly (string | number | null)[]): string =>
  Buffer.from(JSON.stringify([scope, ...values])).toString('base64url');

/** The values of a cursor of this list; throws `invalid-cursor` for anything else. */
export function decodeCursor(scope: string, cursor: string): readonly (string | number | null)[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(parsed) && parsed[0] === scope && parsed.slice(1).every(isPlain)) {
      return parsed.slice(1) as (string | number | null)[];
    }
  } catch {
    // Not JSON: refused like every other cursor that is not ours.
  }
  throw problem('invalid-cursor', 'The cursor does not belong to this list');
}

/** No text of ours holds U+0000, which PostgreSQL refuses. */
const isPlain = (value: unknown): boolean =>
  value === null ||
  typeof value === 'number' ||
  (typeof value === 'string' && !value.includes('\0'));

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether a value is a UUID in its usual writing. */
export const isUuid = (value: unknown): value is string =>
  typeof value === 'string' && uuid.test(value);

/** Of rows read with one more than a page holds: the page, and its last row when there are more. */
export function pageOf<Row>(
  rows: readonly Row[],
  limit: number,
): { readonly page: readonly Row[]; readonly last: Row | undefined } {
  const page = rows.slice(0, limit);
  return { page, last: rows.length > limit ? page.at(-1) : undefined };
}

/** Whether this is a moment as PostgreSQL writes it, `2026-01-01 00:00:00+00`, of the years 1 on. */
export const isMoment = (value: string): boolean =>
  /^\d{4}-\d\d-\d\d \d\d:[0-5]\d:[0-5]\d(?:\.\d{1,6})?\+00$/.test(value) && isReal(value);

/** Whether this is a day, YYYY-MM-DD, of the years 1 on. */
export const isDay = (value: string): boolean => /^\d{4}-\d\d-\d\d$/.test(value) && isReal(value);

/** Date would take the 30th of February for a day in March. */
function isReal(value: string): boolean {
  const time = new Date(value.replace(' ', 'T').replace('+00', 'Z'));
  if (Number.isNaN(time.getTime()) || value.startsWith('0000')) return false;
  return time.toISOString().startsWith(value.slice(0, 10));
}
