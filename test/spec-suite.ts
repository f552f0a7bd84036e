import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { expect } from 'chai';
import { operationsOf, type Method, type Operation, type Spec } from '#api/spec.ts';
import { operationFaults } from '#node/http/operations.ts';
import type { Example, SpecServer } from './spec-examples.ts';

interface At {
  method: Method;
  path: string;
  operation: Operation;
}

/** An id that exists nowhere, for paths whose parameters do not matter. */
const someId = '01890000-0000-7000-8000-00000000dead';

/**
 * Holds a server against its whole spec: rules of form for each operation; each is refused to
 * strangers and to those without its permission; each answers its example as the spec says.
 */
export function specSuite(name: string, spec: Spec, start: () => Promise<SpecServer>): void {
  describe(name, () => {
    const operations = [...operationsOf(spec)];
    const check = responseChecker(spec);
    let server: SpecServer;

    before(async function () {
      this.timeout(120_000);
      server = await start();
    });
    after(() => server[Symbol.asyncDispose]());

    it('has an example for each operation, and none too many', () => {
      const ids = operations.map(({ operation }) => operation.operationId);
      expect(Object.keys(server.examples).sort()).to.deep.equal(ids.sort());
    });

    for (const at of operations) {
      const { operation, method, path } = at;
      describe(`${operation.operationId}: ${method} ${path}`, () => {
        it('is described as all are', () => {
          expect([...operationFaults(at), ...formFaults(at)]).to.deep.equal([]);
        });
        if (operation['x-permission'] !== 'public') {
          it('is refused without a token', async () => {
            await expectRefusal(await call(server, at, {}), 401);
          });
        }
        if (operation['x-permission'].includes(':')) {
          it(`is refused without ${operation['x-permission']}`, async () => {
            const token = await server.tokenWithout(operation['x-permission']);
            await expectRefusal(await call(server, at, { token }), 403);
          });
        }
        it('answers as it says', async function () {
          this.timeout(60_000);
          const given = server.examples[operation.operationId];
          const example = typeof given === 'function' ? await given(server) : given;
          if (!example) throw new Error('no example');
          try {
            const { response, text } = await callExample(server, at, example);
            expect(response.status, text).to.equal(example.status ?? successOf(operation));
            check(at, response, text);
          } finally {
            await example.server?.[Symbol.asyncDispose]();
          }
        });
      });
    }
  });
}

/** Rules of form that need no server (those that stop the start are in `operationFaults`). */
export function* formFaults({ path, operation }: At): Generator<string> {
  if (!/^[a-z][A-Za-z0-9]+$/.test(operation.operationId)) yield 'the operationId is not camelCase';
  const success = Object.entries(operation.responses).filter(([code]) => /^2/.test(code));
  if (success.length === 0) yield 'no success response';
  if (operation['x-permission'] === 'public' && !('security' in operation)) {
    yield 'public, but without `security: []`';
  }
  const placeholders = [...path.matchAll(/\{([^}]+)\}/g)].length;
  if (path.startsWith('/api/v1/admin/') && !operation['x-permission'].startsWith('admin:')) {
    yield 'admin/* needs admin:*';
  }
  if (placeholders > 4) yield 'too many path parameters';
}

async function callExample(server: SpecServer, at: At, example: Example) {
  const token = tokenOf(server, at, example);
  const response = await call(example.server ?? server, at, { ...example, token });
  return { response, text: await bodyOf(response) };
}

function call(
  { url }: Pick<SpecServer, 'url'>,
  { method, path }: At,
  { token, ...example }: Omit<Example, 'token'> & { token?: string | undefined },
): Promise<Response> {
  const filled = path.replaceAll(/\{([^}]+)\}/g, (_, name: string) =>
    encodeURIComponent(example.params?.[name] ?? someId),
  );
  const query = new URLSearchParams(example.query);
  const headers = new Headers(example.headers);
  if (token) headers.set('authorization', `Bearer ${token}`);
  const init: RequestInit = { method: method.toUpperCase(), headers, redirect: 'manual' };
  if (example.body !== undefined) {
    headers.set('content-type', 'application/json');
    init.body = JSON.stringify(example.body);
  } else if (example.bytes !== undefined) init.body = example.bytes;
  return fetch(`${url}${filled}${query.size > 0 ? `?${query.toString()}` : ''}`, init);
}

function tokenOf(server: SpecServer, { operation }: At, example: Example): string | undefined {
  const { as, token } = example;
  if (token !== undefined) return token;
  const fallback = ['public', 'signed'].includes(operation['x-permission']) ? 'none' : 'admin';
  switch (as ?? fallback) {
    case 'admin':
      return server.adminToken;
    case 'user':
      return server.userToken;
    case 'none':
      return undefined;
  }
}

async function expectRefusal(response: Response, status: number): Promise<void> {
  const text = await response.text();
  expect(response.status, text).to.equal(status);
  expect(response.headers.get('content-type')).to.equal('application/problem+json');
  expect(JSON.parse(text)).to.include.keys('type', 'title', 'status', 'instance');
}

const successOf = (operation: Operation): number =>
  Number(Object.keys(operation.responses).find((code) => /^2\d\d$/.test(code)) ?? 200);

/** The body as far as it is text: what else comes, and may never end, is left. */
async function bodyOf(response: Response): Promise<string> {
  const type = response.headers.get('content-type') ?? '';
  if (type === '' || /json/.test(type)) return response.text();
  await response.body?.cancel();
  return '';
}

type Check = (at: At, response: Response, text: string) => void;

/** A second opinion on answers: the schema itself by Ajv, not by what the server uses. */
function responseChecker(spec: Spec): Check {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  ajv.addSchema({ ...spec, $id: 'spec' }, 'spec');
  return ({ method, path, operation }, response, text) => {
    const stated = operation.responses[String(response.status)];
    expect(stated, `the spec has no ${response.status}`).to.be.an('object');
    const at = (...parts: string[]) =>
      parts.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')));
    const place =
      stated && '$ref' in stated
        ? String(stated.$ref).slice(2)
        : at('paths', path, method, 'responses', String(response.status)).join('/');
    const content = resolve(spec, stated) as { content?: Record<string, { schema?: object }> };
    if (!content.content) return void expect(text, 'no body is stated').to.equal('');
    const type = response.headers.get('content-type')?.split(';')[0]?.trim() ?? '';
    const ranges = [type, type.replace(/\/.*/, '/*'), '*/*'];
    const range = ranges.find((one) => one in (content.content ?? {}));
    expect(range, `${type} is not among the types stated`).to.be.a('string');
    if (range !== 'application/json') return;
    if (!content.content['application/json']?.schema) throw new Error('no JSON schema stated');
    const schema = { $ref: `spec#/${place}/content/application~1json/schema` };
    const validate = ajv.compile(schema);
    validate(JSON.parse(text));
    expect(validate.errors ?? [], text).to.deep.equal([]);
  };
}

function resolve(spec: Spec, value: object | undefined): unknown {
  if (!value || !('$ref' in value)) return value;
  const name = String(value.$ref).split('/').at(-1) ?? '';
  return spec.components['responses']?.[name];
}
