import type * as z from 'zod';

/** An answer in the form asked for, and where it had another. */
export interface Lenient<Value> {
  readonly value: Value;
  /** Places that were left out, without the numbers of lists: `credits.cast[].order`. */
  readonly drift: readonly string[];
}

type Path = readonly PropertyKey[];

const roundsMax = 12;

/**
 * Reads an answer by a schema: what it does not know is dropped, what does not fit is left out and
 * named, and with it whatever cannot be without it. Undefined when nothing is left that fits. Pure.
 */
export function readLeniently<Value>(
  schema: z.ZodType<Value>,
  json: unknown,
): Lenient<Value> | undefined {
  let left = json;
  const drift = new Set<string>();
  for (let round = 0; round < roundsMax; round++) {
    const parsed = schema.safeParse(left);
    if (parsed.success) return { value: parsed.data, drift: [...drift].sort() };
    if (round === 0) left = structuredClone(left);
    const paths = distinct(parsed.error.issues.map(({ path }) => whereToCut(left, path)));
    for (const path of paths) {
      if (path.length === 0) return undefined;
      drift.add(nameOf(path));
    }
    for (const path of paths) cut(left, path);
  }
  return undefined;
}

/** The value that does not fit, or, where one is missing, what cannot be without it. */
function whereToCut(json: unknown, path: Path): Path {
  for (let length = path.length; length > 0; length--) {
    const here = path.slice(0, length);
    const value = valueAt(json, here);
    if (value !== undefined) return here;
  }
  return [];
}

const valueAt = (json: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null
        ? (value as Record<PropertyKey, unknown>)[key]
        : undefined,
    json,
  );

/** Later elements of a list before earlier ones, so that no cut moves the place of another. */
function distinct(paths: readonly Path[]): Path[] {
  const byName = new Map(paths.map((path) => [JSON.stringify(path), path]));
  return [...byName.values()].sort((a, b) => {
    const at = a.findIndex((key, index) => key !== b[index]);
    const [one, other] = [a[at], b[at]];
    if (typeof one === 'number' && typeof other === 'number') return other - one;
    return b.length - a.length;
  });
}

function cut(json: unknown, path: Path): void {
  const key = path.at(-1);
  const parent = valueAt(json, path.slice(0, -1));
  if (key === undefined || typeof parent !== 'object' || parent === null) return;
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else Reflect.deleteProperty(parent, key);
}

const nameOf = (path: Path): string =>
  path
    .map((key, index) =>
      typeof key === 'number' ? '[]' : `${index === 0 ? '' : '.'}${String(key)}`,
    )
    .join('');
