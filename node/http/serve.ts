import { createHash } from 'node:crypto';
import { parse as parseQuery } from 'node:querystring';
import type { JsonAnswer, RequestFacts, StreamReply } from '#api/handler.ts';
import { problem } from '#services/errors.ts';
import type { Authenticate, Principal } from '#services/principal.ts';
import { nulFound, readBody } from './body.ts';
import { admit } from './credentials.ts';
import type { Exchange } from './exchange.ts';
import type { SecurityHeaders } from './headers.ts';
import type { IndexClock } from './index-clock.ts';
import type { LargeBodies } from './large-bodies.ts';
import { onLeader, type LeaderContext } from './leader.ts';
import type { RateLimits } from './limits.ts';
import { idempotencyKeyOf, type OncePort } from './once.ts';
import type { Route } from './operations.ts';
import type { Render } from './rendering.ts';
import { send, sendJson, sendStream } from './reply.ts';
import { endWhenRevoked, type RevokeDeps } from './revoke.ts';
import type { Router } from './router.ts';

/** What serving a request takes. */
export interface ServeContext {
  router: Router<Route>;
  authenticate: Authenticate;
  limits: RateLimits;
  clock: IndexClock;
  render: Render;
  security: SecurityHeaders;
  bodyLimitBytes: number;
  largeBodies: LargeBodies;
  behindMs: number;
  validateResponses: boolean;
  /** Absent: `Idempotency-Key` is not looked at. */
  once: OncePort | undefined;
  /** Absent: this node is the only one there will ever be. */
  leader: LeaderContext | undefined;
  /** Has this request answered by the database; absent: who is behind refuses it. */
  bypassCaches: ((exchange: Exchange) => void) | undefined;
  /** Whether a request has written what no index covers yet; absent: none ever does. */
  isUncovered: ((exchange: Exchange) => boolean) | undefined;
  /** Absent: answers that last are not looked after. */
  revoke: RevokeDeps | undefined;
}

const queryKeysMax = 100;
const mutations: ReadonlySet<string> = new Set(['PUT', 'POST', 'DELETE', 'PATCH']);

/** True when the path belongs to the API, so that nobody else may answer it. */
export type Served = 'answered' | 'unknown-path';

/**
 * Carries a request out, in the order that tells strangers least: limits, path, proof, permission
 * and only then the request's contents. Rejects with what `failure.ts` turns into an answer.
 */
export async function serve(exchange: Exchange, context: ServeContext): Promise<Served> {
  const { req } = exchange;
  // Who was let in at the door of another node is not counted again at ours.
  const rate = exchange.handedOn ? [] : await context.limits.ip(exchange.ip);
  exchange.headers.push(...rate);
  const found = context.router.match(req.method, exchange.path);
  if (!found) return 'unknown-path';
  if ('allow' in found) {
    refuseMethod(exchange, found.allow);
    return 'answered';
  }
  const { route, params } = found;
  exchange.route = route;
  if (route.embeddable) exchange.security = context.security.embeddable;
  if (route.limit && !exchange.handedOn)
    replaceRate(exchange, rate, await context.limits[route.limit](exchange.ip));
  const query = queryOf(exchange.search);
  const proof = { req, route, params, query, ip: exchange.ip };
  const principal = await admit(context.authenticate, proof);
  exchange.principal = principal;
  if (principal && !exchange.handedOn) {
    replaceRate(exchange, rate, await context.limits.principal(principal.credentialId));
  }
  const carryOut = async () => {
    // What the caller may do is as of the index they have seen, too.
    const hasWaited = await awaitIndex(exchange, context);
    const caller = hasWaited ? await admit(context.authenticate, proof) : principal;
    exchange.principal = caller;
    const call = await validate(exchange, context, { route, params, query, principal: caller });
    const reflected = context.clock.applied();
    const handle = () => route.handler(call as never);
    const key = context.once && route.write === 'leader' ? idempotencyKeyOf(exchange) : undefined;
    const reply =
      key === undefined
        ? await handle()
        : await once(exchange, context, { route, key, call, handle });
    await answer(exchange, context, { route, reply, reflected });
  };
  const { leader } = context;
  const work =
    leader && route.write === 'leader' ? () => onLeader(exchange, leader, carryOut) : carryOut;
  const { bodyLimitBytes } = route;
  if (bodyLimitBytes === undefined) await work();
  else await context.largeBodies(exchange, bodyLimitBytes, work);
  return 'answered';
}

async function once(
  { principal }: Exchange,
  context: ServeContext,
  work: {
    route: Route;
    key: string;
    call: object;
    handle: () => Promise<JsonAnswer<unknown> | StreamReply>;
  },
): Promise<JsonAnswer<unknown>> {
  const { route, key, call, handle } = work;
  const { params, query, body } = call as Record<string, unknown>;
  const wish = {
    ...{ key, operation: route.operationId, principalId: principal!.userId },
    request: JSON.stringify([params, query, body instanceof Uint8Array ? digestOf(body) : body]),
  };
  return context.once!.carryOut(wish, async () => {
    const reply = await handle();
    if ('stream' in reply) throw new Error(`${route.operationId} streams, and cannot be kept`);
    return { ...reply, status: reply.status ?? route.status };
  });
}

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function refuseMethod(exchange: Exchange, allow: readonly string[]): void {
  const headers = { Allow: allow.join(', ') };
  if (exchange.req.method === 'OPTIONS') {
    return send(exchange, 204, { headers: ['Allow', headers.Allow] });
  }
  throw problem('method-not-allowed', `${exchange.req.method} is not for this path`, { headers });
}

/** Of several limits an answer states the last one counted, which is the narrowest. */
function replaceRate(exchange: Exchange, old: readonly string[], rate: readonly string[]): void {
  if (rate.length === 0) return;
  const at = old.length === 0 ? -1 : exchange.headers.indexOf(old[0] ?? '');
  if (at < 0) exchange.headers.push(...rate);
  else exchange.headers.splice(at, old.length, ...rate);
}

function queryOf(search: string): Record<string, unknown> {
  if (search === '') return {};
  const query: Record<string, unknown> = {
    ...parseQuery(search, '&', '=', { maxKeys: queryKeysMax }),
  };
  if (search.includes('%00')) throw nulFound('/query');
  return query;
}

interface Input {
  route: Route;
  params: Record<string, string>;
  query: Record<string, unknown>;
  principal: Principal | undefined;
}

async function validate(exchange: Exchange, context: ServeContext, input: Input): Promise<object> {
  const { route, params, principal } = input;
  const { req, res } = exchange;
  if (exchange.path.includes('%00')) throw nulFound('/params');
  const { query } = input;
  if (route.signed && !route.tokenInQuery) delete query['token'];
  const body = await readBody(req, res, {
    ...{ route, limitBytes: route.bodyLimitBytes ?? context.bodyLimitBytes, raw: exchange.body },
  });
  const headers = pick(req.headers, route.headerNames);
  const raw = { params, query, headers, contentType: body.contentType, body: body.value };
  // A signed address has its token in the query: never the same one twice, and not to be kept.
  const valid = await (query['token'] === undefined && !route.signed
    ? route.validator.read(raw, exchange.search)
    : route.validator.request(raw));
  return { ...valid, principal, request: factsOf(exchange, route) };
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

function pick(headers: Headers, names: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = headers[name];
    if (typeof value === 'string') picked[name] = value;
  }
  return picked;
}

/** Headers any handler may want; credentials are not among them. */
const useful = [
  'accept',
  'accept-language',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'range',
];

function factsOf(exchange: Exchange, route: Route): RequestFacts {
  const { req } = exchange;
  return {
    id: exchange.id,
    ip: exchange.ip,
    userAgent: req.headers['user-agent']?.slice(0, 512),
    get headers() {
      return pick(req.headers, [...useful, ...route.headerNames]);
    },
    method: req.method,
    get signal() {
      return exchange.signal;
    },
  };
}

/**
 * Read-your-writes on any node (design: `X-Revenge-Index`). Resolves to whether what was known
 * before may be of an earlier index.
 */
async function awaitIndex(exchange: Exchange, context: ServeContext): Promise<boolean> {
  const header = exchange.req.headers['x-revenge-index'];
  if (header === undefined) return false;
  const index = Number(header);
  if (!/^\d{1,16}$/.test(String(header)) || !Number.isSafeInteger(index)) {
    throw problem('bad-request', 'X-Revenge-Index is not an index');
  }
  if (index <= context.clock.applied()) return false;
  if (await context.clock.waitFor(index, context.behindMs)) return true;
  if (context.bypassCaches) {
    // Every change that was acknowledged is in the database: only caches are behind.
    context.bypassCaches(exchange);
    return true;
  }
  throw problem('behind', `This node is at ${context.clock.applied()}, not yet at ${index}`, {
    retryAfterSeconds: 1,
  });
}

async function answer(
  exchange: Exchange,
  context: ServeContext,
  outcome: { route: Route; reply: JsonAnswer<unknown> | StreamReply; reflected: number },
): Promise<void> {
  const { route, reply, reflected } = outcome;
  // A read may have begun just before the latest index, and then does not show it.
  const index = mutations.has(exchange.req.method) ? context.clock.applied() : reflected;
  // Who names an index shall find its own changes everywhere: without one, it is promised nothing.
  const isTold = !route.quiet && context.isUncovered?.(exchange) !== true;
  if (isTold) exchange.headers.push('X-Revenge-Index', String(index));
  if ('stream' in reply) {
    if (context.revoke) endWhenRevoked(exchange, reply, context.revoke);
    return sendStream(exchange, reply);
  }
  if (context.validateResponses) await checkReply(route, reply);
  await sendJson(exchange, reply, { status: route.status, render: context.render });
}

/** In tests and development an answer that breaks the spec is a fault of ours: 500. */
async function checkReply(route: Route, reply: JsonAnswer<unknown>): Promise<void> {
  const status = reply.status ?? route.status;
  const sent: unknown =
    reply.body === undefined ? undefined : JSON.parse(JSON.stringify(reply.body));
  const fault = await route.validator.response(status, 'application/json', sent);
  if (fault) throw new Error(`the answer of ${route.operationId} breaks the spec: ${fault}`);
}
