import { z } from 'zod';
import { limits } from './limits.ts';
import type { AutopilotConfig, Command, JoinToken, Lease, Member } from './types.ts';

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

export const leaseShape: z.ZodType<Lease> = z.strictObject({
  name: id,
  holder: id,
  fence: whole,
  expiresAt: whole,
  note: text.optional(),
});

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

const durationMs = whole.positive().max(limits.leaseMs);

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
  z.strictObject({
    type: z.literal('takeLease'),
    name: id,
    holder: id,
    durationMs,
    note: text.optional(),
    at: whole,
  }),
  z.strictObject({
    type: z.literal('renewLease'),
    name: id,
    holder: id,
    fence: whole,
    durationMs,
    at: whole,
  }),
  z.strictObject({ type: z.literal('dropLease'), name: id, holder: id, fence: whole }),
  z.strictObject({ type: z.literal('raiseFeatures'), level: whole }),
  z.strictObject({ type: z.literal('setAutopilot'), config: autopilotShape }),
]);

/** What a snapshot begins with; `members` … are how many records of each follow. */
export const headShape = z.strictObject({
  clusterId: id.optional(),
  epoch: whole.max(limits.epoch),
  raftIndex: whole,
  time: whole,
  featureLevel: whole,
  autopilot: autopilotShape,
  members: whole.max(limits.members),
  retired: whole.max(limits.retired),
  tokens: whole.max(limits.tokens),
  leases: whole.max(limits.leases),
});

export const idShape = id;

/** Where and what, in one line. */
export function describe(error: z.ZodError): string {
  return error.issues
    .map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
    .join('; ');
}
