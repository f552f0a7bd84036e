import { z } from 'zod';
import { limits } from '#cluster/state/limits.ts';
import type { EventName, Happening } from '#services/events.ts';

/**
 * What is told as it stands in the log: JSON. A newer node may tell what this one does not know the
 * name of, and clients get it; of an audience that it does not know nobody is told.
 */
const audienceShape = z.union([
  z.literal('all'),
  z.strictObject({ userId: z.string() }),
  z.strictObject({ permission: z.templateLiteral([z.string(), ':', z.string()]) }),
]);
const shape = z.object({
  at: z.number().min(0).max(8.64e15),
  name: z.string(),
  audience: audienceShape,
  payload: z.record(z.string(), z.unknown()),
});

/** Undefined for what is too long for the log. */
export function encodeHappening({ at, name, audience, payload }: Happening): string | undefined {
  const text = JSON.stringify({ at, name, audience, payload });
  return text.length > limits.eventLength ? undefined : text;
}

/** Undefined for what cannot be read. */
export function decodeHappening(text: string): Happening | undefined {
  try {
    const { name, payload, ...rest } = shape.parse(JSON.parse(text));
    return { ...rest, name: name as EventName, payload: payload as never };
  } catch {
    return undefined; // The caller says so, with what it knows of where it comes from.
  }
}
