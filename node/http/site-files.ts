import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { Coding } from './encoding.ts';
import { scriptHashes } from './site-policy.ts';

/** One file of the web app, in memory, as it was built. */
export interface SiteFile {
  readonly type: string;
  readonly etag: string;
  /** Its name holds a hash of its content, so it never changes. */
  readonly isImmutable: boolean;
  readonly body: Buffer;
  /** Compressed when it was built. */
  readonly coded: ReadonlyMap<Coding, Buffer>;
}

/** The web app: about a megabyte, read once, so that no request of it waits for a disk. */
export interface SiteFiles {
  readonly files: ReadonlyMap<string, SiteFile>;
  /** The page for every address of the app, which finds its way by itself. */
  readonly page: SiteFile;
  /** Of the scripts that stand in the page. */
  readonly scripts: readonly string[];
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.txt': 'text/plain; charset=utf-8',
};
const endings: readonly [string, Coding][] = [
  ['.br', 'br'],
  ['.gz', 'gzip'],
];
const immutable = '/_app/immutable/';

/** Reads the web app that was built into `dir`; undefined when there is none. */
export async function readSite(dir: string): Promise<SiteFiles | undefined> {
  const paths = await listFiles(dir);
  const plain = paths.filter((path) => !endings.some(([ending]) => path.endsWith(ending)));
  const known = new Set(paths);
  const files = new Map<string, SiteFile>();
  for (const path of plain) files.set(`/${path}`, await readOne(dir, path, known));
  const page = files.get('/index.html');
  return page && { files, page, scripts: scriptHashes(page.body.toString()) };
}

async function listFiles(dir: string): Promise<string[]> {
  try {
    const found = await readdir(dir, { recursive: true, withFileTypes: true });
    return found
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(join(dir, '/').length));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function readOne(dir: string, path: string, known: ReadonlySet<string>): Promise<SiteFile> {
  const body = await readFile(join(dir, path));
  const coded = new Map<Coding, Buffer>();
  for (const [ending, coding] of endings) {
    if (known.has(path + ending)) coded.set(coding, await readFile(join(dir, path + ending)));
  }
  return {
    type: types[extname(path)] ?? 'application/octet-stream',
    etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
    isImmutable: `/${path}`.startsWith(immutable),
    ...{ body, coded },
  };
}
