import { randomBytes } from 'node:crypto';
import { makeGossipIdentity } from '#cluster/gossip/index.ts';
import { openLibp2p } from '#cluster/gossip/libp2p.ts';
import { readMemberDatabase } from '#node/database.ts';
import { connectPostgres } from '#storage/postgres/connect.ts';
import { quiet } from '../log.ts';
import { garbage, repeated, type Attempt } from './attempt.ts';
import type { Credentials } from './forge.ts';
import type { Scene } from './scene.ts';
import { drawl, plain, sayPlainly } from './talk.ts';

const floods = 1_000;
const dialMs = 10_000;

/** Speaks the protocol of gossip with this key, as somebody new. */
async function meet(scene: Scene, key: Uint8Array): Promise<string> {
  const network = await openLibp2p({
    ...{ key, identity: await makeGossipIdentity(), listen: undefined, topics: ['invalidate'] },
    ...{ mayConnect: () => true, onTurnedAway: () => undefined, judge: () => true },
    ...{ onMessage: () => undefined, onOpen: () => undefined, onClose: () => undefined },
  });
  try {
    const place = { host: '127.0.0.1', port: scene.leader.ports.gossip };
    await network.dial(scene.gossip.leaderId, place, AbortSignal.timeout(dialMs));
    // The other side looks who it is once the handshake is done.
    const until = performance.now() + dialMs;
    while (network.links().length > 0 && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return network.links().length > 0 ? 'it was let in' : 'cut off';
  } catch (error) {
    return `refused: ${(error as Error).name}`;
  } finally {
    await network.close();
  }
}

export const gossipPort: readonly Attempt[] = [
  {
    what: `garbage, ${floods} times`,
    try: ({ leader }) => repeated(floods, () => sayPlainly(leader.ports.gossip, garbage)),
    answer: /hung up|ECONNRESET/,
    logged: /gossip connection was turned away/,
  },
  {
    what: 'a stranger without the network’s key',
    try: (scene) => meet(scene, randomBytes(32)),
    answer: /^refused/,
    logged: /gossip connection was turned away/,
  },
  {
    what: 'a stranger with the network’s key',
    try: (scene) => meet(scene, scene.gossip.network),
    answer: /^refused|^cut off/,
    logged: /gossip connection was turned away/,
  },
  {
    what: 'silence after the connection',
    try: ({ leader }) => drawl(plain(leader.ports.gossip), '', 1_000),
    answer: /hung up|ECONNRESET/,
  },
];

interface Way {
  /** What is shown; undefined: plain TCP. */
  readonly shown?: Partial<Credentials>;
  readonly user?: string;
  readonly password?: string;
}

/** Signs in to the members' database, with what a member knows but for what is given. */
async function signIn(scene: Scene, way: Way): Promise<string> {
  const member = await readMemberDatabase(scene.follower.dataDir);
  if (!member) throw new Error('the follower does not know the database');
  const user = encodeURIComponent(way.user ?? member.user);
  const password = encodeURIComponent(way.password ?? member.password);
  const url = `postgres://${user}:${password}@127.0.0.1:${scene.databasePort}/${member.database}`;
  const { serverName } = member;
  const { ca } = scene.crowd.member;
  const shown = way.shown && { tls: () => ({ serverName, ...way.shown, ca }) as never };
  const database = await connectPostgres({
    ...{ url, ...shown, pool: { max: 1 }, log: quiet },
    ...{ connectTimeoutMs: 5_000, closeTimeoutMs: 500 },
  });
  try {
    await database.sql`select 1`;
    return 'it was let in';
  } catch (error) {
    return (error as Error).message;
  } finally {
    await database.close();
  }
}

const database = (what: string, way: (scene: Scene) => Way, answer: RegExp): Attempt => ({
  ...{ what, answer },
  try: (scene) => signIn(scene, way(scene)),
});

export const databasePort: readonly Attempt[] = [
  database('plain TCP', () => ({}), /no encryption/),
  {
    what: `garbage, ${floods} times`,
    try: ({ databasePort: port }) => repeated(floods, () => sayPlainly(port, garbage)),
    answer: /hung up|ECONNRESET/,
  },
  database('no certificate', () => ({ shown: {} }), /valid client certificate/),
  database(
    'a certificate of another authority',
    ({ crowd }) => ({ shown: crowd.wrongAuthority }),
    /unknown ca|ECONNRESET|CONNECTION/i,
  ),
  database(
    'an expired certificate',
    ({ crowd }) => ({ shown: crowd.expired }),
    /expired|ECONNRESET|CONNECTION/i,
  ),
  database(
    'a certificate that is not valid yet',
    ({ crowd }) => ({ shown: crowd.notYet }),
    /bad certificate|ECONNRESET|CONNECTION/i,
  ),
  database(
    'a node that was removed, with a member’s password',
    ({ crowd }) => ({ shown: crowd.removed }),
    /authentication failed/,
  ),
  database(
    'a member with a wrong password',
    ({ crowd }) => ({ shown: crowd.member, password: 'guess' }),
    /password authentication/,
  ),
  database(
    'a member as the superuser',
    ({ crowd }) => ({ shown: crowd.member, user: 'postgres' }),
    /no pg_hba.conf entry/,
  ),
  {
    what: 'silence after the connection',
    try: ({ databasePort: port }) => drawl(plain(port), '', 1_000),
    answer: /hung up|ECONNRESET/,
  },
];

const peerHeaders = [
  'POST /api/v1/apikeys HTTP/1.1',
  'host: x',
  'x-revenge-peer-hop: 1',
  'x-revenge-peer-request: 1',
  'content-type: application/json',
  'content-length: 2',
  'connection: close',
];

export const apiPort: readonly Attempt[] = [
  {
    what: `garbage, ${floods} times`,
    try: ({ leader }) => repeated(floods, () => sayPlainly(leader.ports.api, garbage)),
    answer: /400|hung up|ECONNRESET/,
  },
  {
    what: 'a client that passes for a member’s request handed on',
    try: ({ leader }) => sayPlainly(leader.ports.api, `${peerHeaders.join('\r\n')}\r\n\r\n{}`),
    answer: /^HTTP\/1.1 401/,
  },
  {
    what: 'headers of a megabyte',
    try: ({ leader }) =>
      sayPlainly(leader.ports.api, `GET / HTTP/1.1\r\nx: ${'a'.repeat(2 ** 20)}\r\n\r\n`),
    answer: /431|ECONNRESET/,
  },
  {
    what: 'a letter of a request each second',
    try: ({ leader }) =>
      drawl(plain(leader.ports.api), 'GET /api/v1/movies HTTP/1.1\r\nhost: example', 1_000),
    answer: /408|hung up|ECONNRESET/,
  },
];
