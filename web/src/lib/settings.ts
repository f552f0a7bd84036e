/** Between what a number lies that a JSON schema allows; undefined where it has no two ends. Pure. */
export function rangeOf(schema: unknown): { min: number; max: number } | undefined {
  const { minimum: min, maximum: max } = schema as { minimum?: unknown; maximum?: unknown };
  return typeof min === 'number' && typeof max === 'number' ? { min, max } : undefined;
}
