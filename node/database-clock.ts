import type { Sql } from '#storage/postgres/connect.ts';

export interface DatabaseClockDeps {
  /** What time the database has, in milliseconds since 1970. */
  readonly ask: () => Promise<number>;
  /** Milliseconds, of a clock that never goes back. */
  readonly elapsed: () => number;
}

/** The time of day as all nodes have it, whatever the clocks of their machines say. */
export interface DatabaseClock {
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A machine that slept finds out this late. */
const lookEveryMs = 10_000;

/**
 * Follows the clock of the database that the nodes share: what one node notes down is later than
 * what another noted before it, also when the clock of either machine is wrong, or is set. Rejects
 * when the database does not answer the first time.
 */
export async function createDatabaseClock(deps: DatabaseClockDeps): Promise<DatabaseClock> {
  const { ask, elapsed } = deps;
  let isLooking = false;
  let lookedAt = elapsed();
  let offset = await measure(deps);
  const look = async () => {
    isLooking = true;
    try {
      offset = await measure({ ask, elapsed });
    } catch {
      // The database is away, so nothing is noted down either; it is asked again later.
    } finally {
      isLooking = false;
      lookedAt = elapsed();
    }
  };
  return {
    now: () => {
      if (!isLooking && elapsed() - lookedAt >= lookEveryMs) void look();
      return elapsed() + offset;
    },
  };
}

async function measure({ ask, elapsed }: DatabaseClockDeps): Promise<number> {
  const before = elapsed();
  const told = await ask();
  return told - (before + elapsed()) / 2;
}

/** Asks PostgreSQL what time it is. */
export const timeOf = (sql: Sql) => async (): Promise<number> => {
  const [row] = await sql<{ ms: number }[]>`
    select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms`;
  if (row === undefined) throw new Error('the database does not say what time it is');
  return row.ms;
};
