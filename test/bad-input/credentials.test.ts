import { expect } from 'chai';
import { SignJWT } from 'jose';
import type { components } from '#api/types.ts';
import { createAccessTokens } from '#services/users/access-token.ts';
import { createAddressTokens } from '#services/playback/address.ts';
import { needs } from '../needs.ts';
import { startServer, tinyFilm, writeFiles, type TestServer } from '../server.ts';

type Schemas = components['schemas'];
type Read = <T>(path: string, ask?: Parameters<TestServer['read']>[1]) => Promise<T>;

/** What credentials are made from. */
interface World {
  readonly server: TestServer;
  readonly read: Read;
  /** A token of a session of its own, which may be ended. */
  readonly spare: () => Promise<{ token: string; id: string; sessionId: string; refresh: string }>;
  readonly key: (more?: object) => Promise<{ id: string; key: string }>;
  readonly signingKey: Uint8Array;
  readonly files: readonly string[];
  readonly images: readonly string[];
}

type Line = readonly [
  what: string,
  credential: (world: World) => string | Promise<string>,
  status: number,
  type: string,
];

const minute = 60_000;
const claimsOf = ({ admin }: TestServer) => ({
  userId: admin.id,
  sessionId: admin.tokens.sessionId,
  role: 'admin' as const,
});
const signed = (server: TestServer, secret: Uint8Array, atMs: number) =>
  createAccessTokens({ secret, now: () => atMs })
    .sign(claimsOf(server))
    .then(({ token }) => token);
/** Changes one character in the middle of a part; the last ones may be padding. */
const tamper = (token: string, part = token.split('.').length - 1) =>
  token
    .split('.')
    .map((text, at) => (at === part ? flip(text) : text))
    .join('.');
function flip(text: string): string {
  const middle = Math.floor(text.length / 2);
  return text.slice(0, middle) + (text[middle] === 'a' ? 'b' : 'a') + text.slice(middle + 1);
}
const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const nothing = '';

const accessTokens: readonly Line[] = [
  ['no token', () => nothing, 401, 'unauthenticated'],
  ['a word', () => 'token', 401, 'token-invalid'],
  ['three words', () => 'a.b.c', 401, 'token-invalid'],
  [
    'an expired one',
    ({ server }) => signed(server, server.jwtSecret, Date.now() - 16 * minute),
    401,
    'token-expired',
  ],
  [
    'one of another server',
    ({ server }) => signed(server, Buffer.alloc(32, 'another secret'), Date.now()),
    401,
    'token-invalid',
  ],
  [
    'an expired one of another server',
    ({ server }) => signed(server, Buffer.alloc(32, 'x'), Date.now() - 16 * minute),
    401,
    'token-invalid',
  ],
  ['one with another signature', ({ server }) => tamper(server.adminToken), 401, 'token-invalid'],
  ['one with other claims', ({ server }) => tamper(server.userToken, 1), 401, 'token-invalid'],
  [
    'one that calls a user an administrator',
    ({ server }) => {
      const [head, body = '', signature] = server.userToken.split('.');
      const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as object;
      return `${head}.${base64({ ...claims, role: 'admin' })}.${signature}`;
    },
    401,
    'token-invalid',
  ],
  [
    'one without a signature',
    ({ server }) => {
      const [, body] = server.adminToken.split('.');
      return `${base64({ alg: 'none', typ: 'at+jwt' })}.${body}.`;
    },
    401,
    'token-invalid',
  ],
  [
    'one for another purpose',
    ({ server }) =>
      new SignJWT({ sid: server.admin.tokens.sessionId, role: 'admin' })
        .setProtectedHeader({ alg: 'HS256', typ: 'address+jwt' })
        .setSubject(server.admin.id)
        .setExpirationTime('1h')
        .sign(server.jwtSecret),
    401,
    'token-invalid',
  ],
  ['a refresh token', ({ server }) => server.admin.tokens.refreshToken, 401, 'token-invalid'],
  [
    'the token of a signed address',
    async (world) => tokenOf(await address(world)),
    401,
    'token-invalid',
  ],
  [
    'one of a session that was ended',
    async ({ server, spare }) => {
      const { token } = await spare();
      await server.read('/api/v1/auth/logout', { method: 'POST', token });
      return token;
    },
    401,
    'token-invalid',
  ],
  [
    'one of a disabled user',
    async ({ read, spare }) => {
      const { token, id } = await spare();
      await read(`/api/v1/users/${id}`, { method: 'PATCH', json: { disabled: true } });
      return token;
    },
    403,
    'account-disabled',
  ],
  [
    'one of a deleted user',
    async ({ read, spare }) => {
      const { token, id } = await spare();
      await read(`/api/v1/users/${id}`, { method: 'DELETE' });
      return token;
    },
    401,
    'token-invalid',
  ],
];

const apiKeys: readonly Line[] = [
  ['a word', () => 'key', 401, 'token-invalid'],
  ['one nobody made', () => `rv_${'0'.repeat(64)}`, 401, 'token-invalid'],
  [
    'one with another digit',
    async ({ key }) => otherDigit((await key()).key),
    401,
    'token-invalid',
  ],
  ['one in capitals', async ({ key }) => (await key()).key.toUpperCase(), 401, 'token-invalid'],
  [
    'an expired one',
    async ({ server, key }) => {
      const made = await key({ expiresAt: new Date(Date.now() + minute).toISOString() });
      const { sql } = server.db;
      await sql`update shared.api_keys set expires_at = now() where id = ${made.id}`;
      return made.key;
    },
    401,
    'token-expired',
  ],
  [
    'a deleted one',
    async ({ read, key }) => {
      const made = await key();
      await read('/api/v1/users/me', { headers: { 'x-api-key': made.key }, token: '' });
      await read(`/api/v1/apikeys/${made.id}`, { method: 'DELETE' });
      return made.key;
    },
    401,
    'token-invalid',
  ],
  ['one without the scope', async ({ key }) => (await key()).key, 403, 'forbidden'],
];

const otherDigit = (key: string) => key.slice(0, -1) + (key.endsWith('0') ? '1' : '0');

const contentOf = (fileId: string) => `/api/v1/playback/files/${fileId}/content`;
const tokenOf = (url: string) => new URL(url, 'http://x').searchParams.get('token') ?? '';

async function address({ read, files }: World, token?: string): Promise<string> {
  const path = `/api/v1/playback/files/${files[0]}/address`;
  const json = { lifetimeMs: minute };
  const made = await read<Schemas['PlaybackAddress']>(path, {
    method: 'POST',
    json,
    ...(token && { token }),
  });
  return made.url;
}

const addresses: readonly Line[] = [
  ['no token', ({ files }) => `${contentOf(files[0]!)}?token=`, 401, 'unauthenticated'],
  ['a word', ({ files }) => `${contentOf(files[0]!)}?token=word`, 401, 'token-invalid'],
  [
    'an access token',
    ({ server, files }) => `${contentOf(files[0]!)}?token=${server.adminToken}`,
    401,
    'token-invalid',
  ],
  [
    'an expired one',
    async ({ server, signingKey, files }) => {
      const claims = { userId: server.admin.id, via: 'session', epoch: 0 } as const;
      const bound = { operationId: 'getPlaybackContent', fileId: files[0]! };
      const credentialId = server.admin.tokens.sessionId;
      const tokens = createAddressTokens({ signingKey, now: Date.now });
      const ended = new Date(Date.now() - minute);
      const token = await tokens.sign({ ...claims, ...bound, credentialId }, ended);
      return `${contentOf(files[0]!)}?token=${token}`;
    },
    401,
    'token-expired',
  ],
  [
    'one of another server',
    async ({ server, files }) => {
      const claims = { userId: server.admin.id, via: 'session', epoch: 0 } as const;
      const bound = { operationId: 'getPlaybackContent', fileId: files[0]! };
      const credentialId = server.admin.tokens.sessionId;
      const tokens = createAddressTokens({ signingKey: Buffer.alloc(32), now: Date.now });
      const ends = new Date(Date.now() + minute);
      const token = await tokens.sign({ ...claims, ...bound, credentialId }, ends);
      return `${contentOf(files[0]!)}?token=${token}`;
    },
    401,
    'token-invalid',
  ],
  [
    'one with another signature',
    async (world) => tamper(await address(world)),
    401,
    'token-invalid',
  ],
  ['one with other claims', async (world) => tamper(await address(world), 1), 401, 'token-invalid'],
  [
    'one of another file',
    async (world) => `${contentOf(world.files[1]!)}?token=${tokenOf(await address(world))}`,
    403,
    'forbidden',
  ],
  [
    'one that was revoked',
    async (world) => {
      const { token } = await world.spare();
      const url = await address(world, token);
      await world.read('/api/v1/playback/addresses', { method: 'DELETE', token });
      return url;
    },
    401,
    'token-invalid',
  ],
  [
    'one whose session was ended',
    async (world) => {
      const { token } = await world.spare();
      const url = await address(world, token);
      await world.read('/api/v1/auth/logout', { method: 'POST', token });
      return url;
    },
    401,
    'token-invalid',
  ],
];

const pictures: readonly Line[] = [
  ['one with another key', ({ images }) => flipLast(images[0]!), 404, 'not-found'],
  [
    'one with the key of another',
    ({ images }) => withKey(images[0]!, images[1]!),
    404,
    'not-found',
  ],
  ['one with half a key', ({ images }) => images[0]!.slice(0, -11), 400, 'bad-request'],
  [
    'one that is not there',
    () => `/api/v1/images/01890000-0000-7000-8000-00000000dead/${'A'.repeat(22)}`,
    404,
    'not-found',
  ],
];

const flipLast = (url: string) => url.slice(0, -12) + flip(url.slice(-12));
const withKey = (url: string, other: string) =>
  url.slice(0, url.lastIndexOf('/')) + other.slice(other.lastIndexOf('/'));

const others: readonly Line[] = [
  ['a refresh token nobody made', () => 'A'.repeat(43), 401, 'token-invalid'],
  [
    'a refresh token with another end',
    ({ server }) => flip(server.admin.tokens.refreshToken),
    401,
    'token-invalid',
  ],
  ['an access token as a refresh token', ({ server }) => server.adminToken, 400, 'bad-request'],
  [
    'a refresh token of a session that was ended',
    async ({ server, spare }) => {
      const { token, refresh } = await spare();
      await server.read('/api/v1/auth/logout', { method: 'POST', token });
      return refresh;
    },
    401,
    'token-invalid',
  ],
];

describe('bad credentials', () => {
  needs('ffmpeg', 'ffprobe');
  let world: World;

  before(async function () {
    world = await build(await startServer());
  });
  after(() => world.server[Symbol.asyncDispose]());

  const expectProblem = async (response: Response, wanted: readonly [number, string]) => {
    const text = await response.text();
    expect(response.headers.get('content-type'), text).to.equal('application/problem+json');
    const { type } = JSON.parse(text) as { type: string };
    expect([response.status, type.replace('/problems/', '')], text).to.deep.equal(wanted);
  };
  const lines = (
    name: string,
    table: readonly Line[],
    ask: (credential: string) => Promise<Response>,
  ) =>
    describe(name, () => {
      for (const [what, credential, status, type] of table) {
        it(`${what}: ${status} ${type}`, async () => {
          await expectProblem(await ask(await credential(world)), [status, type]);
        });
      }
    });

  lines('access tokens', accessTokens, (token) => world.server.fetch('/api/v1/users', { token }));
  lines('API keys', apiKeys, (key) =>
    world.server.fetch('/api/v1/users', { headers: { 'x-api-key': key } }),
  );
  lines('signed addresses', addresses, (url) => world.server.fetch(url));
  lines('addresses of pictures', pictures, (url) => world.server.fetch(url));
  lines('refresh tokens', others, (refreshToken) =>
    world.server.fetch('/api/v1/auth/refresh', { method: 'POST', json: { refreshToken } }),
  );

  it('the link of the set-up, used again: 409 setup-done', async () => {
    const { server } = world;
    const json = { token: server.node.setupToken, username: 'second', password: 'another one' };
    const response = await server.fetch('/api/v1/auth/setup', { method: 'POST', json });
    await expectProblem(response, [409, 'setup-done']);
  });

  it('none of it makes the node complain', () => {
    expect(world.server.complaints).to.deep.equal([]);
  });
});

async function build(server: TestServer): Promise<World> {
  const film = await tinyFilm();
  await writeFiles(server.films, {
    'all/One (2001)/One (2001).mp4': film,
    'all/Two (2002)/Two (2002).mp4': Buffer.concat([film, Buffer.alloc(8)]),
  });
  await server.library('Films', 'all');
  const { items } = await server.read<Schemas['MoviePage']>('/api/v1/movies');
  const movies = items.map(({ id }) => server.read<Schemas['Movie']>(`/api/v1/movies/${id}`));
  const files = (await Promise.all(movies)).map(({ versions }) => versions[0]!.files[0]!.id);
  const { sql } = server.db;
  const [secret] = await sql<{ value: Buffer }[]>`
    select value from shared.secrets where name = 'signing'`;
  let spares = 0;
  let keys = 0;
  return {
    server,
    read: (path, ask) => server.read(path, ask),
    files,
    images: items.map(({ images }) => images['poster']!.url),
    signingKey: secret!.value,
    async spare() {
      const { id, tokens } = await server.account(`spare ${spares++}`);
      const { accessToken: token, sessionId, refreshToken: refresh } = tokens;
      return { token, id, sessionId, refresh };
    },
    async key(more = {}) {
      const json = { name: `Key ${keys++}`, scopes: ['movies:read'], ...more };
      return server.read<Schemas['CreatedApiKey']>('/api/v1/apikeys', { method: 'POST', json });
    },
  };
}
