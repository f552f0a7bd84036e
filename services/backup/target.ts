import type { Queryable } from '#storage/postgres/connect.ts';
import { quoted } from '#storage/postgres/copy.ts';
import { listTables } from '#storage/postgres/copy-catalog.ts';
import { readSchema } from '#storage/postgres/copy-schema.ts';
import { tables } from './tables.ts';

/** A program that is connected to the database. */
export interface Connected {
  readonly program: string;
  /** An address, or `this machine`. */
  readonly from: string;
  readonly since: Date;
}

/** What a restore would meet. */
export interface Target {
  /** 0: it was never used. */
  readonly schemaVersion: number;
  /** The cluster that uses it; null: none has yet. */
  readonly clusterId: string | null;
  /** Tables that would be overwritten and are not empty. */
  readonly tables: readonly { readonly name: string; readonly rows: number }[];
  /** Somebody has used it: it holds more than what a start makes by itself. */
  readonly isUsed: boolean;
}

/** Looks at a database; changes nothing. */
export async function inspectTarget(sql: Queryable): Promise<Target> {
  const found = await listTables(sql);
  const filled = [];
  for (const { name } of found) {
    if (tables[name]?.fate !== 'content') continue;
    const [row] = await sql.unsafe<{ rows: number }[]>(
      `select count(*) as rows from ${quoted(name)}`,
    );
    if (row!.rows > 0) filled.push({ name, rows: row!.rows });
  }
  const isThere = found.some(({ name }) => name === 'shared.cluster');
  const [owner] = isThere
    ? await sql<{ id: string }[]>`select cluster_id as id from shared.cluster`
    : [];
  return {
    schemaVersion: (await readSchema(sql)).at(-1)?.version ?? 0,
    clusterId: owner?.id ?? null,
    tables: filled,
    isUsed: filled.some(({ name }) => !isMadeByItself(name)),
  };
}

function isMadeByItself(name: string): boolean {
  const fate = tables[name];
  return fate?.fate === 'content' && fate.isMadeByItself === true;
}

/**
 * The programs of ours that use the database, but for the one of this application name. Nodes hold
 * connections for as long as they run. One that waits for its turn to migrate has read nothing yet.
 */
export async function listConnected(sql: Queryable, but: string): Promise<Connected[]> {
  return sql<Connected[]>`
    select application_name as program, coalesce(host(client_addr), 'this machine') as "from",
      min(backend_start) as since
    from pg_stat_activity a
    where datname = current_database() and backend_type = 'client backend'
      and application_name like 'revenge%' and application_name <> ${but}
      and not exists (select from pg_locks l
        where l.pid = a.pid and l.locktype = 'advisory' and not l.granted)
    group by 1, 2 order by 3`;
}
