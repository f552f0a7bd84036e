import { Redis } from 'ioredis';
import type { Log } from '../log.ts';

export type RedisOptions = {
  /** `redis://` or, with TLS, `rediss://`; user, password and database number as usual. */
  url: string;
  log: Log;
  /** After this long a command counts as lost, and Redis as away until it answers a ping. */
  commandTimeoutMs?: number;
  connectTimeoutMs?: number;
};

/** A connection to Redis or Dragonfly that may be away at any time. */
export type RedisEngine = AsyncDisposable & {
  /** For those who bring their own commands: rejects at once while the connection is down. */
  client: Redis;
  /** False while it is down or does not answer; then nobody should wait for it. */
  available: () => boolean;
  /** Runs commands if Redis is there; undefined when it is not, or when they failed. */
  attempt<T>(run: (client: Redis) => Promise<T>): Promise<T | undefined>;
  /** True when Redis answers within the time given; never throws. */
  ping: (timeoutMs: number) => Promise<boolean>;
  close: () => Promise<void>;
};

const retryMaxMs = 2_000;
const beatMs = 5_000;
const probeMs = 500;
const silentBeatsMax = 3;

/**
 * Connects to Redis, Dragonfly or Valkey and keeps trying with growing pauses. Nothing is queued
 * while it is away (what waited would be answered late, and all at once), no command is sent
 * twice, and each change between there and away is logged once.
 */
export function createRedis(options: RedisOptions): RedisEngine {
  const log = options.log.child({ module: 'redis' });
  const client = new Redis(options.url, {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: options.commandTimeoutMs ?? 500,
    connectTimeout: options.connectTimeoutMs ?? 3_000,
    disableClientInfo: true,
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 8), retryMaxMs),
  });
  const health = watchHealth(client, log);
  const close = async () => {
    health.stop();
    // quit() lets replies in flight arrive; a connection that is down has none.
    if (client.status === 'ready') await client.quit().catch(() => undefined);
    client.disconnect();
  };
  return {
    client,
    available: health.available,
    attempt: (run) => attempt(client, health, run),
    ping: (timeoutMs) => ping(client, timeoutMs),
    close,
    [Symbol.asyncDispose]: close,
  };
}

type Health = {
  available: () => boolean;
  /** Something went wrong with a command: decide what it says about the connection. */
  failed: (error: Error) => void;
  stop: () => void;
};

async function attempt<T>(
  client: Redis,
  health: Health,
  run: (client: Redis) => Promise<T>,
): Promise<T | undefined> {
  if (!health.available()) return undefined;
  try {
    return await run(client);
  } catch (error) {
    health.failed(error as Error);
    return undefined;
  }
}

/** Knows whether Redis answers: by its connection's state, and by pings when a command hangs. */
function watchHealth(client: Redis, log: Log): Health {
  let there = false;
  let announced: boolean | undefined;
  let lastFault = '';
  let silentBeats = 0;
  let timer: NodeJS.Timeout;
  const become = (state: boolean, reason?: string) => {
    there = state;
    if (announced === state) return;
    announced = state;
    if (state) log.info('redis is available');
    else log.warn('redis is away', { reason: reason ?? lastFault });
  };
  const beat = async () => {
    if (client.status === 'ready') {
      const answered = await ping(client, probeMs);
      silentBeats = answered ? 0 : silentBeats + 1;
      if (client.status === 'ready') become(answered, 'it does not answer');
      // No reset has come, so the other side may be gone without a word: connect anew.
      if (silentBeats >= silentBeatsMax) {
        silentBeats = 0;
        client.disconnect(true);
      }
    }
    schedule();
  };
  const schedule = () => {
    clearTimeout(timer);
    timer = setTimeout(() => void beat(), there ? beatMs : probeMs).unref();
  };
  client.on('error', (error: Error) => (lastFault = error.message));
  client.on('ready', () => become(true));
  client.on('close', () => become(false));
  schedule();
  return {
    available: () => there && client.status === 'ready',
    failed(error) {
      if (error.name === 'ReplyError') {
        log.warn('redis refused a command', { reason: error.message });
        return;
      }
      become(false, error.message);
      schedule();
    },
    stop: () => {
      announced = false; // closing is not worth a line
      clearTimeout(timer);
    },
  };
}

async function ping(client: Redis, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  try {
    return await Promise.race([client.ping().then(() => true), late]);
  } catch {
    return false; // the answer is the boolean
  } finally {
    clearTimeout(timer);
  }
}
