import express, { type Express, type Request, type Response } from 'express';
import type { Redis } from 'ioredis';
import type { Spec } from '#api/spec.ts';
import { problem } from '#services/errors.ts';
import type { Log } from '#services/log.ts';
import type { Authenticate } from '#services/principal.ts';
import { openExchange, type Exchange } from './exchange.ts';
import { createFail } from './failure.ts';
import { securityHeaders } from './headers.ts';
import { createInFlight, type InFlight } from './inflight.ts';
import { createRateLimits, defaultLimits, type Limits } from './limits.ts';
import { bindOperations, type AnyHandlers } from './operations.ts';
import { createRecorder, type RequestMetrics } from './record.ts';
import { createRender } from './rendering.ts';
import { quickenUrlParse } from './quicken.ts';
import type { Staleness } from './staleness.ts';
import type { Recheck } from './revoke.ts';
import { createRouter } from './router.ts';
import type { IndexClock } from './index-clock.ts';
import { createLargeBodies, type LargeBodyOptions } from './large-bodies.ts';
import type { LeaderPort } from './leader.ts';
import type { OncePort } from './once.ts';
import { serve, type ServeContext } from './serve.ts';
import type { SiteFiles } from './site-files.ts';
import { admitOrigin, type KnownOrigins } from './site-origins.ts';
import { createSite } from './site.ts';
import { realTimers, type Timers } from './timers.ts';
import { warm } from './warm.ts';

/** What an app is made of. */
export interface AppDeps {
  /** The merged spec: `mergeTopics(readTopics().values(), version)`. */
  spec: Spec;
  /** One per operation; what is missing or too much stops the start. */
  handlers: AnyHandlers;
  authenticate: Authenticate;
  /** Asked while answers last, so that they end with their caller's credential. */
  recheck?: Recheck | undefined;
  clock: IndexClock;
  /** Carries out at most once what comes under one `Idempotency-Key`. */
  once?: OncePort | undefined;
  /** Carries out what only the leader may; absent: this node is no part of a cluster. */
  leader?: LeaderPort | undefined;
  log: Log;
  metrics?: RequestMetrics | undefined;
  /** Says `X-Revenge-Stale` where caches had to serve what is past its time. */
  staleness?: Staleness | undefined;
  /** Shares the limit on sign-in attempts among the nodes. */
  redis?: Redis | undefined;
  /** Whose pages may call this API although another node has served them. */
  origins?: (() => KnownOrigins) | undefined;
  /** From then on no connection is kept for another request. */
  isStopping?: () => boolean;
  /** Milliseconds, of a clock that never goes back: a wall clock that jumps ends no request. */
  now?: () => number;
  makeRequestId?: () => string;
  timers?: Timers;
}

/** How it behaves; every one has a default. */
export interface AppOptions {
  limits?: Limits;
  /** Answers are checked against the spec, and a breach is a 500: for tests and development. */
  validateResponses?: boolean;
  /** As Express's `trust proxy`: addresses whose `X-Forwarded-For` counts. */
  trustProxy?: string | readonly string[] | false;
  hsts?: boolean;
  bodyLimitBytes?: number;
  /** Of operations that take more than that. */
  largeBodies?: Partial<LargeBodyOptions>;
  /** How long a request may wait for `X-Revenge-Index`. */
  behindMs?: number;
  /** How long a handler may take to begin its answer. */
  handlerTimeoutMs?: number;
  /** The web app, served at `/`. */
  site?: SiteFiles | undefined;
}

/** The API as an Express app, with what its listener needs to start and end it well. */
export interface App extends AsyncDisposable {
  readonly express: Express;
  readonly inFlight: InFlight;
  readonly log: Log;
  /** Compiles the validators one by one, while nobody waits for an answer. */
  warm(signal?: AbortSignal): Promise<void>;
}

const elapsed = () => performance.now();
const nowhere: KnownOrigins = { pages: new Set(), nodes: new Set() };
const none = () => nowhere;

/**
 * Mounts every operation of the spec on its handler. Throws, naming all faults, when the spec and
 * the handlers do not fit or an operation states no permission: what is not allowed is denied.
 */
export function createApp(deps: AppDeps, options: AppOptions = {}): App {
  const { spec, handlers, timers = realTimers, now = elapsed, origins = none } = deps;
  const log = deps.log.child({ module: 'http' });
  const validateResponses = options.validateResponses ?? false;
  quickenUrlParse();
  const routes = bindOperations({ spec, handlers, validateResponses });
  const security = securityHeaders({ hsts: options.hsts ?? false });
  const { behindMs = 5_000, bodyLimitBytes = 1_048_576 } = options;
  const context: ServeContext = {
    router: createRouter(routes),
    authenticate: deps.authenticate,
    limits: createRateLimits(options.limits ?? defaultLimits, deps.redis),
    clock: deps.clock,
    render: createRender(),
    security,
    ...{ bodyLimitBytes, behindMs, validateResponses },
    largeBodies: createLargeBodies(options.largeBodies),
    once: deps.once,
    bypassCaches: deps.staleness?.bypass,
    isUncovered: deps.staleness?.isUncovered,
    leader: deps.leader && {
      ...{ port: deps.leader, clock: deps.clock, bodyLimitBytes, behindMs, now },
    },
    revoke: deps.recheck && { recheck: deps.recheck, timers },
  };
  const timeoutMs = options.handlerTimeoutMs ?? 30_000;
  const inFlight = createInFlight({ now, timers, timeoutMs });
  const fail = createFail(log);
  const record = createRecorder({ log, metrics: deps.metrics, now });
  const site = createSite({ files: options.site, security, origins });
  const trustProxy = options.trustProxy ?? false;
  const opening = {
    ...{ now, makeId: deps.makeRequestId },
    ...{ security: security.data, trustProxy: !!trustProxy },
  };

  const run = async (exchange: Exchange) => {
    const serving = () => serve(exchange, context);
    const served = await (deps.staleness?.run(exchange, serving) ?? serving());
    if (served === 'answered' || (await site(exchange))) return;
    throw problem('not-found', 'There is nothing at this path');
  };

  const app = express();
  app.disable('x-powered-by');
  app
    .set('env', 'production')
    .set('etag', false)
    .set('query parser', false)
    .set('trust proxy', trustProxy);
  // One middleware that always answers: what is neither in the spec nor of the site is not there.
  app.use((req: Request, res: Response) => {
    if (deps.isStopping?.()) res.shouldKeepAlive = false;
    const exchange = openExchange(req, res, opening);
    inFlight.add(exchange, (error) => fail(exchange, error));
    res.on('close', () => {
      inFlight.remove(exchange);
      if (!res.writableFinished) exchange.abort(new Error('the client went away'));
      record(exchange);
    });
    if (admitOrigin(exchange, origins)) return;
    run(exchange).catch((error: unknown) => fail(exchange, error));
  });

  return {
    express: app,
    inFlight,
    log,
    warm: (signal) => warm({ routes, isBusy: inFlight.isAwaited, timers }, signal),
    [Symbol.asyncDispose]: async () => inFlight.close(),
  };
}
