import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import type { HandlersOf, StreamReply } from '#api/handler.ts';
import type { Spec } from '#api/spec.ts';
import { problem } from '#services/errors.ts';
import { securityHeaders } from './headers.ts';
import { matchesTag } from './rendering.ts';

type DocsOperation = 'getOpenApiJson' | 'getOpenApiYaml' | 'getDocs' | 'getDocsFile';

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Revenge: API</title>
<link rel="icon" type="image/png" href="/api/docs/favicon-32x32.png">
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
<script src="/api/docs/swagger-ui-bundle.js" defer></script>
<script src="/api/docs/start.js" defer></script>
</head>
<body><div id="reference"></div></body>
</html>
`;

// Our own start script: the package's loads a sample from outside. No validator badge either,
// because it would send the spec's address to a stranger.
const start = `window.reference = SwaggerUIBundle({
  url: '/api/openapi.json',
  dom_id: '#reference',
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: 'none',
  filter: true,
  persistAuthorization: false,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
`;

/** The files of the page, and nothing else of the package they come from. */
const files: ReadonlyMap<string, string> = new Map([
  ['swagger-ui.css', 'text/css; charset=utf-8'],
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['favicon-16x16.png', 'image/png'],
  ['favicon-32x32.png', 'image/png'],
]);

interface Asset {
  body: Buffer;
  type: string;
  etag: string;
}

/** The API's own description: the spec as JSON and YAML, and a page to try it on. */
export function createDocs(deps: { spec: Spec }): { handlers: HandlersOf<DocsOperation> } {
  const spec = Object.freeze({ ...deps.spec });
  const yaml = asset(Buffer.from(stringify(deps.spec)), 'application/yaml; charset=utf-8');
  const assets = new Map<string, Promise<Asset>>();
  const html = asset(Buffer.from(page), 'text/html; charset=utf-8');
  assets.set('start.js', Promise.resolve(asset(Buffer.from(start), 'text/javascript')));
  const open = (name: string) => {
    const type = files.get(name);
    if (type && !assets.has(name)) assets.set(name, load(name, type));
    return assets.get(name);
  };
  return {
    handlers: {
      getOpenApiJson: async () => ({ body: spec as unknown as Record<string, never> }),
      getOpenApiYaml: async ({ request }) => reply(yaml, request),
      getDocs: async ({ request }) => reply(html, request),
      async getDocsFile({ params, request }) {
        const found = await open(params.file);
        if (!found) throw problem('not-found', 'The reference page has no such file');
        return reply(found, request);
      },
    },
  };
}

function asset(body: Buffer, type: string): Asset {
  return { body, type, etag: `"${hash('sha1', body, 'base64url')}"` };
}

async function load(name: string, type: string): Promise<Asset> {
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  return asset(await readFile(join(folder, name)), type);
}

const pageHeaders = toRecord(securityHeaders({ hsts: false }).page);

function toRecord(flat: readonly string[]): Record<string, string> {
  const record: Record<string, string> = {};
  for (let i = 0; i < flat.length; i += 2) record[flat[i] ?? ''] = flat[i + 1] ?? '';
  return record;
}

function reply(
  { body, type, etag }: Asset,
  request: { headers: Readonly<Record<string, string | undefined>> },
): StreamReply {
  const headers = { ...pageHeaders, 'Content-Type': type, ETag: etag, 'Cache-Control': 'no-cache' };
  const same = matchesTag(request.headers['if-none-match'], etag);
  return same
    ? { status: 304, headers, stream: undefined }
    : { status: 200, headers, stream: body };
}
