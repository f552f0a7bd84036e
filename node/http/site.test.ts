import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { operationsOf } from '#api/spec.ts';
import { specOf, testApi, type TestApi } from '#test/http.ts';
import { readSite } from './site-files.ts';
import { pageHeaders, scriptHashes } from './site-policy.ts';

const script = 'start("here");';
const page = `<!doctype html><script src="/look.js"></script><script>${script}</script>`;
const hashed = '/_app/immutable/entry/start.abc.js';
const other = 'http://192.168.1.11:8080';
const body = `export const answer = ${'42'.repeat(2000)};`;

async function buildSite(dir: string): Promise<void> {
  const files: Record<string, string | Buffer> = {
    'index.html': page,
    'look.js': 'look();',
    'manifest.webmanifest': '{}',
    [hashed.slice(1)]: body,
    [`${hashed.slice(1)}.br`]: brotliCompressSync(body),
    [`${hashed.slice(1)}.gz`]: gzipSync(body),
  };
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), content);
  }
}

describe('the web app', () => {
  let dir: string;
  let api: TestApi;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'revenge-site-'));
    await buildSite(dir);
    const spec = specOf('auth', 'users');
    const nothing = async () => ({ body: {} });
    const ids = [...operationsOf(spec)].map(({ operation }) => operation.operationId);
    const handlers = Object.fromEntries(ids.map((id) => [id, nothing]));
    const site = await readSite(dir);
    const origins = () => ({
      pages: new Set([other]),
      nodes: new Set([other, 'http://[fd00::1]:80']),
    });
    api = await testApi({ spec, handlers, origins, app: { site, validateResponses: false } });
  });
  after(async () => {
    await api.close();
    await rm(dir, { recursive: true });
  });

  const html = { headers: { accept: 'text/html,*/*' } };

  for (const path of ['/', '/setup?token=abc', '/movies/01890000-0000-7000-8000-000000000001']) {
    it(`is the page of ${path}`, async () => {
      const answer = await api.fetch(path, html);
      expect(answer.status).to.equal(200);
      expect(answer.headers.get('content-type')).to.equal('text/html; charset=utf-8');
      expect(answer.headers.get('cache-control')).to.equal('no-cache');
      expect(await answer.text()).to.equal(page);
    });
  }

  for (const path of ['/nothing.js', '/_app/immutable/gone.js', '/../index.html.bak', '/x.br']) {
    it(`has nothing at ${path}`, async () => {
      expect((await api.fetch(path, html)).status).to.equal(404);
    });
  }

  it('takes no address of the API for a page', async () => {
    expect((await api.fetch('/api/v1/nothing', html)).status).to.equal(404);
  });

  it('is no page for who wants none', async () => {
    const headers = { accept: 'application/json' };
    expect((await api.fetch('/movies', { headers })).status).to.equal(404);
  });

  it('runs the scripts of its page and no other', async () => {
    const policy = (await api.fetch('/', html)).headers.get('content-security-policy') ?? '';
    const [hash = ''] = scriptHashes(page);
    expect(policy).to.contain(`script-src 'self' ${hash}`);
    expect(policy).to.not.match(/unsafe|\*/);
    for (const directive of ['connect-src', 'img-src', 'media-src']) {
      expect(policy.split(';').find((one) => one.startsWith(directive))).to.contain(other);
    }
  });

  it('lets what is named by its content be kept for ever, and is compressed already', async () => {
    for (const coding of ['br', 'gzip']) {
      const headers = { 'accept-encoding': coding };
      const answer = await api.fetch(hashed, { headers });
      expect(answer.headers.get('content-encoding')).to.equal(coding);
      expect(answer.headers.get('content-type')).to.equal('text/javascript; charset=utf-8');
      expect(answer.headers.get('cache-control')).to.equal('public, max-age=31536000, immutable');
      expect(await answer.text()).to.equal(body);
    }
    const plain = await api.fetch(hashed, { headers: { 'accept-encoding': 'identity' } });
    expect(plain.headers.get('content-encoding')).to.equal(null);
    expect(await plain.text()).to.equal(body);
  });

  it('is not sent again to who has it', async () => {
    const etag = (await api.fetch('/look.js')).headers.get('etag') ?? '';
    const answer = await api.fetch('/look.js', { headers: { 'if-none-match': etag } });
    expect(answer.status).to.equal(304);
  });

  it('answers HEAD without a body', async () => {
    const answer = await api.fetch('/look.js', { method: 'HEAD' });
    expect(answer.status).to.equal(200);
    expect(answer.headers.get('content-length')).to.equal('7');
  });

  describe('that another node has served', () => {
    const ask = (origin: string, init: RequestInit = {}) =>
      api.fetch('/api/v1/auth/setup', { ...init, headers: { origin, ...init.headers } });

    it('may go on here', async () => {
      const answer = await ask(other);
      expect(answer.headers.get('access-control-allow-origin')).to.equal(other);
      expect(answer.headers.get('access-control-allow-credentials')).to.equal(null);
      expect(answer.headers.get('access-control-expose-headers')).to.contain('X-Revenge-Index');
      expect(answer.headers.get('vary')).to.contain('Origin');
    });

    it('may ask first', async () => {
      const headers = {
        'access-control-request-method': 'PUT',
        'access-control-request-headers': 'authorization,idempotency-key,x-revenge-index',
      };
      const answer = await ask(other, { method: 'OPTIONS', headers });
      expect(answer.status).to.equal(204);
      expect(answer.headers.get('access-control-allow-methods')).to.contain('PUT');
      const allowed = answer.headers.get('access-control-allow-headers') ?? '';
      for (const name of headers['access-control-request-headers'].split(',')) {
        expect(allowed).to.contain(name);
      }
    });

    it('is told of its failures too', async () => {
      const answer = await api.fetch('/api/v1/nothing', { headers: { origin: other } });
      expect(answer.status).to.equal(404);
      expect(answer.headers.get('access-control-allow-origin')).to.equal(other);
    });

    it('is nobody else', async () => {
      for (const origin of ['https://evil.example', 'null', `${other}0`]) {
        const answer = await ask(origin);
        expect(answer.headers.get('access-control-allow-origin'), origin).to.equal(null);
      }
    });
  });
});

describe('the headers of a page', () => {
  it('name each script that stands in it, and only those', () => {
    const found = scriptHashes(
      '<script>a()</script><script type="module">b()</script><script src="/c">',
    );
    expect(found).to.have.length(2);
    expect(found[0]).to.match(/^'sha256-[\w+/]{43}='$/);
  });

  it('stay as they are where nothing is added', () => {
    const headers = ['Content-Security-Policy', "script-src 'self';img-src 'self'", 'X', 'y'];
    expect(pageHeaders(headers, { scripts: [], origins: [] })).to.deep.equal(headers);
  });
});
