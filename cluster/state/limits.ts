/** How large things in the state may get: every node has it in memory and in its snapshots. */
export const limits = {
  /** In one command; whoever has more sends several. */
  tags: 4096,
  tagLength: 512,
  commandBytes: 512 * 1024,
  /** What is read may be larger: an earlier version may have written it. */
  readableBytes: 1024 * 1024,
  /** In one batch, and in all those of one command. */
  events: 128,
  eventLength: 2048,
  /**
   * Ids of batches that are remembered, so that one which comes again is known. It comes within
   * seconds: from a sender that got no answer, or by the next leader from the outbox.
   */
  told: 4096,
  idLength: 128,
  textLength: 1024,
  addresses: 16,
  members: 256,
  retired: 65_536,
  tokens: 1024,
  /** `epoch × 2³² + Raft index` must stay a safe integer, with the room of one epoch to spare. */
  epoch: 2 ** 21 - 2,
} as const;

/** An expired token is kept for so long, so that who comes with it is told why it is not let in. */
export const tokenGraceMs = 24 * 3600 * 1000;

/**
 * A token is taken for so much longer than it says: the clock that stamps the time of a join need
 * not be the one that counted the token's life.
 */
export const tokenSkewMs = 60_000;

/** Raft indices of an epoch in the clock's index. */
export const perEpoch = 2 ** 32;
