/** A token bucket per key. */
export interface Buckets {
  /** Takes one; false when there is none. */
  take(key: string): boolean;
  /** Milliseconds until there is one; 0 when there is. */
  waitMs(key: string): number;
  forget(key: string): void;
}

export interface BucketOptions {
  readonly perSecond: number;
  readonly burst: number;
  /** Milliseconds; only differences matter. */
  readonly now: () => number;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** Every key begins with a full bucket; who calls keeps the keys few (`forget`). */
export function createBuckets({ perSecond, burst, now }: BucketOptions): Buckets {
  const buckets = new Map<string, Bucket>();
  const fill = (key: string): Bucket => {
    const at = now();
    const bucket = buckets.get(key);
    if (!bucket) {
      const full = { tokens: burst, at };
      buckets.set(key, full);
      return full;
    }
    // A clock that went back gives nothing, and takes nothing.
    const elapsed = Math.max(0, at - bucket.at);
    bucket.tokens = Math.min(burst, bucket.tokens + (elapsed * perSecond) / 1000);
    bucket.at = at;
    return bucket;
  };
  return {
    take(key) {
      const bucket = fill(key);
      if (bucket.tokens < 1) return false;
      bucket.tokens -= 1;
      return true;
    },
    waitMs(key) {
      const { tokens } = fill(key);
      return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) * 1000) / perSecond);
    },
    forget: (key) => void buckets.delete(key),
  };
}
