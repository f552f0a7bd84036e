import { registerHooks } from 'node:module';
import type postgres from 'postgres';

const file = '/postgres/src/connection.js';

type Mend = { wrong: RegExp; right: string; places: number };

/**
 * A connection whose socket closes while a write waits for its turn cancels that write but keeps
 * its handle, and so believes ever after that a write is under way: its start-up message is never
 * sent again, and each query that meets this connection fails after `connect_timeout`, long after
 * PostgreSQL is back.
 */
const cancelledWrite: Mend = {
  wrong: /^( *)clearImmediate\(nextWriteTimer\)$/gm,
  right: '$1clearImmediate(nextWriteTimer), (chunk = nextWriteTimer = null)',
  places: 2,
};

/**
 * A socket that fails says so a moment before it is closed. A query that is given to its connection
 * in between is forgotten; when the connection is made again, the server's first "ready" is taken
 * for that query's answer: it resolves, with no rows, and has never been executed. (The driver's own
 * rejection of what had been there before is repeated, which does nothing.)
 */
const lateQuery: Mend = {
  wrong: /^( *)!hadError && \(query \|\| sent\.length\) && (error\(.*\))$/gm,
  right: '$1;(query || sent.length) && $2; query = errorResponse = null',
  places: 1,
};

/**
 * Loads postgres.js with two faults of 3.4.9 mended. There is no later version and no way to mend
 * them from outside, so a few lines are changed as the file is read. Throws when they are not
 * there: then look whether the faults are gone, and this with them.
 */
export async function loadDriver(): Promise<typeof postgres> {
  let isMended = false;
  const hooks = registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (!url.endsWith(file) || loaded.source === undefined) return loaded;
      const source = [cancelledWrite, lateQuery].reduce(mend, textOf(loaded.source));
      isMended = true;
      return { ...loaded, source };
    },
  });
  try {
    const { default: driver } = await import('postgres');
    if (!isMended)
      throw new Error(`postgres.js was loaded before ${import.meta.url} could mend it`);
    return driver;
  } finally {
    hooks.deregister();
  }
}

function mend(source: string, { wrong, right, places }: Mend): string {
  if (source.match(wrong)?.length === places) return source.replace(wrong, right);
  throw new Error(`postgres.js is not the one ${import.meta.url} mends`);
}

const textOf = (source: string | ArrayBuffer | NodeJS.TypedArray): string =>
  typeof source === 'string' ? source : new TextDecoder().decode(source);
