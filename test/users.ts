import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { createLogger, transports, type Logger } from 'winston';
import { createLocalClock } from '#cluster/clock.ts';
import { createCache, type Cache } from '#storage/cache/index.ts';
import type { Call, OperationId, RequestFacts } from '#api/handler.ts';
import type { Store } from '#services/changes.ts';
import { ProblemError } from '#services/errors.ts';
import type { Principal } from '#services/principal.ts';
import { createSettings, type Settings } from '#services/settings/index.ts';
import {
  createMemoryCounters,
  createUsers,
  type Users,
  type VerifySignature,
} from '#services/users/index.ts';
import { testDatabase, type TestDatabase } from './postgres.ts';
import { toldOf, writeOn, type Told } from './write.ts';

/** A clock that a test moves by hand. */
export interface TestClock {
  readonly now: () => number;
  readonly advance: (ms: number) => void;
}

/** Everything users need, on a database of their own, with all that was logged and told. */
export interface UsersWorld extends AsyncDisposable {
  readonly db: TestDatabase;
  readonly store: Store;
  readonly users: Users;
  readonly settings: Settings;
  readonly clock: TestClock;
  readonly log: Logger;
  /** Every line that was logged, as JSON. */
  readonly logged: string[];
  readonly published: Told[];
  /** Another node on the same database and clock: counters and a cache of its own. */
  another(options?: { jwtSecret?: string }): Promise<Users>;
  close(): Promise<void>;
}

/** A hash that costs next to nothing, so that tests are quick. */
export const cheapCost = { memoryKib: 8, passes: 1, parallelism: 1 };

/** The secret that test tokens are signed with. */
export const testSecret = 'a secret for tests, 32 characters or more';

/** Starts users on a fresh database; close it, or declare it with `await using`. */
export async function usersWorld(
  options: { verifySignature?: VerifySignature } = {},
): Promise<UsersWorld> {
  const db = await testDatabase();
  const logged: string[] = [];
  const log = memoryLog(logged);
  const published: UsersWorld['published'] = [];
  const clock = testClock(Date.parse('2026-03-01T12:00:00Z'));
  const { now } = clock;
  const order = createLocalClock({ epoch: 1 });
  const write = writeOn(db.sql, order, (told) => published.push(...toldOf(told)));
  const store: Store = { sql: db.sql, write };
  const newCache = () => createCache({ clock: order, log, now, l1MaxBytes: 1_000_000 });
  const cache = newCache();
  const settings = createSettings({ store, cache, now });
  const make = (own: { cache: Cache; jwtSecret: string }) =>
    createUsers({
      ...{ store, settings, log, now, random: randomBytes, cache: own.cache },
      ...options,
      secrets: { jwtSecret: own.jwtSecret },
      counters: createMemoryCounters({ now }),
      passwordCost: cheapCost,
    });
  return {
    db,
    store,
    settings,
    clock,
    log,
    logged,
    published,
    users: make({ cache, jwtSecret: testSecret }),
    another: async ({ jwtSecret = testSecret } = {}) => make({ cache: newCache(), jwtSecret }),
    close: () => db.close(),
    [Symbol.asyncDispose]: () => db.close(),
  };
}

/** A clock that stands still until it is moved. */
export function testClock(startMs: number): TestClock {
  let nowMs = startMs;
  return { now: () => nowMs, advance: (ms) => void (nowMs += ms) };
}

function memoryLog(lines: string[]): Logger {
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  return createLogger({ level: 'silly', transports: [new transports.Stream({ stream })] });
}

type Given<Id extends OperationId> = Partial<
  Pick<Call<Id>, 'params' | 'query' | 'body' | 'principal'> & { request: Partial<RequestFacts> }
>;

/** A call of a handler as the HTTP layer would make it, from 192.0.2.1 unless said otherwise. */
export function callOf<Id extends OperationId>(_id: Id, given: Given<Id> = {}): Call<Id> {
  const request: RequestFacts = {
    id: 'test',
    ip: '192.0.2.1',
    userAgent: 'test',
    headers: {},
    method: 'GET',
    signal: new AbortController().signal,
    ...given.request,
  };
  return {
    params: {},
    query: {},
    body: undefined,
    principal: undefined,
    ...given,
    request,
  } as Call<Id>;
}

/** The body of an answer that is JSON. */
export async function bodyOf<Body>(
  answer: Promise<{ body: Body } | { stream: unknown }>,
): Promise<Body> {
  const reply = await answer;
  if ('stream' in reply) throw new Error('the answer is a stream');
  return reply.body;
}

/** The problem that a promise fails with; an error when it does not fail, or fails otherwise. */
export async function problemOf(work: Promise<unknown>): Promise<ProblemError> {
  const error: unknown = await work.then(
    () => new Error('nothing failed'),
    (reason: unknown) => reason,
  );
  if (error instanceof ProblemError) return error;
  throw error;
}

/** The code of the problem that a promise fails with; 'none' when it succeeds. */
export const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: unknown) => {
      if (error instanceof ProblemError) return error.code;
      throw error;
    },
  );

/** Signs someone in through the handlers; resolves to the tokens and who that makes the caller. */
export async function signIn(
  users: Users,
  username: string,
  password: string,
): Promise<{ accessToken: string; refreshToken: string; sessionId: string; principal: Principal }> {
  const body = { username, password };
  const tokens = await bodyOf(users.handlers.login(callOf('login', { body })));
  const principal = await users.authenticate({ bearer: tokens.accessToken, ip: '192.0.2.1' });
  if (principal === undefined) throw new Error('the new token is not believed');
  return { ...tokens, principal };
}
