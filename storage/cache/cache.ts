/**
 * How one type of value is cached. Values are data (what JSON can say, and Dates); they are
 * shared among all who ask and frozen, so that nobody changes them for the others.
 */
export interface CacheDefinition<Key extends string, Value> {
  /** Names the type in keys and metrics. */
  readonly name: string;
  /** Milliseconds a value is served without asking its source. */
  readonly ttlMs: number;
  /** Milliseconds in the shared tier; absent: it is not shared. */
  readonly sharedTtlMs?: number;
  /** Milliseconds "there is none" (undefined) is remembered; absent: `ttlMs`. */
  readonly negativeTtlMs?: number;
  /** Milliseconds past its time a value is still served while it is loaded anew. */
  readonly staleMs?: number;
  /**
   * True for what other people's servers say: an invalidation makes it old (see `staleMs`), not
   * wrong. Read-your-writes does not hold for such a type.
   */
  readonly isOutside?: boolean;
  /** Asks the source; given up after 30 s. Its value is stamped with the clock before it began. */
  readonly load: (key: Key, signal: AbortSignal) => Promise<Value>;
  /** What makes the value stale, "there is none" included. */
  readonly tags: (value: Value, key: Key) => readonly string[];
}

/** Values of one type. */
export interface Cached<Key extends string, Value> {
  /**
   * The value, from the nearest tier that has a valid one. A get that begins after a write was
   * acknowledged never sees what the write replaced. Rejects as `load` does, unless a value that
   * only its age has made old is at hand.
   */
  get(key: Key): Promise<Value>;
}

/** The cache of a node. */
export interface Cache {
  define<Key extends string, Value>(definition: CacheDefinition<Key, Value>): Cached<Key, Value>;
}

/** What happened to a look-up, for metrics. */
export interface Lookup {
  readonly type: string;
  readonly tier: 'l1' | 'l2' | 'source';
  readonly outcome: 'hit' | 'miss' | 'stale';
}

/** A value with what decides whether it may be served. */
export interface Entry {
  readonly value: unknown;
  /** The clock's index from before the load began. */
  readonly stamp: number;
  readonly tags: readonly string[];
  /** Until then it is served as it is, by the clock on the wall (ms). */
  readonly freshUntil: number;
}
