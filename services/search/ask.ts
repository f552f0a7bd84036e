import type { Sql } from '#storage/postgres/connect.ts';
import {
  SearchUnavailableError,
  type SearchAnswer,
  type SearchEngine,
  type SearchQuery,
} from '#storage/search/engine.ts';
import type { Log } from '../log.ts';
import { backlogOf, isFilled } from './pending.ts';

/** An answer, and whose it is. */
export interface Answered extends SearchAnswer {
  readonly engine: string;
}

export interface AskDeps {
  readonly sql: Sql;
  /** Asked first, when there is one. */
  readonly primary: SearchEngine | undefined;
  /** Always filled, and asked when the first cannot answer. */
  readonly fallback: SearchEngine;
  readonly format: number;
  readonly log: Log;
  readonly now: () => number;
}

const rememberMs = 5_000;
/** An engine that has not heard of a change for so long would show what is no longer true. */
const behindMaxMs = 120_000;

/** Asks the first engine that is able to answer well. */
export function createAsk(deps: AskDeps): (query: SearchQuery) => Promise<Answered> {
  const { primary, fallback, log } = deps;
  const isCurrent = primary === undefined ? async () => false : createCurrency(deps, primary);
  return async (query) => {
    if (primary !== undefined && (await isCurrent())) {
      try {
        return { ...(await primary.query(query)), engine: primary.name };
      } catch (error) {
        if (!(error instanceof SearchUnavailableError)) throw error;
        log.debug('search falls back', { engine: primary.name, reason: error.message });
      }
    }
    return { ...(await fallback.query(query)), engine: fallback.name };
  };
}

/** Whether an engine is filled and not far behind; looked up at most every few seconds. */
function createCurrency(deps: AskDeps, engine: SearchEngine): () => Promise<boolean> {
  const { sql, format, now, log } = deps;
  let known = false;
  let knownAt = -Infinity;
  let looking: Promise<boolean> | undefined;
  const look = async (): Promise<boolean> => {
    try {
      const { since } = await backlogOf(sql, engine.name, 1);
      const isBehind = since !== null && now() - since.getTime() > behindMaxMs;
      known = !isBehind && (await isFilled(sql, engine.name, format));
    } catch (error) {
      // Without PostgreSQL nobody changes anything either: what was known still holds.
      log.debug('the state of the search engine could not be read', { error: String(error) });
    }
    knownAt = now();
    looking = undefined;
    return known;
  };
  return () => (now() - knownAt < rememberMs ? Promise.resolve(known) : (looking ??= look()));
}
