import { problem } from '#services/errors.ts';
import type { Exchange } from './exchange.ts';
import type { Timers } from './timers.ts';

/** The requests being carried out right now. */
export interface InFlight {
  add(exchange: Exchange, fail: (error: unknown) => void): void;
  remove(exchange: Exchange): void;
  count(): number;
  /** Whether any of them has no answer yet. */
  readonly isAwaited: () => boolean;
  /** Ends the long ones (streams, events) and resolves when none is left or the time is over. */
  drain(budgetMs: number): Promise<void>;
  close(): void;
}

const sweepMs = 1_000;
const farewellMs = 200;

const isArriving = ({ req, route, isWaiting }: Exchange): boolean =>
  isWaiting || (!req.complete && route !== undefined && route.body !== 'none');

/**
 * Keeps an eye on all requests with one timer instead of one each: a handler that has not begun
 * its answer in time is aborted and its client told so. The time a body takes to arrive is the
 * listener's to limit.
 */
export function createInFlight(options: {
  now: () => number;
  timers: Timers;
  timeoutMs: number;
}): InFlight {
  const { now, timers, timeoutMs } = options;
  const open = new Map<Exchange, (error: unknown) => void>();
  const arrivedAt = new WeakMap<Exchange, number>();
  let emptied: (() => void) | undefined;
  let draining = false;

  const sweep = () => {
    const at = now();
    for (const [exchange, fail] of open) {
      if (isArriving(exchange)) arrivedAt.set(exchange, at);
      const since = arrivedAt.get(exchange) ?? exchange.startedAt;
      if (since > at - timeoutMs || exchange.res.headersSent) continue;
      const error = problem('timeout', `No answer within ${timeoutMs} ms`);
      exchange.abort(error);
      fail(error);
    }
  };
  const stop = timers.every(sweepMs, sweep);

  const endStreams = () => {
    const streams = [...open.keys()].filter(({ route, res }) => route?.stream && res.headersSent);
    for (const exchange of streams) exchange.abort(new Error('the node is shutting down'));
    // An event stream says goodbye by itself; bytes for a player are cut, and asked for elsewhere.
    timers.after(farewellMs, () => {
      for (const { res } of streams) if (!res.writableEnded) res.destroy();
    });
  };

  return {
    add(exchange, fail) {
      open.set(exchange, fail);
      if (draining) exchange.res.shouldKeepAlive = false;
    },
    remove(exchange) {
      open.delete(exchange);
      if (open.size === 0) emptied?.();
    },
    count: () => open.size,
    isAwaited: () => [...open.keys()].some(({ res }) => !res.headersSent),
    async drain(budgetMs) {
      draining = true;
      for (const { res } of open.keys()) res.shouldKeepAlive = false;
      endStreams();
      if (open.size === 0) return;
      await new Promise<void>((resolve) => {
        const cancel = timers.after(budgetMs, resolve);
        emptied = () => {
          cancel();
          resolve();
        };
      });
      const error = new Error('the node is shutting down');
      for (const exchange of open.keys()) exchange.abort(error);
    },
    close: stop,
  };
}
