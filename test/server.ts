import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { transports } from 'winston';
import type { components } from '#api/types.ts';
import { readConfig, type ReadConfig } from '#node/config/read.ts';
import { createLog } from '#node/log.ts';
import { keepLines } from '#node/logs/keep.ts';
import { startNode, type RunningNode } from '#node/main.ts';
import type { Log } from '#services/log.ts';
import { permissionNames } from '#services/users/permissions.ts';
import { findTool } from '#storage/media/tools.ts';
import { noteOpen } from './open.ts';
import { testDatabase, type TestDatabase } from './postgres.ts';
import type { ExampleServer } from './spec-examples.ts';

type Schemas = components['schemas'];

/** What a test sends; `token` is a bearer token, `json` the body. */
export type Ask = RequestInit & { token?: string | undefined; json?: unknown };

/** Someone who may sign in, signed in. */
export interface Account {
  readonly id: string;
  readonly username: string;
  readonly password: string;
  readonly tokens: Schemas['Tokens'];
}

/** A whole node as `revenge serve` runs it, on a database and in folders of the test's own. */
export interface TestServer extends ExampleServer, AsyncDisposable {
  readonly node: RunningNode;
  readonly db: TestDatabase;
  /** Empty at first; the one place below which the server's libraries may lie. */
  readonly films: string;
  readonly admin: Account;
  readonly user: Account;
  /** The secret that access tokens are signed with. */
  readonly jwtSecret: Uint8Array;
  /** What the node says; a test may have it say more. */
  readonly log: Log;
  /** Warnings and errors the node has logged, as JSON. */
  readonly complaints: readonly string[];
  /** `fetch` on this server. */
  fetch(path: string, ask?: Ask): Promise<Response>;
  /** The body of a successful answer; as administrator unless a token is given. */
  read<T>(path: string, ask?: Ask): Promise<T>;
  /** Makes an account that is signed in. */
  account(username: string, role?: 'admin' | 'user'): Promise<Account>;
  /** Makes a library of a folder below `films`, and waits until all that follows is done. */
  library(name: string, folder: string, kind?: Schemas['LibraryKind']): Promise<Schemas['Library']>;
  /** Resolves when no job is due and none runs. */
  settled(): Promise<void>;
}

/** Settings of a test's node; the database is always the test's own. */
export interface ServerOptions {
  /** False leaves the node as it is when it has never been used. */
  readonly setUp?: boolean;
  /** Keys of the configuration over those of a test. */
  readonly config?: Readonly<Record<string, unknown>>;
}

const jwtSecret = 'the secret of test servers, 32 characters or more';
const password = 'correct horse battery staple';
const pollMs = 50;
const settleMs = 120_000;

/** Starts a node; dispose of it in `after`. A node that is not set up has accounts that are not. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  await using stack = new AsyncDisposableStack();
  stack.defer(noteOpen('startServer'));
  const dir = await mkdtemp(join(tmpdir(), 'revenge-test-server-'));
  // By rm: paths may be longer than Node's own takes.
  stack.defer(async () => void (await run('rm', ['-rf', dir])));
  const films = join(dir, 'films');
  await mkdir(films);
  const db = stack.use(await testDatabase());
  const complaints: string[] = [];
  const log = collect(complaints);
  const node = await startNode({
    config: await configOf(dir, db, options.config),
    ...{ log, logs: keepLines(log) },
    env: {},
    configFile: join(dir, 'config.yaml'),
    validateResponses: true,
    exit: () => complaints.push('exit'),
  });
  stack.defer(async () => {
    node.stop('soft');
    node.stop('cancel');
    await node.stopped;
  });
  const url = `http://127.0.0.1:${node.port}`;
  const tools = clientOf(url, db, films);
  const { admin, user } = await accounts(tools, node, options);
  const rest = stack.move();
  return {
    ...{ url, node, db, films, admin, user, log, complaints },
    jwtSecret: Buffer.from(jwtSecret),
    adminToken: admin.tokens.accessToken,
    userToken: user.tokens.accessToken,
    ...tools.as(admin),
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

async function configOf(
  dir: string,
  { address }: TestDatabase,
  more: ServerOptions['config'],
): Promise<ReadConfig> {
  const file = join(dir, 'config.yaml');
  await writeFile(file, '');
  const { user, database, socket } = address;
  const options = {
    'data.dir': join(dir, 'data'),
    'server.host': '127.0.0.1',
    'server.port': 0,
    'media.folders': join(dir, 'films'),
    // Tests change files and look at what a scan makes of that.
    'library.watch': false,
    // Opened by what is asked of it, so that no two tests want one port.
    'cluster.raft.bind_addr': '127.0.0.1:0',
    'cluster.rpc.bind_addr': '127.0.0.1:0',
    'cluster.gossip.bind_addr': '127.0.0.1:0',
    'database.url': `postgres://${user}@localhost/${database}?host=${encodeURIComponent(socket)}`,
    'auth.jwt_secret': jwtSecret,
    ...more,
  };
  return readConfig({ env: {}, file, options });
}

function collect(lines: string[]) {
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const log = createLog({ level: 'warn', format: 'json' });
  return log.clear().add(new transports.Stream({ stream, level: 'warn' }));
}

const nobody: Account = {
  ...{ id: '', username: '', password: '' },
  tokens: { accessToken: '' } as Schemas['Tokens'],
};

type Tools = ReturnType<typeof clientOf>;

async function accounts(tools: Tools, node: RunningNode, { setUp = true }: ServerOptions) {
  if (!setUp) return { admin: nobody, user: nobody };
  const json = { token: node.setupToken, username: 'admin', password };
  await tools.read('/api/v1/auth/setup', { method: 'POST', json });
  const admin = await tools.signIn('admin');
  return { admin, user: await tools.as(admin).account('user') };
}

/** What a client of the server can do. */
function clientOf(url: string, db: TestDatabase, films: string) {
  const ask: TestServer['fetch'] = (path, { token, json, ...init } = {}) => {
    const headers = new Headers(init.headers);
    if (token) headers.set('authorization', `Bearer ${token}`);
    if (json === undefined) return fetch(url + path, { redirect: 'manual', ...init, headers });
    headers.set('content-type', 'application/json');
    return fetch(url + path, { redirect: 'manual', ...init, headers, body: JSON.stringify(json) });
  };
  const read = async <T>(path: string, init?: Ask): Promise<T> => {
    const response = await ask(path, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`${init?.method ?? 'GET'} ${path}: ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  };
  const signIn = async (username: string): Promise<Account> => {
    const json = { username, password };
    const tokens = await read<Schemas['Tokens']>('/api/v1/auth/login', { method: 'POST', json });
    return { id: tokens.user.id, username, password, tokens };
  };
  const as = ({ tokens: { accessToken } }: Account) => {
    const admin: TestServer['read'] = (path, init) => read(path, { token: accessToken, ...init });
    const keys = new Map<string, Promise<string>>();
    return {
      fetch: ask,
      read: admin,
      tokenWithout(permission: string) {
        const known = keys.get(permission) ?? keyWithout(admin, permission);
        keys.set(permission, known);
        return known;
      },
      async account(username: string, role: Account['tokens']['user']['role'] = 'user') {
        const json = { username, password, role };
        await admin('/api/v1/users', { method: 'POST', json });
        return signIn(username);
      },
      async library(name: string, folder: string, kind: Schemas['LibraryKind'] = 'movie') {
        const json = { kind, name, paths: [join(films, folder)] };
        const made = await admin<Schemas['Library']>('/api/v1/libraries', { method: 'POST', json });
        await settled(db);
        return made;
      },
      settled: () => settled(db),
    };
  };
  return { read, signIn, as };
}

/** A real API key of the administrator with every scope but the one. */
async function keyWithout(admin: TestServer['read'], permission: string): Promise<string> {
  const scopes = permissionNames.filter((name) => name !== permission);
  const json = { name: `without ${permission}`, scopes };
  const { key } = await admin<Schemas['CreatedApiKey']>('/api/v1/apikeys', {
    method: 'POST',
    json,
  });
  return key;
}

async function settled({ sql }: TestDatabase): Promise<void> {
  for (const end = Date.now() + settleMs; ; await pause(pollMs)) {
    const rows = await sql<{ name: string; state: string }[]>`
      select name, state from shared.jobs
      where name not like 'test.%' -- no node does those
        and (state = 'running' or (state = 'waiting' and run_at <= now()))`;
    if (rows.length === 0) return;
    if (Date.now() > end) throw new Error(`jobs do not end: ${JSON.stringify(rows)}`);
  }
}

const run = promisify(execFile);
let film: Promise<Buffer> | undefined;

/** A film of two seconds with picture and sound: MP4, a few kilobytes. Needs ffmpeg. */
export function tinyFilm(): Promise<Buffer> {
  return (film ??= makeFilm());
}

async function makeFilm(): Promise<Buffer> {
  const ffmpeg = findTool('ffmpeg', {});
  if (ffmpeg === undefined) throw new Error('no ffmpeg: call needs("ffmpeg") in this suite');
  const dir = await mkdtemp(join(tmpdir(), 'revenge-test-film-'));
  try {
    const target = join(dir, 'film.mp4');
    await run(ffmpeg.path, [
      ...['-nostdin', '-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=s=160x90:r=10'],
      ...['-f', 'lavfi', '-i', 'sine=f=330:r=44100', '-t', '2'],
      ...['-c:v', 'mpeg4', '-q:v', '20', '-c:a', 'aac', '-b:a', '32k'],
      ...['-movflags', '+faststart', target],
    ]);
    return await readFile(target);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Writes files below a folder, by relative path; folders are made. */
export async function writeFiles(
  folder: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}
