import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import sendFile from 'send';
import type { Exchange } from './exchange.ts';
import type { SecurityHeaders } from './headers.ts';
import { send } from './reply.ts';
import { setupFiles, type SetupFile } from './setup-page.ts';

const signpost: SetupFile = {
  type: 'text/html; charset=utf-8',
  body: Buffer.from(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Revenge</title>
<h1>Revenge</h1>
<p>This node is up. <a href="/api/docs">What its API can do</a>.</p>
</html>
`),
};

/** Answers what is not in the spec, or says that it does not know the path either. */
export type Site = (exchange: Exchange) => Promise<boolean>;

/**
 * The web app's files at `/`, with its first page for every path that is not a file (the app
 * routes by itself). Without a folder, `/` is a signpost to the API's reference, and `/setup` makes
 * the first administrator.
 */
export function createSite(options: { dir: string | undefined; security: SecurityHeaders }): Site {
  const { dir, security } = options;
  return async (exchange) => {
    const { req, path } = exchange;
    if (req.method !== 'GET' && req.method !== 'HEAD') return false;
    if (path.startsWith('/api/')) return false;
    if (dir !== undefined) return sendSite(exchange, { dir, security });
    const file = path === '/' ? signpost : setupFiles.get(path);
    if (file === undefined) return false;
    exchange.security = security.page;
    const headers = ['Content-Type', file.type, 'Cache-Control', 'no-store'];
    send(exchange, 200, { body: file.body, headers });
    return true;
  };
}

async function sendSite(
  exchange: Exchange,
  { dir, security }: { dir: string; security: SecurityHeaders },
): Promise<boolean> {
  const { req, res, path } = exchange;
  const isFile = /\.[a-z0-9]+$/i.test(path);
  const wantsPage = req.headers.accept?.includes('text/html') ?? false;
  if (!isFile && !wantsPage && path !== '/') return false;
  const target = isFile ? path : '/index.html';
  if (!(await exists(join(dir, 'index.html')))) return false;
  const headers = [...security.page, ...exchange.headers];
  for (let i = 0; i < headers.length; i += 2) res.setHeader(headers[i] ?? '', headers[i + 1] ?? '');
  return new Promise((resolve, reject) => {
    sendFile(req, target, { root: dir, dotfiles: 'ignore', index: false })
      .on('error', (error: Error & { statusCode?: number }) => {
        for (let i = 0; i < headers.length; i += 2) res.removeHeader(headers[i] ?? '');
        if ((error.statusCode ?? 500) < 500) resolve(false);
        else reject(error);
      })
      .on('end', () => resolve(true))
      .pipe(res);
    res.on('close', () => resolve(true));
  });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
