import { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import type { HandlersOf, RequestFacts } from '#api/handler.ts';
import { ProblemError, problem } from '#services/errors.ts';
import type { Event, EventSource } from '#services/events.ts';
import type { Log } from '#services/log.ts';
import { permits, type Principal } from '#services/principal.ts';
import { limitsOf, sees } from '#services/visible.ts';
import type { Recheck } from './revoke.ts';
import type { Timers } from './timers.ts';

/** What event streams take. */
export interface EventStreamDeps {
  events: EventSource;
  log: Log;
  now: () => number;
  timers: Timers;
  recheck: Recheck;
}

/** Their limits. */
export interface EventStreamOptions {
  perUserMax?: number;
  totalMax?: number;
  heartbeatMs?: number;
  /** How often it is asked whether the listener may still listen. */
  recheckMs?: number;
  /** After this long a stream ends, and the client comes back with a fresh token. */
  lifetimeMs?: number;
  /** Bytes that may wait for a slow client before it is cut off. */
  bufferMaxBytes?: number;
  retryMs?: number;
}

export interface EventStreams {
  readonly handlers: HandlersOf<'streamEvents'>;
  /** Streams that are open. */
  count(): number;
}

interface Subscriber {
  principal: Principal;
  /** Undefined: all. */
  names: readonly string[] | undefined;
  request: RequestFacts;
  since: string | undefined;
}

/**
 * Live changes as server-sent events (WHATWG HTML §9.2). Who connects again with the last id, here
 * or at another node, gets what happened meanwhile, or `event: reset` when that is not known.
 */
export function createEventStreams(
  deps: EventStreamDeps,
  options: EventStreamOptions = {},
): EventStreams {
  const perUser = new Map<string, number>();
  const { perUserMax = 10, totalMax = 1_000 } = options;
  let total = 0;
  const enter = (userId: string) => {
    const open = perUser.get(userId) ?? 0;
    if (open >= perUserMax) {
      throw problem('too-many-requests', `You have ${open} event streams open already`, {
        retryAfterSeconds: 10,
      });
    }
    if (total >= totalMax) {
      throw problem('unavailable', 'This node has no event stream left', { retryAfterSeconds: 10 });
    }
    perUser.set(userId, open + 1);
    total += 1;
  };
  const leave = (userId: string) => {
    total -= 1;
    const open = (perUser.get(userId) ?? 1) - 1;
    if (open > 0) perUser.set(userId, open);
    else perUser.delete(userId);
  };
  return {
    count: () => total,
    handlers: {
      async streamEvents({ principal, query, request }) {
        if (!principal) throw problem('unauthenticated', 'This needs a token or an API key');
        // The header is what a browser sends by itself after a break, so it is the newer one.
        const since = request.headers['last-event-id'] || query.since;
        const head = { status: 200, headers: streamHeaders };
        if (request.method === 'HEAD') return { ...head, stream: undefined };
        enter(principal.userId);
        const subscriber = { principal, names: query.events, request, since };
        const stream = openStream(deps, options, subscriber);
        stream.once('close', () => leave(principal.userId));
        return { ...head, stream };
      },
    },
  };
}

const streamHeaders = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store',
  'X-Accel-Buffering': 'no', // nginx would hold events back
};

function openStream(
  { events, log, now, timers, recheck }: EventStreamDeps,
  options: EventStreamOptions,
  { principal, names, request, since }: Subscriber,
): Readable {
  const { heartbeatMs = 15_000, lifetimeMs = 900_000, bufferMaxBytes = 262_144 } = options;
  const { recheckMs = 5_000, retryMs = 3_000 } = options;
  const cleanups: (() => void)[] = [];
  const stream = new Readable({
    read: () => undefined,
    destroy(error, done) {
      for (const cleanup of cleanups) cleanup();
      done(error);
    },
  });
  let closing = false;
  const ended = () => stream.destroyed || closing;
  const finish = () => {
    if (!ended()) stream.push(null);
    closing = true;
    for (const cleanup of cleanups) cleanup();
  };
  const write = (text: string) => {
    if (ended()) return;
    if (stream.readableLength + text.length <= bufferMaxBytes) return void stream.push(text);
    log.warn('event stream cut off: the client is too slow', { userId: principal.userId });
    stream.destroy();
  };
  const concerns = (event: Event) => isFor(event, principal) && isWanted(event.name, names);
  const reset = () => `${place()}event: reset\ndata: {"reason":"lost"}\n\n`;
  const { missed, position, unsubscribe } = events.subscribe(
    {
      tell(event) {
        if (concerns(event)) write(frame(event));
        if (endsSession(event, principal)) finish();
      },
      lost: () => write(reset()),
    },
    since,
  );
  // Not only with events: one who hears few of them comes back from where he really is.
  const place = () => `id: ${position()}\n`;
  cleanups.push(unsubscribe);
  const backlog = (missed ?? []).filter(concerns).map(frame).join('');
  // More than the buffer takes would cut the client off, and again each time it comes back.
  const isWhole = missed !== undefined && backlog.length <= bufferMaxBytes / 2;
  write(`retry: ${retryMs}\n\n`);
  write(isWhole ? `${backlog}${place()}\n` : reset());
  if (missed?.some((event) => endsSession(event, principal))) finish();
  const look = () =>
    recheck(principal).then(
      (present) => {
        const isSeenSame = isDeepStrictEqual(limitsOf(present), limitsOf(principal));
        // What was read of libraries that are no longer there is to go, and others to come.
        if (!isSeenSame) write(reset());
        if (!isSeenSame || !isSame(present, principal)) finish();
      },
      // A database that is away ends nobody's stream; it has an end anyway.
      (error: unknown) => error instanceof ProblemError && finish(),
    );
  const leftMs = principal.expiresAt === undefined ? lifetimeMs : principal.expiresAt - now();
  cleanups.push(timers.every(heartbeatMs, () => write(`:\n${place()}\n`)));
  cleanups.push(timers.every(recheckMs, () => !ended() && void look()));
  cleanups.push(timers.after(Math.max(0, Math.min(lifetimeMs, leftMs)), finish));
  request.signal.addEventListener('abort', finish, { once: true });
  cleanups.push(() => request.signal.removeEventListener('abort', finish));
  if (request.signal.aborted || ended()) finish(); // it was over before it began
  return stream;
}

/** One after the other is told the same event: what it looks like is made once. */
let latest: { readonly event: Event; readonly text: string } | undefined;

/** JSON has no line breaks, so one `data` line holds it. */
function frame(event: Event): string {
  if (latest?.event === event) return latest.text;
  const { id, index, at, name, payload } = event;
  const data = JSON.stringify({ id, index, at: new Date(at).toISOString(), name, payload });
  const text = `id: ${id}\nevent: ${name}\ndata: ${data}\n\n`;
  latest = { event, text };
  return text;
}

function isFor({ audience, payload }: Event, principal: Principal): boolean {
  if ('libraryId' in payload && !sees(principal, payload.libraryId)) return false;
  if (audience === 'all') return true;
  if ('userId' in audience) return audience.userId === principal.userId;
  return permits(principal.permissions, audience.permission);
}

function isWanted(name: string, patterns: readonly string[] | undefined): boolean {
  if (!patterns) return true;
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );
}

/** Whether what a listener may hear is still the same; if not, it comes back as what it is now. */
function isSame(present: Principal, principal: Principal): boolean {
  const { permissions } = principal;
  return (
    present.userId === principal.userId &&
    present.permissions.size === permissions.size &&
    [...present.permissions].every((permission) => permissions.has(permission))
  );
}

function endsSession(event: Event, principal: Principal): boolean {
  if (event.name !== 'session.revoked') return false;
  const { sessionId } = event.payload as { sessionId: string };
  return sessionId === principal.credentialId;
}
