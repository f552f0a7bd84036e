import { setTimeout as pauseFor } from 'node:timers/promises';
import type * as z from 'zod';
import { createBreaker, type Breaker } from '#storage/breaker.ts';
import type { Cache } from '#storage/cache/cache.ts';
import { OutboundError, type Outbound, type OutboundAnswer } from '#storage/outbound/index.ts';
import { backoffMs } from '../jobs/backoff.ts';
import type { Log } from '../log.ts';
import { ProviderError, type ProviderFailure } from '../metadata/provider-error.ts';
import type { Budget } from './budget.ts';
import { readLeniently } from './drift.ts';
import type { KeptAnswer, KeptAnswers } from './kept.ts';

export type RequestOutcome =
  'ok' | 'not-modified' | 'absent' | 'limited' | 'refused' | 'rejected' | 'failed' | 'broken';

/** What providers are counted by. */
export interface ProviderMeter {
  request(provider: string, outcome: RequestOutcome, durationMs: number): void;
  drift(provider: string, type: string): void;
}

export interface ProviderHttpDeps {
  readonly outbound: Outbound;
  readonly cache: Cache;
  readonly kept: KeptAnswers;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly random: () => number;
  readonly meter: ProviderMeter;
  /** Waits; rejects when the signal is aborted. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

/** One provider as it is asked. */
export interface ProviderProfile {
  /** Names it in keys, metrics and sources of fields: `tmdb`. */
  readonly name: string;
  readonly baseUrl: string;
  readonly budget: Budget;
  /** What proves who asks: added to each request, part of no key and no message. */
  readonly headers: Readonly<Record<string, string>>;
  readonly secretQuery?: Readonly<Record<string, string>>;
  /** Proof that the provider hands out and that runs out. */
  readonly token?: Token;
  /** Milliseconds one try may take; 8 s unless stated. */
  readonly timeoutMs?: number;
  /** The largest answer taken; 8 MB unless stated. */
  readonly bytesMax?: number;
}

/** What a provider gives to who proves who asks. */
export interface Token {
  /** Throws ProviderError. */
  get(signal: AbortSignal): Promise<string>;
  /** It is not taken any more: the next `get` asks for another. */
  refused(token: string): void;
}

/** One type of answer. */
export interface AnswerType<Value> {
  readonly name: string;
  readonly schema: z.ZodType<Value>;
  /** Milliseconds it is served without asking again. */
  readonly ttlMs: number;
}

export type Query = Readonly<Record<string, string | number | undefined>>;

/** Asks for an answer of one type; undefined: the provider has no such record. */
export type AskProvider<Value> = (
  path: string,
  query?: Query,
  options?: AskOptions,
) => Promise<Value | undefined>;

export interface AskOptions {
  /** Past what is cached: a person wants to know what the provider says now. */
  readonly isFresh?: boolean | undefined;
  /** Milliseconds for all tries of one that is fresh; 30 s unless stated. */
  readonly patienceMs?: number | undefined;
}

/** A provider's API over HTTP. */
export interface ProviderHttp {
  define<Value>(type: AnswerType<Value>): AskProvider<Value>;
  /** The cache tag of a path's answers: made stale, it is asked for again. */
  tagOf(path: string): string;
  /** Whether it is left alone because it did not answer. */
  isResting(): boolean;
}

const negativeTtlMs = 10 * 60_000;
const timeoutMs = 8_000;
const bytesMax = 8 * 1_024 * 1_024;
const triesMax = 3;
const failuresMax = 5;
const openMs = 60_000;
const freshMs = 30_000;
const backoff = { firstMs: 500, maxMs: 4_000 };
/** A provider that wants more rest than this is asked by a later job. */
const waitMaxMs = 12_000;
const waitFloorMs = 5;
const retryFloorMs = 100;
const refusedMs = 3_600_000;

interface Parts extends ProviderHttpDeps {
  readonly profile: ProviderProfile;
  readonly breaker: Breaker;
  readonly pause: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

/**
 * What every provider shares: answers are cached on all nodes, asked for conditionally, within one
 * budget, again after a failure that may pass, and not at all while the provider is down. Throws
 * ProviderError.
 */
export function createProviderHttp(deps: ProviderHttpDeps, profile: ProviderProfile): ProviderHttp {
  const breaker = createBreaker(deps, { failuresMax, openMs });
  const pause = deps.pause ?? ((ms, signal) => pauseFor(ms, undefined, { signal }));
  const parts: Parts = {
    ...deps,
    log: deps.log.child({ provider: profile.name }),
    ...{ profile, breaker, pause },
  };
  const asProviderError = (cause: unknown): never => {
    if (cause instanceof ProviderError) throw cause;
    const detail = 'it did not answer in time';
    const what = { failure: 'unavailable', detail, retryAfterMs: openMs, cause } as const;
    throw new ProviderError(profile.name, what);
  };
  const tagOf = (path: string) => `provider:${profile.name}:${path.split('?')[0] ?? ''}`;
  return {
    tagOf,
    isResting: () => breaker.state() === 'open',
    define(type) {
      const read = createReader(parts, type);
      const ask = (path: string, signal: AbortSignal) => load(parts, path, { read, signal });
      const cached = deps.cache.define({
        name: `provider.${profile.name}.${type.name}`,
        ttlMs: Math.min(type.ttlMs, 5 * 60_000),
        sharedTtlMs: type.ttlMs,
        negativeTtlMs,
        load: ask,
        tags: (_value, path) => [tagOf(path)],
      });
      return (path, query = {}, { isFresh = false, patienceMs = freshMs } = {}) => {
        const address = addressOf(path, query);
        const answer = isFresh
          ? ask(address, AbortSignal.timeout(patienceMs))
          : cached.get(address);
        return answer.catch(asProviderError);
      };
    },
  };
}

/** Parameters in one order: the same question has one key. */
function addressOf(path: string, query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const sorted = given.sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => [k, String(v)]);
  const text = new URLSearchParams(sorted as [string, string][]).toString();
  return text === '' ? path : `${path}?${text}`;
}

type Reader<Value> = (json: unknown) => Value;

/** Reads answers of a type; each new kind of drift is said once. */
function createReader<Value>(
  { profile, log, meter }: Parts,
  type: AnswerType<Value>,
): Reader<Value> {
  const said = new Set<string>();
  return (json) => {
    const read = readLeniently(type.schema, json);
    if (read === undefined) {
      meter.drift(profile.name, type.name);
      throw broken(profile, `its ${type.name} has another form than it says`);
    }
    if (read.drift.length > 0) meter.drift(profile.name, type.name);
    const news = read.drift.filter((place) => !said.has(place));
    for (const place of news) said.add(place);
    if (news.length > 0) {
      log.warn('answers have another form than the provider says: what does not fit is left out', {
        ...{ type: type.name, places: news.slice(0, 20) },
      });
    }
    return read.value;
  };
}

const broken = ({ name }: ProviderProfile, detail: string, cause?: unknown): ProviderError =>
  new ProviderError(name, { failure: 'broken', detail, cause });

interface Asked<Value> {
  readonly read: Reader<Value>;
  readonly signal: AbortSignal;
}

async function load<Value>(
  parts: Parts,
  path: string,
  { read, signal }: Asked<Value>,
): Promise<Value | undefined> {
  const { profile, kept, breaker, random, pause } = parts;
  const key = `${profile.name}:${path}`;
  const before = await kept.get(key);
  for (let attempt = 1; ; attempt++) {
    if (!breaker.mayTry()) throw resting(profile);
    await takeTurn(parts, signal);
    const result = await tryOnce(parts, path, { before, signal });
    if (result.outcome === 'absent') return undefined;
    if ('json' in result) {
      const value = read(result.json);
      if (result.etag !== undefined) await kept.put(key, { etag: result.etag, json: value });
      return value;
    }
    const { error, mayPass } = result;
    // A token may have run out before its time; a new one that is refused, too, is another matter.
    if (result.outcome === 'refused' && profile.token !== undefined && attempt === 1) continue;
    const waitMs = error.retryAfterMs ?? backoffMs(attempt, random, backoff);
    if (!mayPass || attempt >= triesMax || waitMs > waitMaxMs) throw error;
    await pause(waitMs, signal);
  }
}

const resting = ({ name }: ProviderProfile): ProviderError =>
  new ProviderError(name, {
    failure: 'unavailable',
    detail: 'it did not answer for a while and is left alone',
    retryAfterMs: openMs,
  });

/** Waits for a part of the budget; throws `busy` when that takes too long. */
async function takeTurn({ profile, pause, random }: Parts, signal: AbortSignal): Promise<void> {
  for (let waitedMs = 0; ;) {
    const waitMs = await profile.budget.take();
    if (waitMs === 0) return;
    if (waitedMs + waitMs > waitMaxMs) {
      const detail = 'its budget of requests is spent';
      throw new ProviderError(profile.name, { failure: 'busy', detail, retryAfterMs: waitMs });
    }
    // Not all at the very moment the next window opens.
    const ms = Math.ceil(waitMs + waitFloorMs + random() * Math.min(waitMs, 1_000));
    await pause(ms, signal);
    waitedMs += ms;
  }
}

type Result =
  | { readonly outcome: 'absent' }
  | {
      readonly outcome: 'ok' | 'not-modified';
      readonly json: unknown;
      readonly etag?: string | undefined;
    }
  | {
      readonly outcome: Exclude<RequestOutcome, 'ok' | 'not-modified' | 'absent'>;
      readonly error: ProviderError;
      readonly mayPass: boolean;
    };

interface Try {
  readonly before: KeptAnswer | undefined;
  readonly signal: AbortSignal;
}

async function tryOnce(parts: Parts, path: string, asked: Try): Promise<Result> {
  const { profile, now, meter } = parts;
  const startedAt = now();
  const result = await send(parts, path, asked).catch((error: unknown) => {
    return judgeFailure(profile, error);
  });
  meter.request(profile.name, result.outcome, now() - startedAt);
  await note(parts, result);
  return result;
}

async function send(parts: Parts, path: string, { before, signal }: Try): Promise<Result> {
  const { profile, outbound } = parts;
  const url = new URL(profile.baseUrl + path);
  for (const [name, value] of Object.entries(profile.secretQuery ?? {})) {
    url.searchParams.set(name, value);
  }
  const token = await profile.token?.get(signal);
  const answer = await outbound.fetch(url.href, {
    headers: {
      ...{ accept: 'application/json', ...profile.headers },
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(before === undefined ? {} : { 'if-none-match': before.etag }),
    },
    ...{
      signal,
      timeoutMs: profile.timeoutMs ?? timeoutMs,
      maxBytes: profile.bytesMax ?? bytesMax,
    },
  });
  const result = judge(profile, answer, before);
  if (token !== undefined && result.outcome === 'refused') profile.token?.refused(token);
  return result;
}

/** What a result says of the provider: whether it is well, and how long it wants to rest. */
async function note({ profile, breaker, log }: Parts, result: Result): Promise<void> {
  switch (result.outcome) {
    case 'failed':
    case 'broken':
      breaker.failed();
      return;
    case 'limited':
      await profile.budget.rest(result.error.retryAfterMs ?? 1_000);
      return;
    case 'refused':
      log.error('the provider does not take the key it is asked with; see the configuration');
      breaker.succeeded();
      return;
    case 'ok':
    case 'not-modified':
    case 'absent':
    case 'rejected':
      breaker.succeeded();
  }
}

function judge(
  profile: ProviderProfile,
  { status, headers, bytes }: OutboundAnswer,
  before: KeptAnswer | undefined,
): Result {
  const error = (
    failure: ProviderFailure,
    detail: string,
    retryAfterMs: number | undefined = undefined,
  ) => new ProviderError(profile.name, { failure, detail, retryAfterMs });
  if (status === 200) return readJson(profile, bytes, headers['etag']);
  if (status === 304 && before !== undefined) return { outcome: 'not-modified', json: before.json };
  if (status === 404) return { outcome: 'absent' };
  if (status === 401 || status === 403) {
    const detail = 'it does not take the key it was asked with';
    return { outcome: 'refused', error: error('refused', detail, refusedMs), mayPass: false };
  }
  if (status === 429) {
    const retryAfterMs = retryAfterOf(headers) ?? 1_000;
    const limited = error('busy', 'it was asked too often', retryAfterMs);
    return { outcome: 'limited', error: limited, mayPass: true };
  }
  if (status >= 500) {
    const failed = error('unavailable', `it answered ${status}`, retryAfterOf(headers));
    return { outcome: 'failed', error: failed, mayPass: true };
  }
  return { outcome: 'rejected', error: error('broken', `it answered ${status}`), mayPass: false };
}

function readJson(profile: ProviderProfile, bytes: Uint8Array, etag: string | undefined): Result {
  try {
    return { outcome: 'ok', json: JSON.parse(Buffer.from(bytes).toString('utf8')), etag };
  } catch (cause) {
    const error = broken(profile, 'it answered no JSON', cause);
    return { outcome: 'broken', error, mayPass: true };
  }
}

function judgeFailure(profile: ProviderProfile, cause: unknown): Result {
  if (cause instanceof ProviderError) return judgeLogin(cause);
  if (!(cause instanceof OutboundError) || cause.code === 'cancelled') throw cause;
  const { code, message } = cause;
  const isDown = code === 'unreachable' || code === 'timeout';
  const failure = isDown ? 'unavailable' : 'broken';
  const error = new ProviderError(profile.name, { failure, detail: message, cause });
  const mayPass = code !== 'refused' && code !== 'too-large';
  return { outcome: isDown ? 'failed' : 'broken', error, mayPass };
}

const loginOutcomes = {
  unavailable: 'failed',
  busy: 'limited',
  refused: 'refused',
  broken: 'broken',
} as const satisfies Record<ProviderFailure, RequestOutcome>;

/** There was no token to ask with. */
const judgeLogin = (error: ProviderError): Result => ({
  ...{ outcome: loginOutcomes[error.failure], error },
  mayPass: error.failure === 'unavailable' || error.failure === 'busy',
});

/** Seconds or a date (RFC 9110, 10.2.3). */
export function retryAfterOf(headers: Readonly<Record<string, string>>): number | undefined {
  const text = headers['retry-after'];
  if (text === undefined) return undefined;
  if (/^\d{1,6}$/.test(text)) return Math.max(Number(text) * 1_000, retryFloorMs);
  const [at, from] = [Date.parse(text), Date.parse(headers['date'] ?? '')];
  return Number.isNaN(at) || Number.isNaN(from) ? undefined : Math.max(at - from, retryFloorMs);
}
