import { AsyncLocalStorage } from 'node:async_hooks';
import type { Exchange } from './exchange.ts';

/** Says of an answer that it rests on a value past its time, because its source does not answer. */
export interface Staleness {
  /** Carries out a request; what is noted meanwhile is said in its answer. */
  run<T>(exchange: Exchange, work: () => Promise<T>): Promise<T>;
  /** A cache served a value so many milliseconds past its time. */
  note(ageMs: number): void;
}

const header = 'X-Revenge-Stale';

/** Ties what the caches note to the request it happened in. */
export function createStaleness(): Staleness {
  const requests = new AsyncLocalStorage<Exchange>();
  return {
    run: (exchange, work) => requests.run(exchange, work),
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
}
