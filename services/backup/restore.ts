import type { Queryable, Sql, Tx } from '#storage/postgres/connect.ts';
import { copyIn, copyOut, prepareCopy, quoted, type CopyWriter } from '#storage/postgres/copy.ts';
import {
  listTables,
  loosen,
  readSequence,
  type CatalogTable,
} from '#storage/postgres/copy-catalog.ts';
import {
  checkSchema,
  completeSchema,
  holdSchema,
  readSchema,
  resetSchema,
  SchemaError,
} from '#storage/postgres/copy-schema.ts';
import { readMigrations } from '#storage/postgres/migrate.ts';
import { BackupError } from './errors.ts';
import type { End, Manifest } from './manifest.ts';
import { readPieces, verifyBackup } from './read.ts';
import type { Key } from './seal.ts';
import { beginEpoch, settleContent, type PathMapping } from './settle.ts';
import { tables } from './tables.ts';
import { inspectTarget, type Connected, type Target } from './target.ts';
import { countLines } from './write.ts';

export interface RestoreOptions {
  readonly file: string;
  readonly key: Key | undefined;
  readonly sql: Sql;
  /** The program's migrations. */
  readonly migrationsDir: string;
  /** What is in the database may go. */
  readonly isReplacing: boolean;
  readonly isSigningOut: boolean;
  readonly mappings: readonly PathMapping[];
  /** The cluster that the data folder is a member of; undefined: of none yet. */
  readonly clusterId: string | undefined;
  /** Programs that use the database beside this one; see `target.ts`. */
  readonly listConnected: (sql: Queryable) => Promise<readonly Connected[]>;
  /** Keeps a picture that nothing else holds. */
  readonly savePicture: (sha256: string, bytes: Uint8Array) => Promise<void>;
  readonly onProgress?: ((progress: { rows: number; totalRows: number }) => void) | undefined;
}

/** What a restore would do. */
export interface RestorePlan {
  readonly manifest: Manifest;
  readonly end: End;
  readonly target: Target;
  /** The schema after it. */
  readonly schemaVersion: number;
  /** Why it cannot be done as things are; undefined: it can. */
  readonly refusal: string | undefined;
}

/**
 * Reads the whole backup and looks at the database; changes nothing.
 * @throws BackupError for what is no whole backup, or one of a later program
 */
export async function planRestore(options: RestoreOptions): Promise<RestorePlan> {
  const { file, key, sql, migrationsDir } = options;
  const { manifest, end } = await verifyBackup(file, key);
  const files = await readMigrations(migrationsDir);
  checked('the backup', () => checkSchema(manifest.schema, files));
  const present = await readSchema(sql);
  checked('the database', () => checkSchema(present, files));
  const target = await inspectTarget(sql);
  return {
    ...{ manifest, end, target },
    schemaVersion: files.at(-1)?.version ?? 0,
    refusal: refusalOf(target, await options.listConnected(sql), options),
  };
}

/** Whose schema it is that does not fit. */
function checked(whose: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    throw new BackupError('newer', `${whose} does not fit: ${error.message}`, { cause: error });
  }
}

function inUse([first]: readonly Connected[]): string | undefined {
  if (first === undefined) return undefined;
  const { program, from, since } = first;
  return (
    `the database is in use: ${program} from ${from} since ${since.toISOString()}; stop every ` +
    'node of this cluster first'
  );
}

function refusalOf(
  target: Target,
  connected: readonly Connected[],
  { isReplacing, clusterId }: Pick<RestoreOptions, 'isReplacing' | 'clusterId'>,
): string | undefined {
  if (target.clusterId !== null && target.clusterId !== clusterId) {
    return (
      `the database belongs to the cluster ${target.clusterId}, and this data folder is no member ` +
      'of it: use that of one, or release the database (revenge cluster release)'
    );
  }
  const user = inUse(connected);
  if (user !== undefined) return user;
  if (target.isUsed && !isReplacing) {
    return 'the database holds data; --replace deletes them and puts the backup in their place';
  }
  return undefined;
}

/**
 * Puts a backup in place of what the database holds, in one transaction: whatever happens before
 * its end, the database is as it was. What belongs to the cluster and not to its content stays.
 * @throws BackupError `refused` as `planRestore` tells, `damaged`
 */
export async function restoreBackup(options: RestoreOptions): Promise<{ rows: number }> {
  const { sql, migrationsDir } = options;
  const restored = await sql.begin(async (tx) => {
    await prepareCopy(tx);
    await tx.unsafe(`set local lock_timeout = '10s'`);
    // From here on a node that starts waits until this is over.
    await holdSchema(tx);
    const target = await inspectTarget(tx);
    const refusal = refusalOf(target, await options.listConnected(tx), options);
    if (refusal !== undefined) throw new BackupError('refused', refusal);
    const own = await saveOwn(tx);
    const present = await readSchema(tx);
    const { rows, manifest } = await load(tx, options);
    // A database that is new has no nodes of a release before.
    const isDue = (version: number) =>
      present.length === 0 || present.some((step) => step.version === version);
    await completeSchema(tx, migrationsDir, isDue);
    await settleContent(tx, { ...options, manifest });
    await bringOwnBack(tx, own);
    const atLeast = Math.max(own.epoch, manifest.cluster.epoch);
    await beginEpoch(tx, { atLeast, clusterId: options.clusterId });
    // A node that found the database again meanwhile has waited, and knows only what was.
    await refuseConnected(tx, options);
    return { rows };
  });
  // Until the planner has counted the rows it plans for none.
  await sql.unsafe('analyze');
  return restored;
}

async function refuseConnected(tx: Tx, { listConnected }: RestoreOptions): Promise<void> {
  // PostgreSQL shows a transaction who was there when it first asked.
  await tx`select pg_stat_clear_snapshot()`;
  const connected = inUse(await listConnected(tx));
  if (connected !== undefined) throw new BackupError('refused', connected);
}

interface Own {
  readonly tables: readonly (CatalogTable & { oid: number; rows: readonly Buffer[] })[];
  /** Where the clock's epochs stand. */
  readonly epoch: number;
}

const ledgerName = 'shared.schema_migrations';

/** What is the cluster's own: small, and lost where the schema goes back beyond its tables. */
async function saveOwn(tx: Tx): Promise<Own> {
  const found = [];
  for (const table of await listTables(tx)) {
    if (tables[table.name]?.fate !== 'own' || table.name === ledgerName) continue;
    const { name, columns } = table;
    const rows = await Array.fromAsync(copyOut(tx, { table: name, columns }));
    found.push({ ...table, oid: (await oidOf(tx, name))!, rows });
  }
  const [clock] = await tx<{ there: boolean }[]>`
    select to_regclass('shared.clock_epoch') is not null as there`;
  const epoch = clock!.there ? Number((await readSequence(tx, 'shared.clock_epoch')).value) : 0;
  return { tables: found, epoch };
}

async function oidOf(tx: Tx, name: string): Promise<number | undefined> {
  const [row] = await tx<{ oid: number | null }[]>`select to_regclass(${name})::oid::int8 as oid`;
  return row?.oid ?? undefined;
}

async function bringOwnBack(tx: Tx, { tables: saved }: Own): Promise<void> {
  for (const { name, columns, oid, rows } of saved) {
    if ((await oidOf(tx, name)) === oid) continue;
    await tx.unsafe(`truncate ${quoted(name)}`);
    const writer = await copyIn(tx, { table: name, columns });
    for (const chunk of rows) await writer.write(chunk);
    await writer.end();
  }
}

interface Loading {
  readonly tx: Tx;
  readonly options: RestoreOptions;
  writer: { readonly table: string; readonly into: CopyWriter } | undefined;
  rows: number;
}

/** Brings the schema to the backup's version, empties it, and takes everything in. */
async function load(
  tx: Tx,
  options: RestoreOptions,
): Promise<{ rows: number; manifest: Manifest }> {
  const loading: Loading = { tx, options, writer: undefined, rows: 0 };
  let manifest: Manifest | undefined;
  let tighten: (() => Promise<void>) | undefined;
  try {
    for await (const piece of readPieces(options.file, options.key)) {
      switch (piece.kind) {
        case 'manifest':
          manifest = piece.manifest;
          tighten = await makeRoom(tx, manifest, options.migrationsDir);
          break;
        case 'rows':
          await takeRows(loading, manifest!, piece);
          break;
        case 'picture':
          await options.savePicture(piece.sha256, piece.bytes);
          break;
        case 'end':
          await endRows(loading);
          break;
      }
    }
  } catch (error) {
    // As long as rows are awaited, PostgreSQL takes no rollback.
    await loading.writer?.into.abort(error as Error);
    throw error;
  }
  await tighten!();
  await setSequences(tx, manifest!);
  return { rows: loading.rows, manifest: manifest! };
}

async function endRows(loading: Loading): Promise<void> {
  await loading.writer?.into.end();
  loading.writer = undefined;
}

async function makeRoom(tx: Tx, manifest: Manifest, dir: string): Promise<() => Promise<void>> {
  await resetSchema(tx, dir, manifest.schema);
  const found = await listTables(tx);
  for (const { name, columns } of manifest.tables) {
    const known = found.find((table) => table.name === name)?.columns ?? [];
    const lacking = columns.find((column) => !known.includes(column));
    if (lacking === undefined) continue;
    throw new BackupError('damaged', `the backup is damaged: its schema has no ${name}.${lacking}`);
  }
  const emptied = found.flatMap(({ name }) => {
    const fate = tables[name]?.fate;
    return fate === undefined || fate === 'own' ? [] : [quoted(name)];
  });
  await tx.unsafe(`truncate ${emptied.join()}`);
  return loosen(
    tx,
    manifest.tables.map(({ name }) => name),
  );
}

async function takeRows(
  loading: Loading,
  manifest: Manifest,
  { table, bytes }: { table: string; bytes: Uint8Array },
): Promise<void> {
  const { tx, options } = loading;
  if (loading.writer?.table !== table) {
    await endRows(loading);
    const { columns } = manifest.tables.find(({ name }) => name === table)!;
    loading.writer = { table, into: await copyIn(tx, { table, columns }) };
  }
  await loading.writer.into.write(bytes);
  loading.rows += countLines(bytes);
  const totalRows = manifest.tables.reduce((sum, { rows }) => sum + rows, 0);
  options.onProgress?.({ rows: loading.rows, totalRows });
}

/** By `alter sequence`, which a rollback undoes; `setval` it does not. */
async function setSequences(tx: Tx, { sequences }: Manifest): Promise<void> {
  for (const { name, value, isCalled } of sequences) {
    await tx.unsafe(`alter sequence ${quoted(name)} restart with ${value}`);
    if (isCalled) await tx`select nextval(${name})`;
  }
}
