import { AsyncLocalStorage } from 'node:async_hooks';
import type { Exchange } from './exchange.ts';

/** What caches and requests tell each other: that a value is past its time, or not wanted. */
export interface Staleness {
  /** Carries out a request; what is noted meanwhile is said in its answer. */
  run<T>(exchange: Exchange, work: () => Promise<T>): Promise<T>;
  /** A cache served a value so many milliseconds past its time. */
  note(ageMs: number): void;
  /** From here on this request is answered from the sources themselves. */
  readonly bypass: (exchange: Exchange) => void;
  /** Whether the request that this is a part of wants no cached value. */
  isBypassed(): boolean;
  /** Whether this request has written what no index covers yet. */
  readonly isUncovered: (exchange: Exchange) => boolean;
  /** For caches, and for what writes. */
  readonly hooks: {
    onStale(ageMs: number): void;
    isBypassed(): boolean;
    /** Something is written, and not announced to all nodes yet. */
    onUnannounced(): void;
  };
}

const header = 'X-Revenge-Stale';

/** Ties what the caches note to the request it happened in. */
export function createStaleness(): Staleness {
  const requests = new AsyncLocalStorage<Exchange>();
  const bypassed = new WeakSet<Exchange>();
  const uncovered = new WeakSet<Exchange>();
  const staleness: Omit<Staleness, 'hooks'> = {
    run: (exchange, work) => requests.run(exchange, work),
    isUncovered: (exchange) => uncovered.has(exchange),
    bypass: (exchange) => void bypassed.add(exchange),
    isBypassed() {
      const exchange = requests.getStore();
      return exchange !== undefined && bypassed.has(exchange);
    },
    note(ageMs) {
      const headers = requests.getStore()?.headers;
      if (headers === undefined) return;
      const at = headers.indexOf(header);
      const before = at < 0 ? 0 : Number(headers[at + 1]);
      const oldest = String(Math.max(before, Math.ceil(ageMs)));
      if (at < 0) headers.push(header, oldest);
      else headers[at + 1] = oldest;
    },
  };
  const hooks = {
    onStale: (ageMs: number) => staleness.note(ageMs),
    isBypassed: () => staleness.isBypassed(),
    onUnannounced() {
      const exchange = requests.getStore();
      if (exchange) uncovered.add(exchange);
    },
  };
  return { ...staleness, hooks };
}
