import type postgres from 'postgres';
import type { Duplex } from 'node:stream';
import type { Host, SessionKind } from './address.ts';
import { loadDriver } from './mended.ts';
import { dialHost } from './sockets.ts';

const driver = await loadDriver();

/** A pool of connections to tag queries with. */
export type Sql = postgres.Sql<{ bigint: number }>;

/** A transaction's own connection: what `sql.begin` hands to its function. */
export type Tx = postgres.TransactionSql<{ bigint: number }>;

/** Either of both, for a store's functions that work inside and outside of a transaction. */
export type Queryable = postgres.ISql<{ bigint: number }>;

export type Settings = postgres.Options<{ bigint: postgres.PostgresType<number> }>;

/** Makes the driver's pool over sockets we open ourselves; `url` says everything but the host. */
export function createPool(url: string, settings: Settings, socket: () => Promise<Duplex>): Sql {
  const all: Settings = { ...settings, ...{ socket } };
  return driver(url, all);
}

/** What is asked of a new connection to see whether it is of use. */
type Probe = { url: string; settings: Settings; timeoutMs: number };

/** True when a new connection to `host` is answered within the time given; never throws. */
export async function hostAnswers(host: Host, probe: Probe): Promise<boolean> {
  return (await askHost(host, probe)) !== undefined;
}

/** The first host, in the order given, that takes sessions of this kind; all are asked at once. */
export async function chooseHost(
  hosts: Host[],
  sessions: SessionKind,
  probe: Probe,
): Promise<Host | undefined> {
  const answers = await Promise.all(hosts.map((host) => askHost(host, probe)));
  return hosts.find((_, index) => suits(answers[index], sessions));
}

type Answer = { readonly: boolean; standby: boolean };

function suits(answer: Answer | undefined, sessions: SessionKind): boolean {
  if (!answer) return false;
  switch (sessions) {
    case 'any':
      return true;
    case 'read-write':
      return !answer.readonly;
    case 'read-only':
      return answer.readonly;
    case 'primary':
      return !answer.standby;
    case 'standby':
      return answer.standby;
  }
}

async function askHost(host: Host, probe: Probe): Promise<Answer | undefined> {
  const settings = { ...probe.settings, max: 1, fetch_types: false };
  const sql = createPool(probe.url, settings, () => dialHost(host, probe.timeoutMs));
  try {
    const [row] = await within(
      sql<Answer[]>`
        select current_setting('transaction_read_only') = 'on' as readonly,
               pg_is_in_recovery() as standby`,
      probe.timeoutMs,
    );
    return row;
  } catch {
    return undefined; // why does not matter here: the pool's own attempt reports it
  } finally {
    await sql.end({ timeout: 0 });
  }
}

/** Waits for a query, but not longer than this; what comes of it later is nobody's concern. */
export async function within<T>(query: PromiseLike<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
  });
  const answer = Promise.resolve(query);
  answer.catch(() => undefined);
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
