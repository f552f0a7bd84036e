import type { Sql, Tx } from './driver.ts';
import { isUnavailable } from './errors.ts';

/** What happens around a pool's queries. */
export type Watch = {
  /** Opens a connection of its own for `reserve`, and tells when it is closed. */
  single: (onClosed: () => void) => Sql;
  /** Hears of every query that fails, unless it stood in a transaction that only reads. */
  onFailed: (error: unknown) => void;
};

/**
 * Keeps the driver from using a connection that has closed under a transaction. postgres.js 3.4.9
 * writes to the missing socket then, its own ROLLBACK included, from a callback where nobody can
 * catch it: the process ends (porsager/postgres issues 1066, 1154, 1208). So a query on such a
 * connection is answered here, as unavailable, and a transaction's function that ends after its
 * connection is never reported to the driver, which has rejected the transaction already.
 */
export function guardTransactions(sql: Sql, { single, onFailed }: Watch): Sql {
  const driverBegin = sql.begin.bind(sql) as Begin;
  const begin = ((...args: [Work] | [string, Work]) => {
    const options = typeof args[0] === 'string' ? args[0] : '';
    const line = createLine(/\bread only\b/i.test(options) ? () => undefined : onFailed);
    const work = args.at(-1) as Work;
    const guarded: Work = (tx) => outcome(line, () => work(guard(tx, line)));
    const begun = driverBegin(options, guarded);
    begun.catch((error: unknown) => line.cut(error));
    return begun;
  }) as Sql['begin'];
  const reserve = async () => {
    const line = createLine(onFailed);
    const own = single(() => line.cut(lost()));
    await own`select 1`;
    const release = () => void own.end({ timeout: 1 });
    return Object.assign(guard(own as unknown as Tx, line), { release });
  };
  const heard = <T>(query: T): T => (isQuery(query) ? hear(query, onFailed) : query);
  const call = (...args: unknown[]) =>
    heard((sql as unknown as (...args: unknown[]) => unknown)(...args));
  return Object.assign(call, sql, {
    begin,
    reserve,
    unsafe: (...args: Parameters<typeof sql.unsafe>) => heard(sql.unsafe(...args)),
    file: (...args: [string]) => heard(sql.file(...args)),
  });
}

type Work = (tx: Tx) => unknown;
type Begin = (options: string, work: Work) => Promise<unknown>;

/** What is known of one connection: whether a query has failed on it, and whether it is gone. */
type Line = {
  gone: () => unknown;
  hasFailed: () => boolean;
  /** Rejects when the connection is gone. */
  broken: Promise<never>;
  note: (error: unknown) => void;
  cut: (error: unknown) => void;
};

function createLine(onFailed: (error: unknown) => void): Line {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined); // only savepoints look at it
  let reason: unknown;
  let failed = false;
  const cut = (error: unknown) => {
    reason ??= error;
    reject(error);
  };
  return {
    gone: () => reason,
    hasFailed: () => failed,
    broken: promise,
    cut,
    note(error) {
      failed = true;
      onFailed(error);
      // What the server itself says leaves the connection usable; all else is the socket's end.
      if ((error as Error).name !== 'PostgresError' && isUnavailable(error)) cut(error);
    },
  };
}

/** The same transaction, with every query watched. */
function guard(tx: Tx, line: Line): Tx {
  const watch = <T>(query: T): T => watchQuery(query, line);
  const call = (...args: Parameters<typeof tx.unsafe>) =>
    watch((tx as unknown as (...args: unknown[]) => unknown)(...args));
  return Object.assign(call, tx, {
    unsafe: (...args: Parameters<typeof tx.unsafe>) => watch(tx.unsafe(...args)),
    file: (...args: [string]) => watch(tx.file(...args)),
    savepoint: (...args: [Work] | [string, Work]) => {
      const work = args.at(-1) as Work;
      const guarded: Work = (inner) => outcome(line, () => work(guard(inner, line)));
      const saved =
        typeof args[0] === 'string' ? tx.savepoint(args[0], guarded) : tx.savepoint(guarded);
      return Promise.race([saved, line.broken]);
    },
  });
}

type DriverQuery = {
  handler: (query: DriverQuery) => unknown;
  reject: (error: unknown) => void;
};

function watchQuery<T>(query: T, line: Line): T {
  if (!isQuery(query)) return query;
  const { handler } = hear(query, line.note);
  query.handler = (self) => {
    const reason = line.gone();
    if (reason !== undefined) self.reject(reason);
    else handler(self);
  };
  return query;
}

function hear<Q extends DriverQuery>(query: Q, onFailed: (error: unknown) => void): Q {
  const { reject } = query;
  query.reject = (error) => {
    onFailed(error);
    reject(error);
  };
  return query;
}

/** Identifiers, helpers and parameters look otherwise: only a query has a handler. */
function isQuery(value: unknown): value is DriverQuery {
  return value instanceof Promise && 'handler' in value && 'reject' in value;
}

/**
 * What the driver learns of a transaction's function: its result while the connection stands;
 * nothing once it is gone, for it would answer with a COMMIT or ROLLBACK into the void. After a
 * failed query one turn of the event loop passes first, so that a closing socket is known.
 */
function outcome(line: Line, work: () => unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const tell = (say: () => void) => {
      const unlessGone = () => (line.gone() === undefined ? say() : undefined);
      if (line.hasFailed()) setImmediate(unlessGone);
      else unlessGone();
    };
    Promise.resolve()
      .then(work)
      .then(async (result) => (Array.isArray(result) ? Promise.all(result) : result))
      .then(
        (result) => tell(() => resolve(result)),
        (error: Error) => tell(() => reject(error)),
      );
  });
}

function lost(): Error {
  return Object.assign(new Error('the connection was closed'), { code: 'CONNECTION_CLOSED' });
}
