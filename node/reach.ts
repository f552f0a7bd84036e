import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '#services/log.ts';
import { codeOf, isUnavailable } from '#storage/postgres/errors.ts';
import type { MemberDatabase, OpenDatabase } from './database.ts';

export interface ReachDeps {
  /** Asks the member that has the database how to reach it; undefined: nobody said. */
  readonly askDatabase: () => Promise<MemberDatabase | undefined>;
  readonly log: Log;
}

const firstMs = 250;
const longestMs = 5_000;

/** Of who comes, by PostgreSQL: invalid_authorization_specification, invalid_password. */
const refusals: ReadonlySet<string> = new Set(['28000', '28P01']);

/**
 * A database that is not there yet is waited for: a crash loop would help nobody. That of another
 * member may be elsewhere by now, or want another password, and that member says so.
 */
export async function untilReachable(
  { isEmbedded }: Pick<OpenDatabase, 'isEmbedded'>,
  { log, askDatabase }: ReachDeps,
  work: () => Promise<unknown>,
): Promise<void> {
  for (let waitMs = firstMs; ; waitMs = Math.min(2 * waitMs, longestMs)) {
    try {
      await work();
      return;
    } catch (error) {
      const isRefused = refusals.has(codeOf(error) ?? '');
      if (isEmbedded || (!isUnavailable(error) && !isRefused)) throw error;
      const told = await askDatabase();
      if (isRefused && !told) throw error;
      log.warn('the database does not answer; waiting for it', { waitMs, error });
      await pause(waitMs);
    }
  }
}

/** As long as the member that has the database is not there, there is none. */
export async function untilTold({ askDatabase }: ReachDeps): Promise<MemberDatabase> {
  for (let waitMs = firstMs; ; waitMs = Math.min(2 * waitMs, longestMs)) {
    const told = await askDatabase();
    if (told) return told;
    await pause(waitMs);
  }
}
