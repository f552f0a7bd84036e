import type { IncomingMessage, ServerResponse } from 'node:http';
import { mergeTopics, readTopics } from '#api/spec.ts';
import type { Handlers } from '#api/handler.ts';
import type { EventSource } from '#services/events.ts';
import type { Log } from '#services/log.ts';
import type { Authenticate } from '#services/principal.ts';
import type { RedisEngine } from '#storage/redis/redis.ts';
import { createApp, type AppOptions } from './app.ts';
import { createDocs } from './docs.ts';
import { listen, type Listening, type ListenOptions } from './listen.ts';
import { createProblemPages } from './problems.ts';
import type { OncePort } from './once.ts';
import type { RequestMetrics } from './record.ts';
import type { Recheck } from './revoke.ts';
import type { LeaderPort } from './leader.ts';
import type { KnownOrigins } from './site-origins.ts';
import type { IndexClock } from './index-clock.ts';
import type { Staleness } from './staleness.ts';
import { createEventStreams } from './sse.ts';
import { realTimers } from './timers.ts';

type HttpOperation =
  | keyof ReturnType<typeof createDocs>['handlers']
  | keyof ReturnType<typeof createProblemPages>['handlers']
  | keyof ReturnType<typeof createEventStreams>['handlers'];

/** What the API of a node is made of. */
export interface HttpDeps {
  /** All handlers but those of HTTP itself (documents, problems, the event stream). */
  readonly handlers: Omit<Handlers, HttpOperation>;
  readonly authenticate: Authenticate;
  readonly recheck: Recheck;
  readonly clock: IndexClock;
  readonly leader: LeaderPort;
  readonly once: OncePort;
  readonly origins: () => KnownOrigins;
  readonly isStopping: () => boolean;
  readonly events: EventSource;
  readonly redis: RedisEngine | undefined;
  readonly metrics: RequestMetrics;
  readonly staleness: Staleness;
  readonly version: string;
  readonly log: Log;
  readonly now: () => number;
}

/** An API that is served. */
export interface Http extends Listening {
  /** Takes a request that came another way than through its port. */
  readonly handle: (req: IncomingMessage, res: ServerResponse) => void;
}

/** Serves the API; disposing of it lets what runs finish. Rejects when the port is taken. */
export async function startHttp(
  deps: HttpDeps,
  options: { app: AppOptions; listen: ListenOptions },
): Promise<Http> {
  const spec = mergeTopics(readTopics().values(), deps.version);
  const streams = createEventStreams({ ...deps, timers: realTimers });
  const handlers = {
    ...deps.handlers,
    ...createDocs({ spec }).handlers,
    ...createProblemPages().handlers,
    ...streams.handlers,
  } satisfies Handlers;
  const { authenticate, recheck, clock, leader, once, origins, isStopping } = deps;
  const { log, metrics, staleness } = deps;
  const redis = deps.redis?.client;
  const app = createApp(
    {
      spec,
      handlers,
      authenticate,
      recheck,
      clock,
      leader,
      once,
      origins,
      isStopping,
      log,
      metrics,
      redis,
      staleness,
    },
    options.app,
  );
  const listening = await listen(app, options.listen);
  const close = async () => {
    await listening.close();
    await app[Symbol.asyncDispose]();
  };
  const handle = (req: IncomingMessage, res: ServerResponse) => void app.express(req, res);
  return { ...listening, handle, close, [Symbol.asyncDispose]: close };
}
