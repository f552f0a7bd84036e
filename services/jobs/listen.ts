import type { Sql } from '#storage/postgres/connect.ts';
import type { Log } from '../log.ts';
import { safeMessage } from './failure.ts';

/** Hears PostgreSQL's notifications on one channel. They are hints: polling finds all anyway. */
export interface Listener {
  start(): Promise<void>;
  /**
   * Listens anew. postgres.js re-subscribes when its connection drops but gives up if that one
   * attempt fails, so this is called when PostgreSQL is back after an outage.
   */
  restart(): void;
  stop(): Promise<void>;
}

interface ListenerDeps {
  readonly sql: Sql;
  readonly log: Log;
  readonly channel: string;
  readonly onMessage: (message: string) => void;
  /** Called after each (re)subscription: what was said in between is lost. */
  readonly onListening: () => void;
}

/** Makes a listener; failing to listen costs speed only and is logged. */
export function createListener(deps: ListenerDeps): Listener {
  const { sql, log } = deps;
  let unlisten: (() => Promise<unknown>) | undefined;
  let stopped = false;
  let turn = Promise.resolve();

  const subscribe = async () => {
    if (stopped) return;
    const { channel, onMessage, onListening } = deps;
    const listening = await sql.listen(channel, onMessage, onListening);
    unlisten = () => listening.unlisten();
  };
  const unsubscribe = async () => {
    const end = unlisten;
    unlisten = undefined;
    await end?.();
  };
  const then = (...steps: (() => Promise<void>)[]) => {
    for (const step of steps) {
      turn = turn.then(step).catch((error: unknown) => {
        log.debug('listening failed', { reason: safeMessage(error) });
      });
    }
    return turn;
  };
  return {
    start: () => then(subscribe),
    restart: () => void then(unsubscribe, subscribe),
    async stop() {
      stopped = true;
      await then(unsubscribe);
    },
  };
}
