import type { Exchange } from './exchange.ts';
import { send } from './reply.ts';

/** Origins (RFC 6454) of this cluster, as browsers see them. */
export interface KnownOrigins {
  /** Whose pages may use this node's API although they came from elsewhere. */
  readonly pages: ReadonlySet<string>;
  /** Where a page of ours may go on when the node it came from is gone. */
  readonly nodes: ReadonlySet<string>;
}

const allowed = [
  ...['authorization', 'content-type', 'idempotency-key', 'if-match', 'if-none-match'],
  ...['last-event-id', 'x-api-key', 'x-revenge-index'],
].join(', ');
const exposed = 'ETag, Retry-After, X-Request-Id, X-Revenge-Index, X-Revenge-Stale';
const preflightSeconds = '600';

/**
 * Lets the web app that another node of the cluster has served go on here when that node is gone
 * (Fetch, CORS protocol). Never with credentials: a token is what proves a request, and a page that
 * has none gains nothing. Returns true when the request was a preflight, and is answered.
 */
export function admitOrigin(exchange: Exchange, origins: () => KnownOrigins): boolean {
  const { req, headers } = exchange;
  const { origin } = req.headers;
  if (origin === undefined) return false;
  // Caches must not give one origin's answer to another.
  headers.push('Vary', 'Origin');
  if (!origins().pages.has(origin)) return false;
  headers.push('Access-Control-Allow-Origin', origin);
  headers.push('Access-Control-Expose-Headers', exposed);
  const wanted = req.headers['access-control-request-method'];
  if (req.method !== 'OPTIONS' || wanted === undefined) return false;
  const answer = ['Access-Control-Allow-Methods', 'GET, HEAD, PUT, POST, PATCH, DELETE'];
  answer.push('Access-Control-Allow-Headers', allowed);
  send(exchange, 204, { headers: [...answer, 'Access-Control-Max-Age', preflightSeconds] });
  return true;
}
