import { createServer } from 'node:http';
import type { Config } from './config/keys.ts';
import type { Metrics } from './metrics.ts';

/**
 * Serves /metrics on a listener of its own when `metrics.port` is set, without authentication: it is
 * meant for the loopback or an internal network. Rejects when the port is taken.
 */
export async function startMetricsListener(
  config: Config,
  { registry }: Metrics,
): Promise<AsyncDisposable> {
  const port = config['metrics.port'];
  if (port === undefined) return { [Symbol.asyncDispose]: () => Promise.resolve() };
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      (error: Error) => response.writeHead(500).end(error.message),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, config['metrics.host'], resolve);
  });
  return {
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
