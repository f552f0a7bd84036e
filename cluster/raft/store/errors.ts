/** The store cannot go on. Nothing is tried again in place: the node ends and is started anew. */
export class StoreError extends Error {
  override readonly name: string = 'StoreError';
}

/**
 * What this disk promised earlier is not all there. A node that voted or answered with less than
 * it promised could undo what a quorum holds, so it takes no part until it has rejoined.
 */
export class DamagedError extends StoreError {
  override readonly name = 'DamagedError';
  /** What is wrong and where, without the advice that `message` adds. */
  readonly reason: string;

  constructor(dir: string, reason: string, cause?: unknown) {
    super(
      `the Raft data in ${dir} is damaged: ${reason}; this node must not vote with it: ` +
        'stop it, and `revenge cluster rejoin` wipes it and makes its folder a new node',
      { cause },
    );
    this.reason = reason;
  }
}

/** The messages of an error and of its causes: LevelDB's own words are in the innermost. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let at: unknown = error;
  while (at instanceof Error && parts.length < 4) {
    if (!parts.includes(at.message)) parts.push(at.message);
    at = at.cause;
  }
  return parts.join(': ') || String(error);
}

/** Whether an error, or one of its causes, has this code. */
export function hasCode(error: unknown, code: string): boolean {
  let at: unknown = error;
  for (let depth = 0; at instanceof Error && depth < 4; depth += 1) {
    if ((at as { code?: unknown }).code === code) return true;
    at = at.cause;
  }
  return false;
}
