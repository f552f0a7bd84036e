export { createGossip } from './gossip.ts';
export { createHints, type Hints, type HintsOptions } from './hints.ts';
export { gossipIdOf, makeGossipIdentity, NETWORK_KEY_BYTES } from './identity.ts';
export type { Invalidation } from './invalidation.ts';
export type { Gossip, GossipMember, GossipOptions, GossipStats, Topic } from './types.ts';
