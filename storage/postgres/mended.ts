import { registerHooks } from 'node:module';
import type postgres from 'postgres';

const file = '/postgres/src/connection.js';
const wrong = /^( *)clearImmediate\(nextWriteTimer\)$/gm;
const right = '$1clearImmediate(nextWriteTimer), (chunk = nextWriteTimer = null)';
const places = 2;

/**
 * Loads postgres.js with one fault of 3.4.9 mended. A connection whose socket closes while a write
 * waits for its turn cancels that write but keeps its handle, and so believes ever after that a
 * write is under way: its start-up message is never sent again, and each query that meets this
 * connection fails after `connect_timeout`, long after PostgreSQL is back. There is no later
 * version and no way to mend it from outside, so two lines are changed as the file is read.
 * Throws when they are not there: then look whether the fault is gone, and this with it.
 */
export async function loadDriver(): Promise<typeof postgres> {
  let mended = 0;
  const hooks = registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (!url.endsWith(file) || loaded.source === undefined) return loaded;
      const source = textOf(loaded.source);
      mended = source.match(wrong)?.length ?? 0;
      return { ...loaded, source: source.replace(wrong, right) };
    },
  });
  try {
    const { default: driver } = await import('postgres');
    if (mended !== places) throw new Error(`postgres.js is not the one ${import.meta.url} mends`);
    return driver;
  } finally {
    hooks.deregister();
  }
}

const textOf = (source: string | ArrayBuffer | NodeJS.TypedArray): string =>
  typeof source === 'string' ? source : new TextDecoder().decode(source);
