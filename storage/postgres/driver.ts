import type postgres from 'postgres';
import type { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { hostName, type Host, type SessionKind } from './address.ts';
import { dialHost, unavailable, type Line } from './dial.ts';
import { loadDriver } from './mended.ts';

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
export type Probe = { url: string; settings: Settings; line: Line };

/** True when a new connection to `host` is answered within the time given; never throws. */
export async function hostAnswers(host: Host, probe: Probe): Promise<boolean> {
  return askHost(host, probe).then(
    () => true,
    () => false, // why does not matter here: the pool's own attempt reports it
  );
}

/** Once a host has answered that would do, others that are as quick are heard too. */
const graceMs = 100;

/** Among which hosts to choose; `last` is kept where nothing speaks for another. */
export type Choice = { hosts: Host[]; sessions: SessionKind; last?: Host | undefined };

/**
 * The host to use for sessions of this kind; all are asked at once, and one that is silent keeps
 * nobody waiting. A primary that was replaced and came back unaware still takes writes, which would
 * be lost: the later timeline (one more with each promotion) tells which one is meant. Between
 * equals it is the last one used, then the first in the order given. Throws when none will do.
 */
export async function chooseHost(choice: Choice, probe: Probe): Promise<Host> {
  const { hosts, sessions, last } = choice;
  const fit: { host: Host; timeline: string }[] = [];
  const asked = hosts.map(async (host) => {
    const answer = await askHost(host, probe);
    if (!suits(answer, sessions)) throw new Error(`takes no ${sessions} sessions`);
    fit.push({ host, timeline: answer.timeline });
  });
  const all = Promise.allSettled(asked);
  await Promise.race([Promise.any(asked).catch(() => undefined), all]);
  if (fit.length === 0) throw unavailable(reasons(hosts, await all));
  await Promise.race([all, pause(graceMs)]);
  const lastName = last && hostName(last);
  const rank = (host: Host) => (hostName(host) === lastName ? -1 : hosts.indexOf(host));
  fit.sort((a, b) => b.timeline.localeCompare(a.timeline) || rank(a.host) - rank(b.host));
  return fit[0]!.host;
}

function reasons(hosts: Host[], results: PromiseSettledResult<void>[]): string {
  const lines = results.map((result, index) => {
    const why: unknown = result.status === 'rejected' ? result.reason : undefined;
    return `${hostName(hosts[index]!)}: ${why instanceof Error ? why.message : String(why)}`;
  });
  return `no host of the database will do (${lines.join('; ')})`;
}

type Answer = { readonly: boolean; standby: boolean; timeline: string };

function suits(answer: Answer, sessions: SessionKind): boolean {
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

async function askHost(host: Host, probe: Probe): Promise<Answer> {
  const { url, settings, line } = probe;
  const alone = { ...settings, max: 1, fetch_types: false };
  const sql = createPool(url, alone, () => dialHost(host, line));
  try {
    const [row] = await within(
      sql<Answer[]>`
        select current_setting('transaction_read_only') = 'on' as readonly,
               pg_is_in_recovery() as standby,
               case when pg_is_in_recovery() then ''
                    else left(pg_walfile_name(pg_current_wal_lsn()), 8) end as timeline`,
      line.timeoutMs,
    );
    return row!;
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
