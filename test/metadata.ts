import { setTimeout as pause } from 'node:timers/promises';
import type { TestServer } from './server.ts';

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
