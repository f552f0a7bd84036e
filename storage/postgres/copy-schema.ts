import type { Queryable, Tx } from './connect.ts';
import { checksum, migrationLock, readMigrations, type Migration } from './migrate.ts';

/** One applied migration, as a backup remembers it. */
export interface SchemaStep {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
}

/** The schema is not one this program can work with; the message says which and what to do. */
export class SchemaError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SchemaError';
  }
}

/** Keeps nodes that start meanwhile waiting until the transaction is over. */
export async function holdSchema(tx: Tx): Promise<void> {
  await tx`select pg_advisory_xact_lock(${migrationLock})`;
}

/** What is applied, in order; empty for a database that was never used. */
export async function readSchema(sql: Queryable): Promise<SchemaStep[]> {
  const [ledger] = await sql<{ there: boolean }[]>`
    select to_regclass('shared.schema_migrations') is not null as there`;
  if (ledger?.there !== true) return [];
  return sql<SchemaStep[]>`
    select version, name, checksum from shared.schema_migrations order by version`;
}

/**
 * Compares applied migrations with the files of this program.
 * @throws SchemaError for those that it does not know, or knows otherwise
 */
export function checkSchema(steps: readonly SchemaStep[], files: readonly Migration[]): void {
  const known = new Map(files.map((file) => [file.version, file]));
  const newest = files.at(-1)?.version ?? 0;
  for (const step of steps) {
    const file = known.get(step.version);
    if (file === undefined && step.version > newest) {
      throw new SchemaError(
        `its schema has ${steps.at(-1)?.name}, and this program knows up to ${newest}: update it`,
      );
    }
    if (file?.name !== step.name || checksum(file.up) !== step.checksum) {
      throw new SchemaError(`its schema has another ${step.name} than this program`);
    }
  }
}

/**
 * Brings a database to exactly these migrations, as part of the caller's transaction: what others
 * from the first difference on hold is dropped, and nothing of that has happened if it is rolled
 * back.
 */
export async function resetSchema(
  tx: Tx,
  dir: string,
  wanted: readonly SchemaStep[],
): Promise<void> {
  const files = await openLedger(tx, dir);
  const has = new Set((await readSchema(tx)).map(({ version }) => version));
  const wants = new Set(wanted.map(({ version }) => version));
  const first = files.find(({ version }) => has.has(version) !== wants.has(version))?.version;
  const from = files.filter(({ version }) => first !== undefined && version >= first);
  for (const file of from.toReversed()) if (has.has(file.version)) await revert(tx, file);
  for (const file of from) if (wants.has(file.version)) await apply(tx, file);
}

/**
 * Applies what is pending, as part of the caller's transaction. What takes something away is left
 * to the cluster's leader, who knows when nobody needs it, but for what `isDue` says.
 */
export async function completeSchema(
  tx: Tx,
  dir: string,
  isDue: (version: number) => boolean,
): Promise<void> {
  const files = await openLedger(tx, dir);
  const has = new Set((await readSchema(tx)).map(({ version }) => version));
  for (const file of files) {
    if (has.has(file.version)) continue;
    if (file.contractLevel === undefined || isDue(file.version)) await apply(tx, file);
  }
}

async function openLedger(tx: Tx, dir: string): Promise<Migration[]> {
  const files = await readMigrations(dir);
  await tx.unsafe(`
    create schema if not exists shared;
    create table if not exists shared.schema_migrations (
      version integer primary key,
      name text not null unique,
      checksum text not null,
      applied_at timestamptz not null default now()
    );
    alter table shared.schema_migrations
      add column if not exists is_compatible boolean not null default true`);
  checkSchema(await readSchema(tx), files);
  return files;
}

async function apply(tx: Tx, { version, name, up, contractLevel }: Migration): Promise<void> {
  await tx.unsafe(up);
  await tx`
    insert into shared.schema_migrations (version, name, checksum, is_compatible)
    values (${version}, ${name}, ${checksum(up)}, ${contractLevel === undefined})`;
}

async function revert(tx: Tx, { version, name, down }: Migration): Promise<void> {
  if (down === undefined) throw new SchemaError(`${name}.down.sql is missing`);
  await tx.unsafe(down);
  await tx`delete from shared.schema_migrations where version = ${version}`;
}
