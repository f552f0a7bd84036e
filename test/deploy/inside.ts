/**
 * Runs inside a container, handed to its Node on standard input (`exec -i … node -`), because a node
 * without published ports is only reached from there. Sets up an administrator, makes a library of
 * /media, waits for its first film, and fetches bytes of it; says what it saw as one line of JSON.
 * It imports nothing of the project: it stands in for a stranger's client.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

const node = 'http://127.0.0.1:8080';
const username = 'admin';
const password = 'correct horse battery staple';
const waitMs = 60_000;
const [from, to] = [1000, 1999];

let token = '';

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (token !== '') headers['authorization'] = `Bearer ${token}`;
  const response = await fetch(node + path, {
    ...{ method, headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text === '' ? 'null' : text) as T;
}

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + waitMs;
  while (performance.now() < end) {
    const found = await look();
    if (found !== undefined) return found;
    await pause(200);
  }
  throw new Error(`waited in vain for ${what}`);
}

type Items<T> = { items: T[] };
type Film = { id: string; title: string; versions: { files: { id: string }[] }[] };

const signIn = async () =>
  call<{ accessToken: string }>('POST', '/api/v1/auth/login', { username, password });

token = (await signIn()).accessToken;
const libraries = await call<Items<{ name: string }>>('GET', '/api/v1/libraries');
if (libraries.items.length === 0) {
  await call('POST', '/api/v1/libraries', { name: 'Lab', paths: ['/media'], kind: 'movie' });
}
const { id, title } = await until('a film', async () => {
  const { items } = await call<Items<Film>>('GET', '/api/v1/movies');
  return items[0];
});
const film = await call<Film>('GET', `/api/v1/movies/${id}`);
const file = film.versions[0]?.files[0]?.id;
const address = await call<{ url: string }>('POST', `/api/v1/playback/files/${file}/address`);
const range = await fetch(node + address.url, { headers: { range: `bytes=${from}-${to}` } });
const got = Buffer.from(await range.arrayBuffer());
const path = process.argv[2] ?? '';
const wanted = (await readFile(path)).subarray(from, to + 1);
const health = await call<{ nodeId: string }>('GET', '/health/ready');
process.stdout.write(
  `${JSON.stringify({
    title,
    status: range.status,
    contentRange: range.headers.get('content-range'),
    isSame: got.equals(wanted),
    nodeId: health.nodeId,
  })}\n`,
);
