import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Umzug, type RunnableMigration } from 'umzug';
import type { Log } from '../log.ts';
import type { Queryable, Sql } from './connect.ts';

/** One pair of files `NNNNNN_snake_case.{up,down}.sql`. */
export type Migration = {
  version: number;
  name: string;
  up: string;
  down?: string;
  /**
   * Set by a first line `-- contract: feature level N`: it takes away what the release before still
   * uses, and waits until all nodes are beyond that.
   */
  contractLevel?: number | undefined;
};

/** A line of shared.schema_migrations. */
export type Applied = {
  version: number;
  name: string;
  checksum: string;
  appliedAt: Date;
  /** It only adds: programs that do not know it can go on with the database. */
  isCompatible: boolean;
};

/** Where a database stands against the files of this program. */
export type MigrationStatus = { applied: Applied[]; pending: string[] };

export type Migrator = {
  status(): Promise<MigrationStatus>;
  /**
   * Applies what is pending, or up to and including `version`; returns the names. What takes
   * something away waits for `level`, unless the database is new or that is not given.
   */
  up(version?: number, options?: { level: number }): Promise<string[]>;
  /** Reverts the last one, or everything above `version` (0 = all); returns the names. */
  down(version?: number): Promise<string[]>;
  /** Goes up or down to exactly `version`; returns the names it ran. */
  to(version: number): Promise<string[]>;
};

/** Identifies our lock among a database's advisory locks: "revenge" in ASCII, shortened. */
export const migrationLock = 0x7265_766e;
const lockTimeoutMs = 300_000;
const goneMs = 2_000;
const fileName = /^(\d{6})_([a-z0-9]+(?:_[a-z0-9]+)*)\.(up|down)\.sql$/;

/**
 * Moves a database between the versions in `dir`. One node at a time holds an advisory lock, the
 * others wait and find nothing left to do. Each migration is one transaction together with its
 * ledger line. Throws when a released file has changed since it was applied, and when the
 * database is newer than this program; additions of a newer one are none of its business.
 */
export function createMigrator(deps: { sql: Sql; dir: string; log: Log }): Migrator {
  const log = deps.log.child({ module: 'migrate' });
  const run = (
    work: (umzug: Umzug<Ledger>, ledger: Ledger) => Promise<string[]>,
    { mayBeNewer = false } = {},
  ) =>
    locked(deps.sql, async (sql) => {
      await prepare(sql);
      const files = await readMigrations(deps.dir);
      const applied = await readApplied(sql);
      verify(files, applied, { mayBeNewer });
      const ledger: Ledger = { sql, files, isNew: applied.length === 0 };
      return work(createUmzug(ledger, log), ledger);
    });
  return {
    status: () => status(deps.sql, deps.dir),
    up: (version, { level = Infinity } = { level: Infinity }) =>
      run((umzug, ledger) => goUp(umzug, ledger, { version, level }), { mayBeNewer: true }),
    down: (version) => run((umzug, ledger) => goDown(umzug, ledger, version)),
    to: (version) =>
      run(async (umzug, ledger) => [
        ...(await goDown(umzug, ledger, version)),
        ...(await goUp(umzug, ledger, { version, level: Infinity })),
      ]),
  };
}

type Ledger = { sql: Queryable; files: Migration[]; isNew: boolean };

async function status(sql: Sql, dir: string): Promise<MigrationStatus> {
  const files = await readMigrations(dir);
  const applied = (await hasLedger(sql)) ? await readApplied(sql) : [];
  verify(files, applied, { mayBeNewer: true });
  const done = new Set(applied.map((line) => line.name));
  return { applied, pending: files.map((file) => file.name).filter((name) => !done.has(name)) };
}

async function goUp(
  umzug: Umzug<Ledger>,
  { files, isNew }: Ledger,
  { version, level }: { version: number | undefined; level: number },
): Promise<string[]> {
  if (version !== undefined && version !== 0) expectKnown(files, version);
  const due = (await umzug.pending()).map(({ name }) => name);
  // A database that is new has no nodes of before.
  const early = isNew ? [] : files.filter(({ contractLevel = 0 }) => contractLevel > level);
  const wanted = due
    .filter((name) => version === undefined || versionOf(name) <= version)
    .filter((name) => !early.some((file) => file.name === name));
  return names(await umzug.up({ migrations: wanted }));
}

async function goDown(umzug: Umzug<Ledger>, ledger: Ledger, version?: number): Promise<string[]> {
  if (version !== undefined && version !== 0) expectKnown(ledger.files, version);
  const done = (await umzug.executed()).map(({ name }) => name).reverse();
  const above = done.filter((name) => version !== undefined && versionOf(name) > version);
  return names(await umzug.down({ migrations: version === undefined ? done.slice(0, 1) : above }));
}

function expectKnown(files: Migration[], version: number): void {
  if (files.some((file) => file.version === version)) return;
  throw new Error(`there is no migration ${version}; the last is ${files.at(-1)?.version ?? 0}`);
}

const names = (list: { name: string }[]) => list.map(({ name }) => name);
const versionOf = (name: string) => Number(name.slice(0, 6));

function createUmzug(ledger: Ledger, log: Log): Umzug<Ledger> {
  return new Umzug<Ledger>({
    context: ledger,
    logger: undefined,
    migrations: ledger.files.map((file) => runnable(file, log)),
    storage: {
      executed: async ({ context }) => names(await readApplied(context.sql)),
      // The ledger line is written inside the migration's own transaction.
      logMigration: async () => undefined,
      unlogMigration: async () => undefined,
    },
  });
}

function runnable(file: Migration, log: Log): RunnableMigration<Ledger> {
  const { name, version } = file;
  return {
    name,
    up: ({ context: { sql } }) =>
      transaction(sql, { name, text: file.up, direction: 'up' }, async () => {
        await sql`
          insert into shared.schema_migrations (version, name, checksum, is_compatible)
          values (${version}, ${name}, ${checksum(file.up)}, ${file.contractLevel === undefined})`;
        log.info('migration applied', { name });
      }),
    down: ({ context: { sql } }) => {
      if (file.down === undefined) throw new Error(`${name}.down.sql is missing`);
      return transaction(sql, { name, text: file.down, direction: 'down' }, async () => {
        await sql`delete from shared.schema_migrations where version = ${version}`;
        log.info('migration reverted', { name });
      });
    },
  };
}

type Step = { name: string; text: string; direction: 'up' | 'down' };

async function transaction(sql: Queryable, step: Step, then: () => Promise<void>): Promise<void> {
  await sql`begin`;
  try {
    await sql.unsafe(step.text);
    await then();
    await sql`commit`;
  } catch (cause) {
    await sql`rollback`;
    throw new Error(`migration ${step.name}.${step.direction}.sql failed${at(cause, step)}`, {
      cause,
    });
  }
}

function at(error: unknown, { text }: Step): string {
  const { message, position } = error as { message?: string; position?: string };
  const line = position ? ` at line ${text.slice(0, Number(position)).split('\n').length}` : '';
  return `${line}: ${message ?? String(error)}`;
}

/** Reads a folder's migrations in order; throws on a misspelt name or a doubled number. */
export async function readMigrations(dir: string): Promise<Migration[]> {
  const found = new Map<number, Partial<Migration>>();
  for (const entry of (await readdir(dir)).filter((name) => name.endsWith('.sql')).sort()) {
    const [, digits, title, direction] = fileName.exec(entry) ?? [];
    if (!digits || !title) throw new Error(`${entry} is not named NNNNNN_snake_case.up|down.sql`);
    const version = Number(digits);
    const name = `${digits}_${title}`;
    const known = found.get(version) ?? { version, name };
    if (known.name !== name) throw new Error(`${known.name} and ${name} have the same number`);
    const text = await readFile(join(dir, entry), 'utf8');
    found.set(version, { ...known, [direction === 'up' ? 'up' : 'down']: text });
  }
  return [...found.values()].map((file) => {
    if (file.up === undefined) throw new Error(`${file.name}.up.sql is missing`);
    const [, level] = /^-- contract: feature level (\d{1,4})\n/.exec(file.up) ?? [];
    return { ...file, ...(level ? { contractLevel: Number(level) } : {}) } as Migration;
  });
}

/** What the ledger remembers of a file, so that an edit after release is noticed. */
export function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function verify(
  files: Migration[],
  applied: Applied[],
  { mayBeNewer }: { mayBeNewer: boolean },
): void {
  const known = new Map(files.map((file) => [file.version, file]));
  const newest = files.at(-1)?.version ?? 0;
  for (const line of applied) {
    const file = known.get(line.version);
    if (!file && line.version > newest) {
      if (mayBeNewer && line.isCompatible) continue;
      throw new Error(newerMessage(line, newest));
    }
    if (file?.name !== line.name) throw new Error(`${line.name} is applied but its file is gone`);
    if (checksum(file.up) !== line.checksum) {
      throw new Error(`${line.name}.up.sql has changed since it was applied; restore it`);
    }
  }
}

function newerMessage(line: Applied, newest: number): string {
  return `the database is newer than this program: it has ${line.name}, we know up to ${newest}`;
}

async function locked<T>(sql: Sql, work: (sql: Queryable) => Promise<T>): Promise<T> {
  const connection = await sql.reserve();
  try {
    await connection.unsafe(`set lock_timeout = ${lockTimeoutMs}; set statement_timeout = 0`);
    // Or what a node that was killed had begun would go on, and keep the others waiting.
    await connection.unsafe(`set client_connection_check_interval = ${goneMs}`);
    await connection`select pg_advisory_lock(${migrationLock})`;
    return await work(connection).catch((error: unknown) => {
      throw unwrapped(error);
    });
  } finally {
    await connection
      .unsafe(
        `select pg_advisory_unlock_all(); reset lock_timeout; reset statement_timeout;
        reset client_connection_check_interval`,
      )
      .catch(() => undefined); // a lost connection has lost its lock already
    connection.release();
  }
}

/** umzug puts its own message around ours, which says it better. */
function unwrapped(error: unknown): unknown {
  const cause = (error as { jse_cause?: unknown }).jse_cause;
  return cause instanceof Error ? cause : error;
}

async function prepare(sql: Queryable): Promise<void> {
  await sql.unsafe(`
    create schema if not exists shared;
    create table if not exists shared.schema_migrations (
      version integer primary key,
      name text not null unique,
      checksum text not null,
      applied_at timestamptz not null default now()
    );
    alter table shared.schema_migrations
      add column if not exists is_compatible boolean not null default true`);
}

async function hasLedger(sql: Queryable): Promise<boolean> {
  const [row] = await sql<{ there: boolean }[]>`
    select to_regclass('shared.schema_migrations') is not null as there`;
  return row?.there ?? false;
}

async function readApplied(sql: Queryable): Promise<Applied[]> {
  return sql<Applied[]>`
    select version, name, checksum, applied_at as "appliedAt",
      -- Not there before this program has run for the first time.
      coalesce((to_jsonb(line) ->> 'is_compatible')::boolean, true) as "isCompatible"
    from shared.schema_migrations as line order by version`;
}
