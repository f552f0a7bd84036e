/** How large things in the state may get: every node has it in memory and in its snapshots. */
export const limits = {
  /** In one command; whoever has more sends several. */
  tags: 4096,
  tagLength: 512,
  commandBytes: 1024 * 1024,
  idLength: 128,
  textLength: 1024,
  addresses: 16,
  members: 256,
  retired: 65_536,
  tokens: 1024,
  /** Copied once per batch that changes one while somebody looks. */
  leases: 4096,
  leaseMs: 7 * 24 * 3600 * 1000,
  /** `epoch × 2³² + Raft index` must stay a safe integer, with the room of one epoch to spare. */
  epoch: 2 ** 21 - 2,
} as const;

/** An expired token is kept for so long, so that who comes with it is told why it is not let in. */
export const tokenGraceMs = 24 * 3600 * 1000;

/** Raft indices of an epoch in the clock's index. */
export const perEpoch = 2 ** 32;
