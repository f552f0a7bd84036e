import { createRedis } from '#storage/redis/redis.ts';
import { findBinaries, postgresOwner } from '#storage/postgres/binaries.ts';
import { connectPostgres, type PostgresAddress } from '#storage/postgres/connect.ts';
import type { Log } from '#services/log.ts';
import type { Config } from '../config/keys.ts';
import type { Running } from '../rundir.ts';
import { failing, fine, warning, type Finding } from './check.ts';

const timeoutMs = 5_000;
const oldestPostgres = 18;

/** The database, configured or embedded, and this machine's clock against its clock. */
export async function checkDatabase(
  config: Config,
  running: Running | undefined,
  log: Log,
): Promise<Finding[]> {
  const url = config['database.url'];
  const address: PostgresAddress | undefined = url === undefined ? running?.database : { url };
  if (address === undefined) return [await checkBinaries(config)];
  try {
    await using database = await connectPostgres({
      ...address,
      log,
      pool: { max: 2 },
      connectTimeoutMs: timeoutMs,
    });
    const begin = Date.now();
    const [row] = await database.sql<{ version: number; now: Date }[]>`
      select current_setting('server_version_num')::int / 10000 as version, now()`;
    const spentMs = Date.now() - begin;
    if (row === undefined) throw new Error('the database answered nothing');
    const name = url === undefined ? 'embedded PostgreSQL' : 'PostgreSQL';
    const detail = `${row.version}, answers in ${spentMs} ms`;
    const skewMs = Math.abs(row.now.getTime() - (begin + spentMs / 2));
    return [
      row.version >= oldestPostgres
        ? fine(name, detail)
        : failing(name, detail, `PostgreSQL ${oldestPostgres} is needed (uuidv7): upgrade it`),
      skewMs < 1_000 + spentMs
        ? fine('clock', `${Math.round(skewMs)} ms from the database's`)
        : warning('clock', `${(skewMs / 1000).toFixed(1)} s from the database's`, setClock),
    ];
  } catch (error) {
    const mend = 'check database.url (host, port, user, password) and that the server runs';
    return [failing('PostgreSQL', (error as Error).message, mend)];
  }
}

const setClock = 'let both machines follow a time server: timedatectl set-ntp true';

async function checkBinaries(config: Config): Promise<Finding> {
  try {
    const { version } = await findBinaries(postgresOwner(), config['data.dir']);
    return fine('embedded PostgreSQL', `${version}, starts with the node`);
  } catch (error) {
    return failing('embedded PostgreSQL', (error as Error).message, 'run "npm ci"');
  }
}

/** The shared cache, when one is configured. */
export async function checkCache(config: Config, log: Log): Promise<Finding> {
  const url = config['cache.url'];
  if (url === undefined) return fine('cache', 'in this process only (no cache.url)');
  await using redis = createRedis({ url, log, connectTimeoutMs: timeoutMs });
  const begin = Date.now();
  while (Date.now() - begin < timeoutMs) {
    if (await redis.ping(1_000)) return fine('cache', `answers in ${Date.now() - begin} ms`);
    await new Promise((done) => setTimeout(done, 200));
  }
  return failing(
    'cache',
    'does not answer',
    'check cache.url; without it the node runs on, slower',
  );
}

/** The search server, when one is configured. */
export async function checkSearch(config: Config): Promise<Finding> {
  const url = config['search.url'];
  if (url === undefined) return fine('search', 'in PostgreSQL (no search.url)');
  try {
    const response = await fetch(`${url.replace(/\/$/, '')}/health`, {
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (response.ok) return fine('search', 'answers');
    return failing('search', `HTTP ${response.status}`, 'look at the log of Typesense');
  } catch (error) {
    const { cause } = error as { cause?: { code?: string } };
    const detail = cause?.code ?? (error as Error).message;
    return failing('search', detail, 'check search.url; without it PostgreSQL searches');
  }
}
