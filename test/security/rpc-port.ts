import { randomUUID } from 'node:crypto';
import { request, type RequestOptions } from 'node:https';
import { RpcError } from '#cluster/rpc/index.ts';
import { HEADERS } from '#cluster/rpc/wire.ts';
import { encodeCommand } from '#cluster/state/command.ts';
import { tokenSkewMs } from '#cluster/state/limits.ts';
import type { Command } from '#cluster/state/types.ts';
import { setTimeout as pause } from 'node:timers/promises';
import { garbage, repeated, type Attempt } from './attempt.ts';
import type { Credentials } from './forge.ts';
import { joinAs } from './join.ts';
import type { Scene } from './scene.ts';
import { drawl, sayPlainly, saySecurely, secure } from './talk.ts';

const floods = 1_000;
const port = ({ leader }: Scene) => leader.ports.rpc;

interface Question extends Pick<RequestOptions, 'method' | 'headers'> {
  readonly path: string;
  readonly body?: string | Buffer;
}

/** Asks with these credentials; resolves to the status and the code of the answer. */
function asking(
  scene: Scene,
  { cert, key }: Partial<Credentials>,
  { body, ...question }: Question,
): Promise<string> {
  const mine = cert === undefined ? {} : { cert, key };
  const options = { host: '127.0.0.1', port: port(scene), agent: false, rejectUnauthorized: false };
  return new Promise((resolve) => {
    const asked = request({ method: 'POST', ...options, ...mine, ...question }, (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.on('end', () => resolve(`${answer.statusCode} ${codeOf(text)}`));
    });
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    asked.end(body ?? '{}');
  });
}

function codeOf(text: string): string {
  try {
    const { code, type } = JSON.parse(text) as { code?: string; type?: string };
    return code ?? type ?? '';
  } catch {
    return text.slice(0, 80);
  }
}

const shown = (
  what: string,
  whose: (scene: Scene) => Partial<Credentials>,
  code = 'not-member',
): Attempt => ({
  what,
  try: (scene) => asking(scene, whose(scene), { path: '/rpc/readings' }),
  answer: new RegExp(`^403 ${code}`),
  logged: new RegExp(code),
});

const handedOn = (headers: Record<string, string>, body: object): Question => ({
  ...{ method: 'POST', path: '/http/api/v1/apikeys', body: JSON.stringify(body) },
  headers: {
    'content-type': 'application/json',
    [HEADERS.hop]: '1',
    [HEADERS.request]: randomUUID(),
    ...headers,
  },
});

const apiKey = () => ({ name: `stolen ${randomUUID()}`, scopes: ['movies:read'] });

/** A follower that states who asks, instead of handing on what the client has shown. */
const claims: readonly [what: string, headers: Record<string, string>][] = [
  ['says who asks in a header', { 'x-revenge-principal': 'admin', 'x-revenge-user': 'admin' }],
  ['shows a token it signed itself', { authorization: `Bearer ${forgedToken()}` }],
];

/** As if the administrator had signed in, with a key that is nobody's. */
function forgedToken(): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const payload = { sub: 'admin', role: 'admin', exp: 4_000_000_000, iat: 1 };
  return `${part({ alg: 'HS256', typ: 'JWT' })}.${part(payload)}.${'A'.repeat(43)}`;
}

async function joining(scene: Scene, token: string): Promise<string> {
  const id = `thief-${randomUUID().slice(0, 8)}`;
  try {
    await joinAs({ id, token, address: `127.0.0.1:${port(scene)}` });
    return 'it was let in';
  } catch (error) {
    if (error instanceof RpcError) return error.code;
    throw error;
  }
}

const create = (scene: Scene, ...args: string[]) =>
  scene.command<{ id: string; token: string }>('cluster', 'token', 'create', ...args);

const token = (what: string, made: (scene: Scene) => Promise<string>, answer: RegExp): Attempt => ({
  what: `a join token that ${what}`,
  try: async (scene) => joining(scene, await made(scene)),
  answer,
  logged: /node rpc: a request was refused/,
});

export const rpcPort: readonly Attempt[] = [
  {
    what: 'plain TCP',
    try: (scene) => sayPlainly(port(scene), 'POST /rpc/readings HTTP/1.1\r\nhost: x\r\n\r\n'),
    answer: /hung up|ECONNRESET/,
    logged: /node rpc: no (handshake|request)/,
  },
  {
    what: `garbage, ${floods} times`,
    try: (scene) => repeated(floods, () => sayPlainly(port(scene), garbage)),
    answer: /hung up|ECONNRESET/,
    logged: /node rpc: no (handshake|request)/,
  },
  {
    what: 'garbage inside TLS',
    try: (scene) => saySecurely(port(scene), {}, garbage),
    answer: /hung up|ECONNRESET/,
    logged: /node rpc: no (handshake|request)/,
  },
  shown('no certificate', () => ({})),
  shown('a certificate of another authority', ({ crowd }) => crowd.wrongAuthority),
  shown('an expired certificate', ({ crowd }) => crowd.expired),
  shown('a certificate that is not valid yet', ({ crowd }) => crowd.notYet),
  shown('a certificate of another cluster', ({ crowd }) => crowd.wrongCluster),
  shown('a node that was removed', ({ crowd }) => crowd.removed, 'removed'),
  token('nobody made', async ({ usedToken }) => withSecret(usedToken), /^unknown-token$/),
  token('has been used', async ({ usedToken }) => usedToken, /^token-used$/),
  token(
    'has expired',
    async ({ expiring }) => {
      const over = Date.parse(expiring.expiresAt) + tokenSkewMs;
      while (Date.now() <= over) await pause(200);
      return expiring.token;
    },
    /^token-expired$/,
  ),
  token(
    'was revoked',
    async (scene) => {
      const { id, token: made } = await create(scene);
      await scene.command('cluster', 'token', 'revoke', id);
      return made;
    },
    /^unknown-token$/,
  ),
  token(
    'is for a witness',
    async (scene) => (await create(scene, '--kind', 'witness')).token,
    /^token-wrong-kind$/,
  ),
  {
    what: 'no join token',
    try: (scene) => asking(scene, {}, { path: '/join' }),
    answer: /^401 bad-token/,
    logged: /bad-token/,
  },
  ...claims.map(([what, headers]): Attempt => ({
    what: `a member that ${what}`,
    try: (scene) => asking(scene, scene.crowd.member, handedOn(headers, apiKey())),
    answer: /^401 \/problems\/unauthorized|^401/,
  })),
  {
    what: 'a member that proposes to remove another',
    try: (scene) =>
      asking(scene, scene.crowd.member, {
        ...{ path: '/rpc/propose', body: proposalOf({ type: 'forget', id: scene.ids.leader }) },
      }),
    answer: /forbidden/,
  },
  {
    what: 'a request handed on, sent again',
    async try(scene) {
      const question = handedOn({ authorization: `Bearer ${scene.admin}` }, apiKey());
      const first = await asking(scene, scene.crowd.member, question);
      const second = await asking(scene, scene.crowd.member, question);
      return `${first.split(' ')[0]}, then ${second}`;
    },
    // 421: it does not lead any more, and has done nothing.
    answer: /^(201|421), then 409 replayed/,
    logged: /replayed/,
  },
  {
    what: 'a request handed on twice',
    try: (scene) => asking(scene, scene.crowd.member, handedOn({ [HEADERS.hop]: '2' }, apiKey())),
    answer: /^508 too-many-hops/,
    logged: /too-many-hops/,
  },
  {
    what: 'a call of 64 MB',
    try: (scene) =>
      asking(scene, scene.crowd.member, {
        ...{ path: '/rpc/greet', body: Buffer.alloc(64 * 1024 * 1024, 0x20) },
      }),
    answer: /^413 too-large|ECONNRESET|EPIPE/,
    logged: /too-large/,
  },
  {
    what: 'headers of a megabyte',
    try: (scene) =>
      saySecurely(port(scene), {}, `POST /join HTTP/1.1\r\nx: ${'a'.repeat(2 ** 20)}\r\n\r\n`),
    answer: /431|hung up|ECONNRESET|EPIPE/,
    logged: /node rpc: no (handshake|request)/,
  },
  {
    what: 'a letter of a request each second',
    try: (scene) => drawl(secure(port(scene), {}), 'POST /join HTTP/1.1\r\nhost: x', 1_000),
    answer: /hung up|ECONNRESET/,
  },
];

const proposalOf = (command: Command): string =>
  JSON.stringify({ command: Buffer.from(encodeCommand(command)).toString('base64') });

/** The same token with another secret. */
function withSecret(text: string): string {
  const parts = text.split('.');
  const secret = parts.at(-1) ?? '';
  const other = secret.startsWith('a') ? 'b' : 'a';
  return [...parts.slice(0, -1), other + secret.slice(1)].join('.');
}
