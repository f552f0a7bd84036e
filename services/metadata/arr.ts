/**
 * What Radarr and Sonarr say of the folders they keep. They have downloaded what lies there, by its
 * id: where neither a name nor an NFO has one, theirs decides whose record a work is.
 */
import type { Queryable } from '#storage/postgres/connect.ts';
import type { Store } from '../changes.ts';
import { safeMessage } from '../jobs/failure.ts';
import type { Log } from '../log.ts';
import type { ArrServer, ArrWork } from './arr-server.ts';
import { findArrWork, forgetOthers, openAnew, replaceArrWorks } from './arr-store.ts';
import type { WorkFacts } from './match.ts';
import { ProviderError } from './provider-error.ts';
import type { WorkName } from './store.ts';

export interface ArrDeps {
  readonly store: Store;
  readonly log: Log;
  readonly servers: readonly ArrServer[];
  /** Makes paths of other programs paths here; undefined: it is no path. */
  readonly ourPaths: () => Promise<(theirs: string) => string | undefined>;
}

/**
 * Asks each server for all it has, and has works decided anew whose folder it says something else
 * of than before. A server that does not answer is believed what it said last.
 */
export async function pullArr(deps: ArrDeps): Promise<void> {
  const ourPath = await deps.ourPaths();
  const answered = new Set<ArrServer>();
  for (const server of deps.servers) {
    const works = await listOf(deps, server);
    if (works === undefined) continue;
    const placed = works.flatMap((work) => {
      const path = ourPath(work.path);
      return path === undefined ? [] : [{ ...work, path }];
    });
    const { source, kind } = server;
    answered.add(server);
    await deps.store.write(async (tx) => {
      const changed = await replaceArrWorks(tx, server, placed);
      if (changed.length === 0) return;
      const opened = await openAnew(tx, { kind, source }, changed);
      deps.log.info('an arr server tells of other works', {
        ...{
          source,
          server: server.server,
          works: placed.length,
          changed: changed.length,
          opened,
        },
      });
    });
  }
  for (const [source, servers] of Map.groupBy(deps.servers, (server) => server.source)) {
    // What nobody says any more goes once all that might say it have been heard.
    if (!servers.every((server) => answered.has(server))) continue;
    const addresses = servers.map(({ server }) => server);
    const [first] = servers;
    if (first === undefined) continue;
    const { kind } = first;
    await deps.store.write(async (tx) => {
      const freed = await forgetOthers(tx, source, addresses);
      if (freed.length > 0) await openAnew(tx, { kind, source }, freed);
    });
  }
}

async function listOf(
  { log }: ArrDeps,
  server: ArrServer,
): Promise<readonly ArrWork[] | undefined> {
  try {
    return await server.works();
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    log.warn('an arr server gives no answer', {
      ...{ source: server.source, server: server.server },
      reason: safeMessage(error),
    });
    return undefined;
  }
}

/** What is known of a work, with what an arr server says of its folder. */
export async function withArr(
  sql: Queryable,
  { kind, itemId }: WorkName,
  facts: WorkFacts,
): Promise<WorkFacts> {
  const found = await findArrWork(sql, kind, itemId);
  if (found === undefined) return facts;
  const hasIds = Object.keys(facts.ids).length > 0;
  return {
    ...facts,
    ids: hasIds ? facts.ids : found.ids,
    titles: [...new Set([...facts.titles, found.title])],
    year: facts.year ?? found.year,
  };
}
