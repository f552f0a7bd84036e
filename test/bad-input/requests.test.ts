import { randomBytes } from 'node:crypto';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { components } from '#api/types.ts';
import { startServer, writeFiles, type TestServer } from '../server.ts';
import { sendRaw, type RawRequest } from './raw.ts';

type Schemas = components['schemas'];

/** What a line may speak of. */
interface World {
  readonly server: TestServer;
  readonly fileId: string;
}

type Line = readonly [
  what: string,
  asked: RawRequest | ((world: World) => RawRequest),
  status: number,
  type: string | undefined,
];

const json = { 'content-type': 'application/json' };
const login = { method: 'POST', path: '/api/v1/auth/login', headers: json } as const;
const libraries = { method: 'POST', path: '/api/v1/libraries', headers: json } as const;
const newUser = { method: 'POST', path: '/api/v1/users', headers: json } as const;
const account = { username: 'x', password: 'a good password' };
const library = (paths: readonly string[], more: object = {}) =>
  JSON.stringify({ kind: 'movie', name: 'New', paths, ...more });

const bodies: readonly Line[] = [
  ['a body that is no JSON', { ...login, body: '{"username":' }, 400, 'bad-request'],
  ['a body of another shape', { ...login, body: '[]' }, 400, 'bad-request'],
  ['a body that is null', { ...login, body: 'null' }, 400, 'bad-request'],
  ['no body', { ...login, body: '' }, 400, 'bad-request'],
  ['a body that is no UTF-8', { ...login, body: Buffer.of(0x22, 0xff, 0x22) }, 400, 'bad-request'],
  ['a body that nests deeply', { ...login, body: '['.repeat(500_000) }, 400, 'bad-request'],
  [
    'a NUL in a text',
    { ...newUser, body: nul({ ...account, username: 'a~b' }) },
    400,
    'bad-request',
  ],
  ['a NUL in a name', { ...libraries, body: nul({ 'a~b': 1 }) }, 400, 'bad-request'],
  [
    'half a surrogate pair in a text',
    (world) => ({
      ...libraries,
      body: library([world.server.films], { options: { a: '~' } }).replace('~', '\\ud800'),
    }),
    400,
    'bad-request',
  ],
  ['a body of two megabytes', { ...login, body: ' '.repeat(2e6) }, 413, 'too-large'],
  [
    'a body that grows to two megabytes',
    { ...login, body: Array<string>(20).fill(' '.repeat(1e5)) },
    413,
    'too-large',
  ],
  [
    'a form instead of JSON',
    {
      ...login,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'username=admin',
    },
    415,
    'unsupported-media-type',
  ],
  [
    'a compressed body',
    { ...login, headers: { ...json, 'content-encoding': 'gzip' }, body: '{}' },
    415,
    'unsupported-media-type',
  ],
  ['a text of a million', { ...login, body: long(1_000_000) }, 400, 'bad-request'],
];

function nul(value: object): string {
  return JSON.stringify(value).replace('~', '\\u0000');
}

function long(length: number): string {
  return JSON.stringify({ username: 'a'.repeat(length), password: 'b' });
}

const folders: readonly Line[] = [
  ['a relative folder', { ...libraries, body: library(['films']) }, 422, 'unprocessable'],
  [
    'a folder by way of another',
    (world) => ({ ...libraries, body: library([`${world.server.films}/../../../etc`]) }),
    422,
    'unprocessable',
  ],
  ['a folder of the system', { ...libraries, body: library(['/etc']) }, 422, 'unprocessable'],
  [
    'a link to a folder of the system',
    (world) => ({ ...libraries, body: library([join(world.server.films, 'out')]) }),
    422,
    'unprocessable',
  ],
  [
    'a folder that is a file',
    (world) => ({ ...libraries, body: library([join(world.server.films, 'all/Film (2000).mkv')]) }),
    422,
    'unprocessable',
  ],
  [
    'a name of 300 bytes in a folder',
    (world) => ({ ...libraries, body: library([join(world.server.films, 'L'.repeat(300))]) }),
    422,
    'unprocessable',
  ],
  [
    'looking into a folder of the system',
    { path: '/api/v1/admin/folders?path=/etc' },
    403,
    'forbidden',
  ],
  ['looking into a link to one', ({ server }) => look(join(server.films, 'out')), 403, 'forbidden'],
  [
    'looking into a file',
    ({ server }) => look(join(server.films, 'all/Film (2000).mkv')),
    404,
    'not-found',
  ],
  [
    'looking into a name of 300 bytes',
    ({ server }) => look(join(server.films, 'L'.repeat(300))),
    404,
    'not-found',
  ],
  [
    'looking into a name with a newline',
    ({ server }) => look(`${server.films}/a\nb`),
    404,
    'not-found',
  ],
];

function look(path: string): RawRequest {
  return { path: `/api/v1/admin/folders?path=${encodeURIComponent(path)}` };
}

const sizeBytes = 1_000;
const range =
  (value: string, more: Record<string, string> = {}) =>
  ({ fileId }: World): RawRequest => ({
    path: `/api/v1/playback/files/${fileId}/content`,
    headers: { range: value, ...more },
  });

// RFC 9110 §14.2: what is malformed is ignored, what lies outside is refused.
const ranges: readonly Line[] = [
  ['the first byte', range('bytes=0-0'), 206, undefined],
  ['the last byte', range('bytes=-1'), 206, undefined],
  ['a range beyond the end', range('bytes=1000-'), 416, 'range-not-satisfiable'],
  ['a range far beyond the end', range(`bytes=${'9'.repeat(400)}-`), 416, 'range-not-satisfiable'],
  ['the last no bytes', range('bytes=-0'), 416, 'range-not-satisfiable'],
  ['a range that ends too late', range('bytes=990-2000'), 206, undefined],
  ['a range backwards', range('bytes=9-1'), 200, undefined],
  ['a range of letters', range('bytes=a-z'), 200, undefined],
  ['a range of minus one', range('bytes=--1'), 200, undefined],
  ['a range of half a byte', range('bytes=0.5-1'), 200, undefined],
  ['a range in lines', range('lines=1-2'), 200, undefined],
  ['several ranges', range('bytes=0-1,5-6'), 200, undefined],
  ['two thousand ranges', range(`bytes=${Array(2_000).fill('0-').join(',')}`), 200, undefined],
  ['a range of another version', range('bytes=0-1', { 'if-range': '"other"' }), 200, undefined],
  ['another version', range('', { 'if-match': '"other"' }), 412, 'precondition-failed'],
];

const addresses: readonly Line[] = [
  ['a path of nothing', { path: '/api/v1/nothing' }, 404, 'not-found'],
  ['a path that is no percent-encoding', { path: '/api/v1/movies/%zz' }, 400, 'bad-request'],
  ['a path that is no UTF-8', { path: '/api/v1/movies/%c0%af' }, 400, 'bad-request'],
  ['an id that is none', { path: '/api/v1/movies/1' }, 400, 'bad-request'],
  ['an id of a million', { path: `/api/v1/movies/${'a'.repeat(10_000)}` }, 400, 'bad-request'],
  ['a method that is none', { method: 'BREW', path: '/' }, 400, 'bad-request'],
  [
    'a method that is not for it',
    { method: 'PUT', path: '/api/v1/movies' },
    405,
    'method-not-allowed',
  ],
  ['an unknown parameter', { path: '/api/v1/movies?colour=red' }, 400, 'bad-request'],
  ['a parameter twice', { path: '/api/v1/movies?limit=1&limit=2' }, 400, 'bad-request'],
  ['a parameter as an object', { path: '/api/v1/movies?limit[a]=1' }, 400, 'bad-request'],
  ['a limit of nothing', { path: '/api/v1/movies?limit=' }, 400, 'bad-request'],
  ['a limit of 0', { path: '/api/v1/movies?limit=0' }, 400, 'bad-request'],
  ['a limit of a million', { path: '/api/v1/movies?limit=1000000' }, 400, 'bad-request'],
  ['a limit of 1e1', { path: '/api/v1/movies?limit=1.5' }, 400, 'bad-request'],
  ['an offset of -1', { path: '/api/v1/movies?offset=-1' }, 400, 'bad-request'],
  [
    'an offset without end',
    { path: `/api/v1/movies?offset=${'9'.repeat(30)}` },
    400,
    'bad-request',
  ],
  ['a year that is none', { path: '/api/v1/movies?year=soon' }, 400, 'bad-request'],
  [
    'a time that is none',
    { path: '/api/v1/movies?addedSince=2000-13-45T99:00:00Z' },
    400,
    'bad-request',
  ],
  [
    'an order that is none',
    { path: '/api/v1/movies?sort=id;drop+table+movies' },
    400,
    'bad-request',
  ],
  [
    'a thousand parameters',
    { path: `/api/v1/movies?${'genre=a&'.repeat(1_000)}` },
    400,
    'bad-request',
  ],
  ['a search for wildcards', { path: '/api/v1/search?q=%25%5F%5C%27%22*:%26' }, 200, undefined],
  ['a search for nothing but signs', { path: '/api/v1/search?q=-%20(%20%7C%20!' }, 200, undefined],
  ['a search that is no UTF-8', { path: '/api/v1/search?q=%ff%fe' }, 200, undefined],
  ['a search for a NUL', { path: '/api/v1/search?q=a%00b' }, 400, 'bad-request'],
  [
    'headers of 20 kB',
    { path: '/', headers: { 'x-long': 'a'.repeat(20_000) } },
    431,
    'bad-request',
  ],
  [
    'an index that is none',
    { path: '/api/v1/movies', headers: { 'x-revenge-index': 'x' } },
    400,
    'bad-request',
  ],
  [
    'an ETag that is none',
    { path: '/api/v1/movies', headers: { 'if-none-match': '"' } },
    200,
    undefined,
  ],
];

const tables = { bodies, folders, ranges, addresses };

describe('bad requests', () => {
  let world: World;

  before(async function () {
    const server = await startServer();
    await writeFiles(server.films, { 'all/Film (2000).mkv': randomBytes(sizeBytes) });
    await symlink('/etc', join(server.films, 'out'));
    await server.library('Films', 'all');
    const { items } = await server.read<Schemas['MoviePage']>('/api/v1/movies');
    const movie = await server.read<Schemas['Movie']>(`/api/v1/movies/${items[0]!.id}`);
    world = { server, fileId: movie.versions[0]!.files[0]!.id };
  });
  after(() => world.server[Symbol.asyncDispose]());

  for (const [name, lines] of Object.entries(tables)) {
    describe(name, () => {
      for (const [what, asked, status, type] of lines) {
        it(`${what}: ${status}${type === undefined ? '' : ` ${type}`}`, async () => {
          const { server } = world;
          const { headers, ...request } = typeof asked === 'function' ? asked(world) : asked;
          const authorization = `Bearer ${server.adminToken}`;
          const answer = await sendRaw(server.url, {
            ...request,
            headers: { authorization, ...headers },
          });
          expect([answer.status, answer.type], answer.text.slice(0, 500)).to.deep.equal([
            status,
            type,
          ]);
          if (status === 416) expect(answer.headers['content-range']).to.equal('bytes */1000');
          if (status === 206) expect(answer.bytes.length).to.be.oneOf([1, 10]);
        });
      }
    });
  }

  it('leaves the node without complaints, and working', async () => {
    const { server, fileId } = world;
    const token = server.userToken;
    const response = await server.fetch(`/api/v1/playback/files/${fileId}/content`, { token });
    expect((await response.arrayBuffer()).byteLength).to.equal(sizeBytes);
    expect(server.complaints.filter((line) => !line.includes('probe'))).to.deep.equal([]);
  });
});
