import { expect } from 'chai';
import { createLogger, transports } from 'winston';
import type Transport from 'winston-transport';
import { problem, problems } from '#services/errors.ts';
import { fixtureSpec, testApi, type TestApi, type TestApiOptions } from '#test/http.ts';
import { widgetHandlers, widgetId } from '#test/fixtures/widgets.ts';
import { bindOperations, type AnyHandlers } from './operations.ts';

interface ProblemBody {
  type: string;
  status: number;
  detail: string;
  instance: string;
  errors?: { path: string; message: string }[];
}

const json = { 'content-type': 'application/json' };
const one = `/api/v1/widgets/${widgetId}`;

async function withApi(
  options: Partial<TestApiOptions> & { handlers?: Record<string, unknown> },
  run: (api: TestApi) => Promise<void>,
): Promise<void> {
  const handlers = { ...widgetHandlers, ...options.handlers } as AnyHandlers;
  await using api = await testApi({ ...options, handlers });
  await run(api);
}

async function expectProblem(response: Response, code: keyof typeof problems) {
  const body = (await response.json()) as ProblemBody;
  expect(body.type).to.equal(`/problems/${code}`);
  expect(response.status).to.equal(problems[code].status);
  expect(response.headers.get('content-type')).to.equal('application/problem+json');
  expect(body.instance).to.equal(response.headers.get('x-request-id'));
  return body;
}

describe('app', () => {
  let api: TestApi;
  before(async () => {
    api = await testApi({ handlers: widgetHandlers });
  });
  after(() => api.close());

  describe('who may', () => {
    it('refuses without a token, with a bad one, and without the permission', async () => {
      const refused = await api.fetch(one);
      await expectProblem(refused, 'unauthenticated');
      expect(refused.headers.get('www-authenticate')).to.match(/^Bearer/);
      await expectProblem(await api.fetch(one, { token: 'bad' }), 'token-invalid');
      const basic = await api.fetch(one, { headers: { authorization: 'Basic eHk=' } });
      await expectProblem(basic, 'token-invalid');
      await expectProblem(await api.fetch(one, { token: 'widgets:write' }), 'forbidden');
    });

    it('accepts the permission, a wildcard of it, and an API key', async () => {
      expect((await api.fetch(one, { token: 'widgets:read' })).status).to.equal(200);
      expect((await api.fetch(one, { token: 'widgets:*' })).status).to.equal(200);
      const byKey = await api.fetch(one, { headers: { 'x-api-key': 'widgets.read' } });
      expect(byKey.status).to.equal(200);
      // As the password of HTTP Basic, with any name.
      const authorization = `Basic ${Buffer.from('me:widgets.read').toString('base64')}`;
      expect((await api.fetch(one, { headers: { authorization } })).status).to.equal(200);
    });

    it('takes ?token= only where the spec says so', async () => {
      const signed = await api.fetch(`${one}/bytes?token=good`);
      expect(signed.status).to.equal(200);
      expect(signed.headers.get('cross-origin-resource-policy')).to.equal('cross-origin');
      await expectProblem(await api.fetch(`${one}/bytes?token=bad`), 'token-invalid');
      await expectProblem(await api.fetch(`${one}?token=widgets.read`), 'unauthenticated');
    });

    it('tells nobody about the contents of a request before knowing who asks', async () => {
      const init = { method: 'POST', headers: json, body: '{ not json' };
      await expectProblem(await api.fetch('/api/v1/widgets', init), 'unauthenticated');
      await expectProblem(
        await api.fetch('/api/v1/widgets', { ...init, token: 'widgets:read' }),
        'forbidden',
      );
    });

    it('does not let an old token stand in the way of a public operation', async () => {
      const init = { method: 'POST', headers: json, body: '{"name":"x"}', token: 'bad' };
      expect((await api.fetch('/api/v1/login', init)).status).to.equal(200);
    });
  });

  describe('what is asked', () => {
    const read = (query: string) => api.fetch(`/api/v1/widgets${query}`, { token: 'widgets:read' });

    const faulty: [string, string][] = [
      ['?limit=0', '/query/limit'],
      ['?limit=x', '/query/limit'],
      ['?other=1', '/query/other'],
      ['?tags=a,b,c,d,e,f', '/query/tags'],
      ['?q=a%00b', '/query'],
    ];
    for (const [query, path] of faulty) {
      it(`refuses ${query}, naming ${path}`, async () => {
        const body = await expectProblem(await read(query), 'bad-request');
        expect(body.errors?.map((error) => error.path)).to.include(path);
      });
    }

    it('hands coerced and defaulted values to the handler', async () => {
      let seen: unknown;
      const listWidgets = async ({ query }: { query: unknown }) => {
        seen = query;
        return { body: { items: [], nextCursor: null } };
      };
      await withApi({ handlers: { listWidgets } }, async (own) => {
        const query = `?tags=a,b&q=${encodeURIComponent("Ocean's (11)!*")}`;
        await own.fetch(`/api/v1/widgets${query}`, { token: 'widgets:read' });
      });
      expect({ ...(seen as object) }).to.deep.equal({
        tags: ['a', 'b'],
        q: "Ocean's (11)!*",
        limit: 50,
      });
    });

    it('refuses unknown paths and says what known ones allow', async () => {
      await expectProblem(await api.fetch('/api/v1/nothing'), 'not-found');
      const wrong = await api.fetch(one, { method: 'PUT', token: 'widgets:*' });
      await expectProblem(wrong, 'method-not-allowed');
      expect(wrong.headers.get('allow')).to.equal('GET, DELETE, HEAD, OPTIONS');
      const options = await api.fetch(one, { method: 'OPTIONS' });
      expect([options.status, options.headers.get('allow')]).to.deep.equal([
        204,
        'GET, DELETE, HEAD, OPTIONS',
      ]);
    });

    it('prefers a literal path to a parameter', async () => {
      expect((await api.fetch('/api/v1/widgets/newest', { token: 'x:y' })).status).to.equal(200);
    });

    it('refuses what is not percent-encoding', async () => {
      const init = { token: 'widgets:read' };
      await expectProblem(await api.fetch('/api/v1/widgets/%E0%A4%A', init), 'bad-request');
      await expectProblem(await api.fetch('/api/v1/widgets/%00', init), 'bad-request');
    });
  });

  describe('bodies', () => {
    const post = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = json) =>
      api.fetch('/api/v1/widgets', { method: 'POST', token: 'widgets:write', headers, body });

    it('takes JSON, with defaults', async () => {
      const made = await post('{"name":"x"}');
      expect(made.status).to.equal(201);
      expect(await made.json()).to.include({ name: 'x', size: 1 });
    });

    it('names the place of broken JSON', async () => {
      const { errors } = await expectProblem(await post('{"name":\n "x",}'), 'bad-request');
      expect(errors?.[0]).to.deep.equal({
        path: '/body',
        message: 'invalid JSON at line 2, column 6',
      });
    });

    it('names the fields that are wrong', async () => {
      const { errors } = await expectProblem(
        await post('{"name":"x","parts":[{"name":""}]}'),
        'bad-request',
      );
      expect(errors?.[0]?.path).to.equal('/body/parts/0/name');
    });

    const refused: [
      string,
      string | Uint8Array<ArrayBuffer>,
      Record<string, string>,
      keyof typeof problems,
    ][] = [
      ['another type', 'name=x', { 'content-type': 'text/plain' }, 'unsupported-media-type'],
      ['no type', new Uint8Array([123, 125]), {}, 'unsupported-media-type'],
      [
        'a foreign charset',
        '{}',
        { 'content-type': 'application/json; charset=utf-16' },
        'unsupported-media-type',
      ],
      ['a coding', '{}', { ...json, 'content-encoding': 'gzip' }, 'unsupported-media-type'],
      ['what is not UTF-8', new Uint8Array([34, 0xff, 34]), json, 'bad-request'],
      ['a NUL character', '{"name":"a\\u0000b"}', json, 'bad-request'],
      ['half a surrogate pair', '{"name":"a\\uD800b"}', json, 'bad-request'],
      ['half a pair in a name', '{"\\udc00":[null,{"a":1}]}', json, 'bad-request'],
      ['nothing', '', json, 'bad-request'],
      ['an array', '[]', json, 'bad-request'],
      ['more than 1 MiB', `{"name":"${'x'.repeat(1_048_576)}"}`, json, 'too-large'],
    ];
    for (const [name, body, headers, code] of refused) {
      it(`refuses ${name}: ${code}`, async () => {
        await expectProblem(await post(body, headers), code);
      });
    }

    it('counts the bytes of a chunked body', async () => {
      const chunk = new TextEncoder().encode('x'.repeat(100_000));
      const body = new ReadableStream({
        pull: (controller) => controller.enqueue(chunk),
      });
      const init = { method: 'POST', token: 'widgets:write', headers: json, body, duplex: 'half' };
      await expectProblem(await api.fetch('/api/v1/widgets', init as RequestInit), 'too-large');
    });

    it('does not miss an optional body', async () => {
      const init = { method: 'DELETE', token: 'widgets:write' };
      expect((await api.fetch(one, init)).status).to.equal(204);
      const wrong = await api.fetch(one, { ...init, headers: json, body: '{}' });
      await expectProblem(wrong, 'bad-request');
    });
  });

  describe('answers', () => {
    it('carry the request’s id: the client’s when it is harmless', async () => {
      const own = await api.fetch('/x', { headers: { 'x-request-id': 'client-id-1' } });
      expect(own.headers.get('x-request-id')).to.equal('client-id-1');
      const made = await api.fetch('/x', { headers: { 'x-request-id': '<script>' } });
      expect(made.headers.get('x-request-id')).to.match(/^[0-9a-f-]{36}$/);
    });

    it('carry the security headers', async () => {
      const { headers } = await api.fetch(one);
      expect(headers.get('content-security-policy')).to.contain("default-src 'none'");
      expect(headers.get('x-content-type-options')).to.equal('nosniff');
      expect(headers.get('x-frame-options')).to.equal('DENY');
      expect(headers.has('x-powered-by')).to.equal(false);
    });

    it('tell of reads that nothing has changed', async () => {
      const first = await api.fetch(one, { token: 'widgets:read' });
      const etag = first.headers.get('etag')!;
      const again = await api.fetch(one, {
        token: 'widgets:read',
        headers: { 'if-none-match': etag },
      });
      expect([again.status, await again.text(), again.headers.get('etag')]).to.deep.equal([
        304,
        '',
        etag,
      ]);
    });

    it('answer HEAD like GET without a body', async () => {
      const head = await api.fetch(one, { method: 'HEAD', token: 'widgets:read' });
      const get = await api.fetch(one, { token: 'widgets:read' });
      expect(await head.text()).to.equal('');
      expect(head.headers.get('content-length')).to.equal(String((await get.text()).length));
      expect(head.headers.get('etag')).to.equal(get.headers.get('etag'));
    });

    it('are compressed when large, never when bytes', async () => {
      const items = Array.from({ length: 50 }, () => ({
        id: widgetId,
        name: 'x',
        createdAt: '2026-01-02T03:04:05Z',
      }));
      const handlers = {
        listWidgets: async () => ({ body: { items, nextCursor: null } }),
        getWidgetBytes: async () => ({ status: 200, headers: {}, stream: 'x'.repeat(5000) }),
      };
      await withApi({ handlers }, async (own) => {
        for (const coding of ['br', 'gzip']) {
          const headers = { 'accept-encoding': coding };
          const large = await own.fetch('/api/v1/widgets', { token: 'widgets:read', headers });
          expect(large.headers.get('content-encoding')).to.equal(coding);
          expect(large.headers.get('vary')).to.equal('Accept-Encoding');
          expect(await large.json()).to.deep.equal({ items, nextCursor: null });
          const bytes = await own.fetch(`${one}/bytes`, { token: 'widgets:read', headers });
          expect(bytes.headers.has('content-encoding')).to.equal(false);
        }
      });
    });

    it('of writes carry the cluster’s index', async () => {
      const clock = { applied: () => 42, waitFor: async () => false };
      await withApi({ clock }, async (own) => {
        const written = await own.fetch(one, { method: 'DELETE', token: 'widgets:write' });
        expect(written.headers.get('x-revenge-index')).to.equal('42');
      });
    });

    it('wait for the index a client has seen, but not for ever', async () => {
      const waited: number[] = [];
      const clock = {
        applied: () => 5,
        waitFor: async (index: number) => waited.push(index) > 0 && index < 10,
      };
      await withApi({ clock }, async (own) => {
        const read = (index: string) =>
          own.fetch(one, { token: 'widgets:read', headers: { 'x-revenge-index': index } });
        expect((await read('5')).status).to.equal(200);
        expect((await read('9')).status).to.equal(200);
        const behind = await read('10');
        await expectProblem(behind, 'behind');
        expect(behind.headers.get('retry-after')).to.equal('1');
        await expectProblem(await read('-1'), 'bad-request');
      });
      expect(waited).to.deep.equal([9, 10]);
    });
  });

  describe('failures', () => {
    const failing = (error: unknown) => ({
      getWidget: async () => {
        throw error;
      },
    });

    it('are told as problems with their headers', async () => {
      const error = problem('unavailable', 'later', {
        retryAfterSeconds: 7,
        headers: { 'X-Extra': '1' },
      });
      await withApi({ handlers: failing(error) }, async (own) => {
        const response = await own.fetch(one, { token: 'widgets:read' });
        await expectProblem(response, 'unavailable');
        expect(response.headers.get('retry-after')).to.equal('7');
        expect(response.headers.get('x-extra')).to.equal('1');
      });
    });

    it('of the database say when to come again', async () => {
      const error = Object.assign(new Error('x'), { code: 'ECONNREFUSED', syscall: 'connect' });
      await withApi({ handlers: failing(error) }, async (own) => {
        const response = await own.fetch(one, { token: 'widgets:read' });
        await expectProblem(response, 'database-unavailable');
        expect(response.headers.get('retry-after')).to.equal('5');
      });
    });

    it('of a missing file are not the database’s', async () => {
      const error = Object.assign(new Error('x'), { code: 'ENOENT', syscall: 'open' });
      await withApi({ handlers: failing(error) }, async (own) => {
        await expectProblem(await own.fetch(one, { token: 'widgets:read' }), 'internal');
      });
    });

    it('nobody expected are logged with their stack and not told', async () => {
      const { log, lines } = memoryLog();
      await withApi({ handlers: failing(new Error('the secret')), log }, async (own) => {
        const response = await own.fetch(one, { token: 'widgets:read' });
        const body = await expectProblem(response, 'internal');
        expect(JSON.stringify(body)).not.to.contain('secret');
        const logged = lines.filter(({ message }) => message === 'request failed');
        expect(logged).to.have.length(1);
        expect(logged[0]?.['requestId']).to.equal(body.instance);
        expect((logged[0]?.['error'] as Error).stack).to.contain('the secret');
      });
    });

    it('of an answer that breaks the spec are found in tests', async () => {
      const handlers = { getWidget: async () => ({ body: { id: widgetId } }) };
      await withApi({ handlers }, async (own) => {
        await expectProblem(await own.fetch(one, { token: 'widgets:read' }), 'internal');
      });
    });
  });

  it('logs one line a request, without tokens', async () => {
    const { log, lines } = memoryLog();
    await withApi({ log }, async (own) => {
      await own.fetch(`${one}/bytes?token=verysecret`);
      await own.fetch(one, { token: 'widgets:read' });
      await own.fetch('/api/nothing?token=verysecret');
    });
    const requests = lines.filter(({ message }) => message === 'request');
    expect(requests.map(({ route, path, status }) => ({ route, path, status }))).to.deep.equal([
      { route: '/api/v1/widgets/{id}/bytes', path: undefined, status: 200 },
      { route: '/api/v1/widgets/{id}', path: undefined, status: 200 },
      { route: undefined, path: '/api/nothing', status: 404 },
    ]);
    expect(requests[1]?.['userId']).to.match(/^0189/);
    expect(requests[1]?.['bytes']).to.be.greaterThan(100);
    expect(JSON.stringify(lines)).not.to.contain('verysecret');
  });

  it('says where its reference is', async () => {
    const root = await api.fetch('/');
    expect(root.headers.get('content-type')).to.contain('text/html');
    expect(await root.text()).to.contain('/api/docs');
  });

  it('has the page that the set-up link opens, with all that it loads', async () => {
    const page = await api.fetch('/setup?token=abc');
    expect(page.status).to.equal(200);
    expect(page.headers.get('content-security-policy')).to.contain("script-src 'self'");
    const html = await page.text();
    expect(html).not.to.match(/<script>|<style>|abc/);
    for (const [, path = ''] of html.matchAll(/(?:src|href)="(\/[^"]+)"/g)) {
      expect((await api.fetch(path)).status, path).to.equal(200);
    }
  });
});

describe('start of an app', () => {
  const start = (change: (spec: ReturnType<typeof fixtureSpec>) => void, handlers = {}) => {
    const spec = fixtureSpec();
    change(spec);
    const all = { ...widgetHandlers, ...handlers } as AnyHandlers;
    return () => bindOperations({ spec, handlers: all, validateResponses: false });
  };
  const get = (spec: ReturnType<typeof fixtureSpec>) =>
    spec.paths['/api/v1/widgets']!.get as unknown as Record<string, unknown>;

  it('is refused for an operation that states no permission', () => {
    expect(start((spec) => delete get(spec)['x-permission'])).to.throw(/listWidgets.*x-permission/);
    expect(start((spec) => (get(spec)['x-permission'] = 'everyone'))).to.throw('everyone');
  });

  for (const most of [0, -1, 1.5, '1 MiB']) {
    it(`is refused when a body may have ${most} bytes`, () => {
      expect(start((spec) => (get(spec)['x-body-limit'] = most))).to.throw('x-body-limit');
    });
  }

  it('is refused when spec and handlers do not fit, with all faults at once', () => {
    const broken = start((spec) => delete get(spec)['summary'], {
      login: undefined,
      nobody: async () => ({ body: undefined }),
    });
    expect(broken).to.throw(/no summary[^]*no handler[^]*handler nobody: no such operation/);
  });
});

interface Line {
  message: string;
  [field: string]: unknown;
}

function memoryLog() {
  const lines: Line[] = [];
  const sink = new transports.Stream({ stream: process.stdout, silent: false }) as Transport;
  sink.log = (line: Line, done: () => void) => {
    lines.push(line);
    done();
  };
  return { log: createLogger({ level: 'info', transports: [sink] }), lines };
}
