import type { Log } from '#services/log.ts';
import type { Exchange } from './exchange.ts';
import { redactUrl } from './redact.ts';

/** One finished request, for metrics. `route` is the template, so that it has few values. */
export interface RequestFact {
  method: string;
  route: string;
  status: number;
  durationMs: number;
  bytes: number;
}

/** Where finished requests are counted. */
export interface RequestMetrics {
  request(fact: RequestFact): void;
}

const clientGone = 499; // nginx's number for it: no answer was sent
const known: ReadonlySet<string> = new Set('GET HEAD POST PUT PATCH DELETE OPTIONS'.split(' '));

/** Notes each request once, when it is over: one log line, one count. */
export function createRecorder(deps: {
  log: Log;
  metrics: RequestMetrics | undefined;
  now: () => number;
}): (exchange: Exchange) => void {
  const { log, metrics, now } = deps;
  return (exchange) => {
    const { req, res, route } = exchange;
    const durationMs = now() - exchange.startedAt;
    const bytes = Math.max(0, (req.socket.bytesWritten ?? 0) - exchange.bytesBefore);
    const status = res.headersSent ? res.statusCode : clientGone;
    const method = known.has(req.method) ? req.method : 'other';
    metrics?.request({ method, route: route?.path ?? 'none', status, durationMs, bytes });
    const level = route?.quiet && status < 500 ? 'debug' : 'info';
    if (!log.isLevelEnabled(level)) return;
    log.log(level, 'request', {
      method,
      route: route?.path,
      ...(route === undefined && { path: redactUrl(exchange.path) }),
      status,
      durationMs: Number(durationMs.toFixed(2)),
      bytes,
      requestId: exchange.id,
      userId: exchange.principal?.userId,
      ...(res.headersSent && !res.writableFinished && { cutOff: true }),
    });
  };
}
