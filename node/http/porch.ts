import { createServer, type ServerResponse } from 'node:http';
import { problems } from '#services/errors.ts';
import type { Log } from '#services/log.ts';

/** What answers where a node will be, as long as it is not there yet. */
export interface Porch extends AsyncDisposable {
  /** 0 when nothing listens. */
  readonly port: number;
  /** Leaves the port to the node; twice is once. */
  close(): Promise<void>;
}

export interface PorchOptions {
  readonly host: string;
  /** 0: nobody knows where to ask, so nothing listens. */
  readonly port: number;
  readonly version: string;
  readonly nodeId: string;
  /** Milliseconds, of any origin. */
  readonly now: () => number;
  readonly log: Log;
}

/** As `/health/swarm` of a node that runs: by then its container is worth keeping. */
const patienceMs = 30_000;
const retryAfterSeconds = 2;

/**
 * A node that waits for its database or for its cluster is alive: whoever probes it is told so from
 * the first moment, or an orchestrator would kill it for being silent, again and again for as long
 * as the database is away. Everything but the probes is answered 503.
 * Rejects when the port is taken or may not be used.
 */
export async function openPorch(options: PorchOptions): Promise<Porch> {
  const { host, port, log, now } = options;
  if (port === 0) return none;
  const since = now();
  const isWell: Readonly<Record<string, () => boolean>> = {
    '/health/live': () => true,
    '/health/startup': () => false,
    '/health/ready': () => false,
    '/health/cluster': () => false,
    '/health/swarm': () => now() - since > patienceMs,
  };
  const server = createServer((req, res) => {
    const ask = isWell[req.url?.split('?')[0] ?? ''];
    if (ask) tellHealth(res, ask(), options);
    else tellWait(res);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  log.debug('answers probes until the node is there', { port });
  const close = () =>
    new Promise<void>((resolve) => {
      // Called with an error when it is closed already, which is as good.
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { port, close, [Symbol.asyncDispose]: close };
}

const none: Porch = {
  port: 0,
  close: () => Promise.resolve(),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

const common = { 'Cache-Control': 'no-store', Connection: 'close' };

function tellHealth(
  res: ServerResponse,
  isWell: boolean,
  { version, nodeId }: Pick<PorchOptions, 'version' | 'nodeId'>,
): void {
  const status = isWell ? 'ok' : 'failing';
  const start = { status: 'failing', detail: 'waits for its database or its cluster' };
  res
    .writeHead(isWell ? 200 : 503, { ...common, 'Content-Type': 'application/json' })
    .end(JSON.stringify({ status, version, nodeId, checks: { start } }));
}

function tellWait(res: ServerResponse): void {
  const { title } = problems.unavailable;
  const detail = 'This node is starting; ask again, or ask another node';
  const body = { type: '/problems/unavailable', title, status: 503, detail };
  res
    .writeHead(503, {
      ...{ ...common, 'Content-Type': 'application/problem+json' },
      'Retry-After': String(retryAfterSeconds),
    })
    .end(JSON.stringify(body));
}
