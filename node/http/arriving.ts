import type { IncomingMessage, Server } from 'node:http';

/** Beside the requests: bodies whose readers see to it themselves that enough of them comes. */
const lasting = new WeakSet<IncomingMessage>();

/** Lets a body take as long as it does, until it is disposed of. */
export function letTakeTime(req: IncomingMessage): Disposable {
  lasting.add(req);
  return { [Symbol.dispose]: () => void lasting.delete(req) };
}

/**
 * Ends requests that have not arrived in time, as Node does by itself, but for all alike. Returns
 * how to stop.
 */
export function limitArrival(
  server: Server,
  { timeoutMs, everyMs }: { readonly timeoutMs: number; readonly everyMs: number },
): () => void {
  const arriving = new Map<IncomingMessage, number>();
  const note = (req: IncomingMessage) => {
    const { 'content-length': length, 'transfer-encoding': coding } = req.headers;
    // Nothing of it is still to come.
    if (coding === undefined && (length === undefined || length === '0')) return;
    arriving.set(req, performance.now());
    req.once('close', () => arriving.delete(req));
  };
  server.on('request', note).on('checkContinue', note);
  const sweep = () => {
    const latest = performance.now() - timeoutMs;
    for (const [req, since] of arriving) {
      if (req.complete) arriving.delete(req);
      else if (since <= latest && !lasting.has(req)) {
        arriving.delete(req);
        const error = Object.assign(new Error('late'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
        server.emit('clientError', error, req.socket);
      }
    }
  };
  const timer = setInterval(sweep, everyMs).unref();
  return () => clearInterval(timer);
}
