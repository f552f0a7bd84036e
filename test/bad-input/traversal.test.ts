import { expect } from 'chai';
import { mergeTopics, operationsOf, readTopics, type Method, type Spec } from '#api/spec.ts';
import { sliceSpec } from '#node/http/slice.ts';
import { startServer, writeFiles, type TestServer } from '../server.ts';
import { sendRaw } from './raw.ts';

/** As they go over the wire, in paths; none of them is to lead anywhere. */
const inPaths = [
  '../../../../etc/passwd',
  '..%2f..%2f..%2f..%2fetc%2fpasswd',
  '%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd',
  '%2e%2e',
  '..%252f..%252fetc%252fpasswd',
  '..%c0%af..%c0%afetc%c0%afpasswd',
  '..%5c..%5cetc%5cpasswd',
  '%2fetc%2fpasswd',
  'file%3a%2f%2f%2fetc%2fpasswd',
  '%00',
  'passwd%00.png',
  'a%0d%0aSet-Cookie:%20a=b',
];
/** In queries, where a slash needs no disguise. */
const inQueries = [...inPaths, '/etc/passwd', 'file:///etc/passwd'];

/** Parameters that are free text: for these, such a value is only something that is not found. */
const freeText: ReadonlySet<string> = new Set([
  'listActivity.resourceType',
  'listActivity.resourceId',
  'listJobs.name',
  'listDeadJobs.name',
  'listLogLines.module',
  'listLogLines.text',
  'listMovies.collection',
  'listMovies.genre',
  'listMovies.resolution',
  'listMovies.videoCodec',
  'listMovies.hdr',
  'listMovies.language',
  'listMovies.titlePrefix',
  'listSeries.genre',
  'listSeries.titlePrefix',
  'search.q',
  'search.kinds',
  'search.library',
  'search.decade',
  'search.genre',
  'search.tag',
  'search.certification',
  'search.studio',
  'search.resolution',
  'search.videoCodec',
  'search.hdr',
  'search.audioLanguage',
  'suggest.q',
  'suggest.kinds',
]);

const someId = '01890000-0000-7000-8000-00000000dead';
const refusals = [400, 401, 403, 404, 405];

interface At {
  readonly path: string;
  readonly method: Method;
  /** Of the body that it takes. */
  readonly bodyType: string | undefined;
}

describe('paths out of where they belong', () => {
  const spec: Spec = mergeTopics(readTopics().values(), '0');
  const marks = ['root:x:0:0', 'root:*:', 'nobody is to read this'];
  let server: TestServer;

  before(async function () {
    server = await startServer();
    await writeFiles(server.films, { '../secret.txt': 'nobody is to read this' });
  });
  after(() => server[Symbol.asyncDispose]());

  const ask = async ({ method, bodyType }: At, path: string) => {
    const headers = {
      authorization: `Bearer ${server.adminToken}`,
      'content-type': bodyType ?? 'application/json',
    };
    const body = bodyType === undefined ? {} : { body: '{}' };
    const answer = await sendRaw(server.url, {
      method: method.toUpperCase(),
      path,
      headers,
      ...body,
    });
    const what = `${method} ${path}: ${answer.status} ${answer.text.slice(0, 300)}`;
    expect(
      marks.filter((mark) => answer.text.includes(mark)),
      what,
    ).to.deep.equal([]);
    expect(answer.headers, what).not.to.have.property('set-cookie');
    return { ...answer, what };
  };

  for (const { path, method, operation } of operationsOf(spec)) {
    const { parameters, requestBody } = sliceSpec(spec, path, method).operation;
    const at: At = { path, method, bodyType: Object.keys(requestBody?.content ?? {})[0] };
    for (const parameter of parameters) {
      const name = `${operation.operationId}.${parameter.name}`;
      if (parameter.in === 'path') {
        it(`${name} in the path is refused`, async () => {
          const paths = inPaths.map((value) =>
            path.replace(`{${parameter.name}}`, value).replaceAll(/\{[^}]+\}/g, someId),
          );
          for (const { status, what } of await Promise.all(paths.map((path) => ask(at, path)))) {
            expect(status, what).to.be.oneOf(refusals);
          }
        });
      }
      if (parameter.in === 'query') {
        const isFree = freeText.has(name);
        it(`${name} in the query ${isFree ? 'finds nothing' : 'is refused'}`, async () => {
          const filled = path.replaceAll(/\{[^}]+\}/g, someId);
          const more = /^(search|suggest)\.(?!q$)/.test(name) ? '&q=a' : ''; // they need a text
          const answers = inQueries.map(async (value) => {
            const answer = await ask(at, `${filled}?${parameter.name}=${value}${more}`);
            return { ...answer, wanted: isFree && !value.includes('%00') ? [200] : refusals };
          });
          for (const { status, what, wanted } of await Promise.all(answers)) {
            expect(status, what).to.be.oneOf(wanted);
          }
        });
      }
    }
  }

  it('no address of the web app leads out of its folder', async () => {
    for (const value of inPaths) {
      const { status, what } = await ask(
        { path: '/', method: 'get', bodyType: undefined },
        `/${value}`,
      );
      expect(status, what).to.be.oneOf(refusals);
    }
  });

  it('none of it makes the node complain', () => {
    expect(server.complaints).to.deep.equal([]);
  });
});
