import { expect } from 'chai';
import { mergeTopics, operationsOf, readTopics } from '#api/spec.ts';
import type { components } from '#api/types.ts';
import { startServer, writeFiles, type TestServer } from '../server.ts';

const cursorOf = (...values: unknown[]) =>
  Buffer.from(JSON.stringify(values)).toString('base64url');
const someId = '01890000-0000-7000-8000-00000000dead';

/** None of them is a cursor of any list. */
const cursors: Readonly<Record<string, string>> = {
  'a letter': 'x',
  'a path': '../../etc/passwd',
  'a smiling face': '\u{1f600}',
  'an empty list': cursorOf(),
  'a list of nothing': cursorOf(null),
  'a list that there is not': cursorOf('no list', someId),
  'a value that is none': cursorOf('movies', "'; drop table movies; --"),
  'a value of another type': cursorOf('movies', { a: 1 }),
  'an object': Buffer.from('{"a":1}').toString('base64url'),
  'a condition': Buffer.from("' or 1=1 --").toString('base64url'),
  'a thousand letters': 'A'.repeat(1_000),
};

describe('bad cursors', () => {
  const spec = mergeTopics(readTopics().values(), '0');
  const lists = [...operationsOf(spec)].filter(({ operation }) =>
    JSON.stringify(operation.parameters ?? []).includes('/Cursor"'),
  );
  let server: TestServer;
  let libraryId: string;
  let ofUsers: string;

  before(async function () {
    server = await startServer();
    await writeFiles(server.films, { 'all/.keep': '' });
    libraryId = (await server.library('Films', 'all')).id;
    const users = await server.read<components['schemas']['UserPage']>('/api/v1/users?limit=1');
    ofUsers = users.nextCursor!;
  });
  after(() => server[Symbol.asyncDispose]());

  for (const { operation, path } of lists) {
    const id = operation.operationId;
    it(`${id}: 400 invalid-cursor for what it did not give`, async () => {
      const foreign = id === 'listUsers' ? {} : { 'the cursor of another list': ofUsers };
      for (const [what, cursor] of Object.entries({ ...cursors, ...foreign })) {
        const query = new URLSearchParams({ cursor }).toString();
        const at = path.replace('{libraryId}', libraryId).replaceAll(/\{[^}]+\}/g, someId);
        const url = `${at}?${query}`;
        const response = await server.fetch(url, { token: server.adminToken });
        const problem = (await response.json()) as { type: string };
        const given = [what, response.status, problem.type];
        expect(given).to.deep.equal([what, 400, '/problems/invalid-cursor']);
      }
    });
  }

  it('none of it makes the node complain', () => {
    expect(server.complaints).to.deep.equal([]);
  });
});
