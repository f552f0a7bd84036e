import { z } from 'zod';
import { limits } from './limits.ts';
import type { AutopilotConfig, Command, JoinToken, Member } from './types.ts';

/**
 * What may stand in the log and in a snapshot. Strict on purpose: a field that this version does
 * not know could mean something, and a node that left it out would differ from the others.
 */
const whole = z.int().nonnegative();
const id = z.string().min(1).max(limits.idLength);
const text = z.string().max(limits.textLength);
const secretHash = z.string().regex(/^[0-9a-f]{64}$/);
const addressList = z.array(z.string().min(1).max(limits.textLength)).max(limits.addresses);
const kind = z.enum(['node', 'witness']);

const announced = {
  id,
  name: text,
  kind,
  addresses: z.strictObject({
    raft: addressList,
    rpc: addressList,
    gossip: addressList,
    api: addressList,
  }),
  bootEpoch: whole,
  session: id,
  version: text,
  features: z
    .strictObject({ min: whole, max: whole })
    .refine(({ min, max }) => min <= max, 'min is above max'),
  gossipId: text.optional(),
};
const announcement = z.strictObject(announced);

export const memberShape: z.ZodType<Member> = z.strictObject({
  ...announced,
  joinedAt: whole,
  announcedAt: whole,
  isDraining: z.boolean(),
});

export const tokenShape: z.ZodType<JoinToken> = z
  .strictObject({
    id,
    secretHash,
    kind,
    createdAt: whole,
    createdBy: text,
    expiresAt: whole.optional(),
    usesLeft: whole.optional(),
  })
  // JSON leaves out what is undefined; the type has it always.
  .transform(({ expiresAt, usesLeft, ...rest }) => ({ ...rest, expiresAt, usesLeft }));

export const autopilotShape: z.ZodType<AutopilotConfig> = z
  .strictObject({
    promote: z.boolean(),
    cleanup: z.boolean(),
    lastContactMs: whole.positive(),
    maxTrailingEntries: whole,
    stabilizationMs: whole,
    deadAfterMs: whole.positive().optional(),
    maxVoters: whole.max(99).refine((count) => count % 2 === 1, 'is not odd'),
  })
  .transform(({ deadAfterMs, ...rest }) => ({ ...rest, deadAfterMs }));

const batch = z.strictObject({
  id,
  events: z.array(z.string().max(limits.eventLength)).max(limits.events),
});

export const commandShape: z.ZodType<Command> = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('found'),
    clusterId: id,
    epoch: whole.positive().max(limits.epoch),
    isRecovery: z.boolean().optional(),
    at: whole,
  }),
  z.strictObject({
    type: z.literal('invalidate'),
    tags: z.array(z.string().max(limits.tagLength)).max(limits.tags),
  }),
  z.strictObject({
    type: z.literal('events'),
    tags: z.array(z.string().max(limits.tagLength)).max(limits.tags),
    batches: z.array(batch).max(limits.events),
  }),
  z.strictObject({ type: z.literal('announce'), member: announcement, at: whole }),
  z.strictObject({
    type: z.literal('admit'),
    member: announcement,
    tokenId: id,
    secretHash,
    at: whole,
  }),
  z.strictObject({ type: z.literal('forget'), id }),
  z.strictObject({ type: z.literal('drain'), id, isDraining: z.boolean() }),
  z.strictObject({ type: z.literal('addToken'), token: tokenShape }),
  z.strictObject({ type: z.literal('revokeToken'), id }),
  z.strictObject({ type: z.literal('raiseFeatures'), level: whole }),
  z.strictObject({ type: z.literal('setAutopilot'), config: autopilotShape }),
]);

const head = {
  clusterId: id.optional(),
  epoch: whole.max(limits.epoch),
  raftIndex: whole,
  time: whole,
  featureLevel: whole,
  autopilot: autopilotShape,
  members: whole.max(limits.members),
  retired: whole.max(limits.retired),
  tokens: whole.max(limits.tokens),
};

/** What a snapshot begins with, by its form; `members` … are how many records of each follow. */
export const headShapes = {
  // Leases were never taken, and events never told, as long as this was the form.
  1: z
    .strictObject({ ...head, leases: z.literal(0) })
    .transform(({ leases, ...rest }) => ({ ...rest, told: leases })),
  2: z.strictObject({ ...head, told: whole.max(limits.told) }),
};

export const idShape = id;

/** Where and what, in one line. */
export function describe(error: z.ZodError): string {
  return error.issues
    .map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
    .join('; ');
}
