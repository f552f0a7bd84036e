import type { Readable } from 'node:stream';
import type { Tx } from './connect.ts';

/** A table, or some of its columns, by the names the catalogue has. */
export interface CopyTarget {
  /** `schema.table`, unquoted. */
  readonly table: string;
  readonly columns: readonly string[];
}

/** Rows on their way into a table. */
export interface CopyWriter {
  /** Resolves when they are on their way. Throws what PostgreSQL has against rows sent before. */
  write(rows: Uint8Array): Promise<void>;
  /** Resolves when all rows are in the table. */
  end(): Promise<void>;
  /** Ends it without the rows; the transaction is void then. */
  abort(reason: Error): Promise<void>;
}

/** Whatever the server's own settings are, values are written and read in one way. */
const settings = {
  datestyle: 'ISO, YMD',
  intervalstyle: 'postgres',
  timezone: 'UTC',
  // Above zero: as many digits as it takes to read back the very same number.
  extra_float_digits: '1',
  bytea_output: 'hex',
  statement_timeout: '0',
  idle_in_transaction_session_timeout: '600000',
} as const;

/**
 * Prepares a transaction for `copyOut` and `copyIn`, which may take as long as they take. It takes
 * no snapshot, so that locks can be taken before there is one.
 */
export async function prepareCopy(tx: Tx): Promise<void> {
  const all = Object.entries(settings).map(([name, value]) => `set local ${name} = '${value}'`);
  await tx.unsafe(all.join('; '));
}

/** A name as SQL wants it. */
export const quoted = (name: string): string =>
  name
    .split('.')
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.');

const list = (columns: readonly string[]) => columns.map((column) => quoted(column)).join(', ');

/**
 * The rows of a table that meet a condition (SQL), in COPY's text format (PostgreSQL manual, COPY):
 * a line for each, in which a line feed within a value is written as two characters. Chunks end
 * anywhere. Whoever stops early waits until PostgreSQL has told the rest.
 */
export async function* copyOut(
  tx: Tx,
  { table, columns }: CopyTarget,
  where = 'true',
): AsyncGenerator<Buffer> {
  const query = tx.unsafe(
    `copy (select ${list(columns)} from ${quoted(table)} where ${where}) to stdout`,
  );
  const stream = await query.readable();
  let isOver = false;
  try {
    // A stream that is destroyed early leaves the driver's socket paused for ever.
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
    isOver = true;
  } finally {
    if (!isOver) await drained(stream);
  }
}

function drained(stream: Readable): Promise<void> {
  if (stream.destroyed || stream.readableEnded) return Promise.resolve();
  return new Promise((resolve) => {
    for (const event of ['end', 'error', 'close']) stream.once(event, () => resolve());
    stream.resume();
  });
}

/** Takes rows into a table, in the format of `copyOut` or in COPY's binary one. */
export async function copyIn(
  tx: Tx,
  { table, columns }: CopyTarget,
  format: 'text' | 'binary' = 'text',
): Promise<CopyWriter> {
  const into = `${quoted(table)} (${list(columns)})`;
  const query = tx.unsafe(`copy ${into} from stdin (format ${format})`);
  const failed = rejection(query);
  const stream = await query.writable();
  // The stream hears only of some failures; what it hears, the query is told too.
  stream.on('error', () => undefined);
  const step = (begin: (done: (error?: Error | null) => void) => void) =>
    Promise.race([
      failed,
      new Promise<void>((resolve, reject) => begin((error) => (error ? reject(error) : resolve()))),
    ]);
  return {
    write: (rows) => step((done) => void stream.write(rows, done)),
    end: () => step((done) => void stream.end(done)),
    async abort(reason) {
      stream.destroy(reason);
      await failed.catch(() => undefined);
    },
  };
}

/**
 * Rejects when the driver gives a query up, also after the query has resolved to its stream: of an
 * error that comes after the last row, postgres.js 3.4 tells the stream nothing.
 */
function rejection(query: object): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined); // told to whoever writes
  const driven = query as { reject: (error: unknown) => void };
  const own = driven.reject;
  driven.reject = (error) => {
    reject(error);
    own(error);
  };
  return promise;
}
