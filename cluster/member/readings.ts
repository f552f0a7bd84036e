import { z } from 'zod';
import { complaints, leaderNotes } from '../autopilot/sayings.ts';
import type { NoticeValues } from '../notices.ts';
import type { Assessment } from './autopilot.ts';
import type { Pulse } from './pulse.ts';

const reading = z.object({
  id: z.string(),
  matchIndex: z.number(),
  lastContactMs: z.number().optional(),
  /** Milliseconds it has been well without a break; absent: it is not. */
  healthyForMs: z.number().optional(),
});
const values: z.ZodType<NoticeValues> = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.array(z.string())]),
);
/** Of a leader of a later release may come what this one knows no code for. */
const noticeOf = <Sentences extends object>(sentences: Sentences) =>
  z.object({
    code: z
      .string()
      .transform((code) => (Object.hasOwn(sentences, code) ? code : 'other'))
      .transform((code) => code as (keyof Sentences & string) | 'other'),
    values,
    text: z.string(),
  });
const shape = z.object({
  leaderId: z.string(),
  term: z.number(),
  lastIndex: z.number(),
  servers: z.array(
    z.object({ id: z.string(), suffrage: z.enum(['voter', 'nonvoter', 'staging']) }),
  ),
  peers: z.array(reading),
  health: z.array(
    z.object({
      id: z.string(),
      isHealthy: z.boolean(),
      why: z.string().optional(),
      complaint: noticeOf(complaints).optional(),
    }),
  ),
  /** What members do, and how far their clocks are ahead of the leader's, as they lately said. */
  doing: z
    .array(
      z.object({
        id: z.string(),
        jobs: z.number(),
        streams: z.number(),
        aheadMs: z.number().optional(),
      }),
    )
    .default([]),
  failureTolerance: z.number(),
  notes: z.array(z.string()),
  /** The same; absent from a leader of a release that had words alone. */
  notices: z.array(noticeOf(leaderNotes)).optional(),
});

/** What only the leader knows of the members, as it crosses to the others. */
export type Readings = z.infer<typeof shape>;

export const parseReadings = (input: unknown): Readings => shape.parse(input);

/** Undefined while this node does not lead, or has only begun to. */
export function readingsOf(
  assessment: Assessment | undefined,
  pulses: ReadonlyMap<string, Pulse>,
): Readings | undefined {
  if (!assessment) return undefined;
  const { status, peers, decision, at } = assessment;
  return {
    leaderId: status.id,
    term: status.term,
    lastIndex: status.lastIndex,
    servers: status.configuration.servers.map(({ id, suffrage }) => ({ id, suffrage })),
    peers: [...peers].map(([id, { matchIndex, lastContactMs, healthySinceMs }]) => ({
      ...{ id, matchIndex },
      ...(lastContactMs === undefined ? {} : { lastContactMs }),
      ...(healthySinceMs === undefined ? {} : { healthyForMs: at - healthySinceMs }),
    })),
    health: [...decision.health].map(([id, { isHealthy, why }]) => ({
      ...{ id, isHealthy },
      ...(why === undefined ? {} : { why: why.text, complaint: why }),
    })),
    doing: [...pulses].map(([id, { jobs, streams, skewMs }]) => ({
      ...{ id, jobs, streams },
      ...(skewMs === undefined ? {} : { aheadMs: -skewMs }),
    })),
    failureTolerance: decision.failureTolerance,
    notes: decision.notes.map(({ text }) => text),
    notices: [...decision.notes],
  };
}
