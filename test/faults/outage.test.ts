import { expect } from 'chai';
import { Redis } from 'ioredis';
import type { components } from '#api/types.ts';
import { needs } from '../needs.ts';
import { startRedis, type TestRedis } from '../redis.ts';
import { addLibrary, listFilms, rescan, settled } from './check.ts';
import { listen } from './events.ts';
import { startExternalPostgres, type ExternalPostgres } from './external.ts';
import { expectFine, expectFineOrAway, startLoad, summary, type Load } from './load.ts';
import { startFaultNode, until, type FaultNode } from './node.ts';
import { report } from './report.ts';
import { makeTree, type Tree } from './tree.ts';

type Schemas = components['schemas'];

const films = 100;
/** How long PostgreSQL is away; longer than caches and clients take to notice. */
const outageMs = Number(process.env['REVENGE_TEST_OUTAGE_MS'] ?? 8_000);
/** What a client may have to wait while something is away: until a silence is taken for an end. */
const answerMaxMs = 7_500;
const recoverMaxMs = 15_000;

describe('what the node needs goes away under load', function () {
  needs('ffmpeg', 'redis-server');
  this.timeout(180_000);
  let tree: Tree;
  let redis: TestRedis;
  let postgres: ExternalPostgres;
  let node: FaultNode;
  let libraryId: string;
  let ids: string[];
  let token: string;

  before(async function () {
    tree = await makeTree(films);
    redis = await startRedis();
    postgres = await startExternalPostgres();
    const env = { REVENGE_CACHE_URL: redis.url };
    node = await startFaultNode({ env, database: { url: postgres.url } });
    libraryId = await addLibrary(node, tree.folder);
    await settled(node, 120_000);
    ids = (await listFilms(node)).map(({ id }) => id);
    token = await signIn(node);
  });
  after(async () => {
    await node?.[Symbol.asyncDispose]();
    await postgres?.[Symbol.asyncDispose]();
    await redis?.close();
    await tree?.[Symbol.asyncDispose]();
  });

  const load = () => startLoad({ url: node.url(), token, path: (request) => pathOf(request, ids) });
  for (const { what, leave, enter } of [
    { what: 'is killed', leave: () => redis.kill(), enter: () => redis.restart() },
    {
      what: 'does not answer',
      leave: async () => redis.freeze(),
      enter: async () => redis.thaw(),
    },
  ]) {
    it(`serves everybody while Redis ${what}, and uses it again after`, async () => {
      await using reading = load();
      await reading.more(200);
      expectFine(reading.take());
      await leave();
      await reading.more(400);
      const answers = reading.take();
      report(`Redis ${what}`, summary(answers));
      expectFine(answers);
      await enter();
      const begin = performance.now();
      const before = await lookups(redis);
      await until('a look-up in Redis', 60_000, async () => (await lookups(redis)) > before);
      report('Redis used again', { afterMs: Math.round(performance.now() - begin) });
      expectFine(reading.take());
      expect(node.isRunning()).to.equal(true);
    });
  }

  for (const { what, leave, enter } of [
    { what: 'freezes', leave: () => postgres.freeze(), enter: () => postgres.thaw() },
    { what: 'is stopped', leave: () => postgres.stop(), enter: () => postgres.start() },
  ]) {
    it(`answers from cache or with 503 while PostgreSQL ${what}, and goes on after`, async () => {
      await using events = await listen(node);
      await using reading = load();
      await reading.more(200);
      expectFine(reading.take());
      const pid = node.pid();

      await leave();
      const away = Date.now();
      const failingMs = await untilReady(node, false, away);
      await outage(reading, away + outageMs);
      const during = reading.take();
      expectFineOrAway(during, answerMaxMs);
      await enter();
      const back = Date.now();
      const readyMs = await untilReady(node, true, back);
      expectFineOrAway(reading.take(), answerMaxMs);
      await reading.more(200);
      const after = reading.take();
      report(`PostgreSQL ${what}`, { ...summary(during), failingMs, readyMs });
      expectFine(after);

      expect(node.isRunning()).to.equal(true);
      expect(node.pid()).to.equal(pid);
      expect(await rescan(node, libraryId)).to.include({ state: 'completed' });
      expect(events.isOpen(), 'the event stream').to.equal(true);
      await until('an event', 5_000, async () => events.heard().includes('scan.finished'));
      const dead = await node.sql`select name, errors from shared.jobs where state = 'dead'`;
      expect([...dead], 'dead jobs').to.deep.equal([]);
      const faults = node.log().filter((line) => line.includes('"request failed"'));
      expect(faults).to.deep.equal([]);
    });
  }
});

/** Lists, details, search and one's own things: some again and again, some for the first time. */
function pathOf(request: number, ids: readonly string[]): string {
  const id = ids[request % ids.length]!;
  const paths = [
    '/api/v1/movies?limit=50',
    `/api/v1/movies/${id}`,
    `/api/v1/movies?limit=10&offset=${request % films}`,
    `/api/v1/search?q=${'bcdfghjklm'[request % 10]}a`,
    `/api/v1/search?q=never+asked+${request}`,
    `/api/v1/search/suggest?q=${'bcdfghjklm'[request % 10]}`,
    '/api/v1/users/me/continue-watching',
    '/api/v1/users/me/favourites',
    '/api/v1/libraries',
    '/api/v1/movies/filters',
  ];
  return paths[request % paths.length]!;
}

/** How many keys have been looked for in Redis since its start. */
async function lookups({ url }: TestRedis): Promise<number> {
  const client = new Redis(url, { maxRetriesPerRequest: 2 });
  const stats = await client.info('stats');
  client.disconnect();
  const counts = stats.matchAll(/^keyspace_(?:hits|misses):(\d+)/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

async function signIn(node: FaultNode): Promise<string> {
  const json = { username: 'admin', password: 'a password for the faults' };
  const path = '/api/v1/auth/login';
  const tokens = await node.read<Schemas['Tokens']>(path, { method: 'POST', json });
  return tokens.accessToken;
}

/** Milliseconds from `since` until `/health/ready` says so. */
async function untilReady(node: FaultNode, wanted: boolean, since: number): Promise<number> {
  await until(`ready: ${wanted}`, wanted ? recoverMaxMs : 45_000, async () => {
    const response = await node.fetch('/health/ready');
    const { status } = (await response.json()) as { status: string };
    expect(response.status).to.equal(status === 'failing' ? 503 : 200);
    return (status !== 'failing') === wanted;
  });
  return Date.now() - since;
}

async function outage(reading: Load, end: number): Promise<void> {
  while (Date.now() < end) await reading.more(8);
}
