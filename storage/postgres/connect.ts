import type postgres from 'postgres';
import type { Log } from '../log.ts';
import { followAddress, parseAddress, type PostgresAddress } from './address.ts';
import { createPool, within, type Settings, type Sql } from './driver.ts';
import { createSentry } from './sentry.ts';
import { createSockets } from './sockets.ts';
import { guardTransactions } from './transactions.ts';

export type { ClientTls, PostgresAddress } from './address.ts';
export type { Queryable, Sql, Tx } from './driver.ts';

export type PoolOptions = { max: number; minConns?: number; lifetimeMs?: number; idleMs?: number };

export type ConnectOptions = PostgresAddress & {
  pool: PoolOptions;
  log: Log;
  applicationName?: string;
  /** The server ends a statement after this long; 0 = never. */
  statementTimeoutMs?: number;
  connectTimeoutMs?: number;
  /** How often `minConns` connections are used, so that they stay open. */
  healthMs?: number;
  /** How long `close` waits for running queries before it breaks their connections. */
  closeTimeoutMs?: number;
  now?: () => number;
};

/** A connected database. */
export type Database = AsyncDisposable & {
  sql: Sql;
  /** True when PostgreSQL answers within the time given; never throws. */
  ping: (timeoutMs: number) => Promise<boolean>;
  /** For metrics: connections open now, and the most there may be. */
  pool: () => { open: number; max: number };
  close: () => Promise<void>;
};

const warmMs = 2_000;
/** An idle connection into the void is found out before somebody needs it. */
const keepAliveSeconds = 5;

/**
 * Opens a pool; it connects on first use, so PostgreSQL may be away. Rows come back with int8 as
 * a number (one beyond 2^53 throws), timestamptz as a Date, date as `YYYY-MM-DD`, numeric as
 * text, json parsed; an `undefined` parameter is NULL. While PostgreSQL is down or frozen,
 * queries fail within seconds with an error that `isUnavailable` knows.
 */
export async function connectPostgres(options: ConnectOptions): Promise<Database> {
  const log = options.log.child({ module: 'postgres' });
  const parsed = parseAddress(options);
  const { url, sessions } = parsed;
  const { hosts, password } = followAddress(options, parsed);
  const settings = { ...driverSettings(options, log), ...(password && { password }) };
  const tls = 'url' in options ? options.tls : undefined;
  const line = { timeoutMs: options.connectTimeoutMs ?? 3_000, tls };
  const sentry = createSentry({ hosts, sessions, probe: { url, settings, line } });
  const sockets = createSockets({
    ...{ line, log },
    choose: sentry.choose,
    now: options.now ?? (() => performance.now()),
  });
  const pool = createPool(url, { ...settings, onclose: sockets.rethink }, sockets.open);
  const alone = { ...settings, max: 1, idle_timeout: 0, max_lifetime: null };
  const watch = sentry.watch(sockets);
  const sql = guardTransactions(pool, {
    single: (onClosed) => createPool(url, { ...alone, onclose: onClosed }, sockets.open),
    onFailed: watch.failed,
  });
  const cool = keepWarm(sql, options.pool.minConns ?? 0, options.healthMs ?? 30_000);
  const stop = () => [watch.stop, cool].forEach((end) => end());
  const close = async () => {
    stop();
    // The driver waits for connections that died with a query on them; the sockets know better.
    const ended = sql.end();
    await Promise.race([ended, sockets.shutdown(options.closeTimeoutMs ?? 5_000)]);
  };
  return {
    sql,
    ping: (pingTimeoutMs) => ping(sql, pingTimeoutMs),
    pool: () => ({ open: sockets.count(), max: options.pool.max }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function driverSettings(options: ConnectOptions, log: Log): Settings {
  const { pool } = options;
  return {
    max: pool.max,
    idle_timeout: (pool.idleMs ?? 300_000) / 1_000,
    max_lifetime: (pool.lifetimeMs ?? 1_800_000) / 1_000,
    connect_timeout: (options.connectTimeoutMs ?? 3_000) / 1_000,
    backoff: () => 0, // the sockets know when to try again
    keep_alive: keepAliveSeconds,
    onnotice: (notice) => log.debug('notice', { notice: notice['message'] }),
    transform: { undefined: null },
    types: { bigint: int8, day },
    connection: {
      application_name: options.applicationName ?? 'revenge',
      statement_timeout: options.statementTimeoutMs ?? 30_000,
      idle_in_transaction_session_timeout: 60_000,
      TimeZone: 'UTC',
      // Compiling a query that takes a millisecond takes a hundred.
      jit: 'off',
    },
  } as Settings;
}

/** Uses `min` connections every now and then, so that they stay open. */
function keepWarm(sql: Sql, min: number, healthMs: number): () => void {
  const warm = () => Promise.all(Array.from({ length: min }, () => ping(sql, warmMs)));
  const timer = setInterval(() => void warm(), healthMs).unref();
  return () => clearInterval(timer);
}

async function ping(sql: Sql, timeoutMs: number): Promise<boolean> {
  try {
    await within(sql`select 1`, timeoutMs);
    return true;
  } catch {
    return false; // the answer is the boolean; whoever asks logs the change
  }
}

const int8: postgres.PostgresType<number> = {
  to: 20,
  from: [20],
  serialize: (value) => value.toString(),
  parse: (text: string) => {
    const value = Number(text);
    if (!Number.isSafeInteger(value)) throw new RangeError(`int8 ${text} is beyond 2^53`);
    return value;
  },
};

/** A calendar date has no time zone: as a Date it would move a day for half of the world. */
const day: postgres.PostgresType<string> = {
  to: 1082,
  from: [1082],
  serialize: (value) => value,
  parse: (text: string) => text,
};
