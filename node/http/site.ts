import { chooseCoding } from './encoding.ts';
import type { Exchange } from './exchange.ts';
import type { SecurityHeaders } from './headers.ts';
import { matchesTag } from './rendering.ts';
import { send } from './reply.ts';
import { setupFiles, type SetupFile } from './setup-page.ts';
import type { SiteFile, SiteFiles } from './site-files.ts';
import type { KnownOrigins } from './site-origins.ts';
import { pageHeaders } from './site-policy.ts';

const signpost: SetupFile = {
  type: 'text/html; charset=utf-8',
  body: Buffer.from(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Revenge</title>
<h1>Revenge</h1>
<p>This node is up. <a href="/api/docs">What its API can do</a>.</p>
<p>The web app is not built here: <code>npm run build</code> builds it.</p>
</html>
`),
};

/** Answers what is not in the spec, or says that it does not know the path either. */
export type Site = (exchange: Exchange) => Promise<boolean>;

export interface SiteOptions {
  /** Undefined where the web app was not built. */
  readonly files: SiteFiles | undefined;
  readonly security: SecurityHeaders;
  readonly origins: () => KnownOrigins;
}

/**
 * The web app at `/`, with its page for every path that is not a file (the app routes by itself).
 * Where it was not built, `/` is a signpost to the API's reference, and `/setup` makes the first
 * administrator.
 */
export function createSite({ files, security, origins }: SiteOptions): Site {
  return async (exchange) => {
    const { req, path } = exchange;
    if (req.method !== 'GET' && req.method !== 'HEAD') return false;
    if (path.startsWith('/api/')) return false;
    if (files === undefined) return sendBare(exchange, security);
    const file = files.files.get(path) ?? (isPage(exchange) ? files.page : undefined);
    if (file === undefined) return false;
    const isDocument = file.type.startsWith('text/html');
    exchange.security = isDocument
      ? pageHeaders(security.page, { scripts: files.scripts, origins: origins().nodes })
      : security.page;
    sendFile(exchange, file);
    return true;
  };
}

/** A path of the app rather than a file that is not there. */
function isPage({ req, path }: Exchange): boolean {
  if (path === '/') return true;
  const wantsPage = req.headers.accept?.includes('text/html') ?? false;
  return wantsPage && !/\.[a-z0-9]+$/i.test(path);
}

const forever = 'public, max-age=31536000, immutable';

function sendFile(exchange: Exchange, file: SiteFile): void {
  const { req } = exchange;
  const { type, etag, isImmutable, coded } = file;
  const headers = ['Cache-Control', isImmutable ? forever : 'no-cache', 'ETag', etag];
  headers.push('Vary', 'Accept-Encoding');
  if (matchesTag(req.headers['if-none-match'], etag)) return send(exchange, 304, { headers });
  const coding = coded.size === 0 ? undefined : chooseCoding(req.headers['accept-encoding']);
  const body = coding && coded.get(coding);
  headers.push('Content-Type', type);
  if (coding && body) headers.push('Content-Encoding', coding);
  send(exchange, 200, { headers, body: body ?? file.body });
}

function sendBare(exchange: Exchange, security: SecurityHeaders): boolean {
  const file = exchange.path === '/' ? signpost : setupFiles.get(exchange.path);
  if (file === undefined) return false;
  exchange.security = security.page;
  const headers = ['Content-Type', file.type, 'Cache-Control', 'no-store'];
  send(exchange, 200, { body: file.body, headers });
  return true;
}
