import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { components } from '#api/types.ts';
import { startServer, type TestServer } from './server.ts';

type Schemas = components['schemas'];

/** A node whose library of one series TMDb has been asked about. */
export interface SeriesServer {
  readonly server: TestServer;
  readonly library: Schemas['Library'];
  /** Of the series in the API. */
  readonly path: string;
}

/** Starts one that asks this TMDb; `put` makes the files, in the library's folder. */
export async function startSeriesServer(
  tmdb: { readonly url: string },
  put: (dir: string) => Promise<void>,
): Promise<SeriesServer> {
  const config = { 'metadata.tmdb.url': `${tmdb.url}/3`, 'metadata.tmdb.api_key': 'key' };
  const server = await startServer({ config });
  await put(join(server.films, 'series'));
  const library = await server.library('Series', 'series', 'series');
  await enriched(server);
  const { items } = await server.read<Schemas['SeriesPage']>('/api/v1/series');
  return { server, library, path: `/api/v1/series/${items[0]!.id}` };
}

const patienceMs = 60_000;
const pollMs = 50;

/**
 * Resolves once providers have been asked about all that has changed, and search knows it: what
 * changes is handed out a second later, so a server may be at rest before that.
 */
export async function enriched(server: Pick<TestServer, 'db' | 'settled'>): Promise<void> {
  for (const until = Date.now() + patienceMs; ; await pause(pollMs)) {
    await server.settled();
    const due = await server.db.sql`
      select from shared.jobs
      where (name like 'metadata.%' or name = 'search.index') and state in ('waiting', 'running')
        and run_at <= now() + interval '3 s'
      union all select from shared.search_pending
      limit 1`;
    if (due.length === 0) return;
    if (Date.now() > until) throw new Error('providers are still being asked');
  }
}
