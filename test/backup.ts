import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BackupError } from '#services/backup/errors.ts';
import { writeWhole } from '#services/backup/file.ts';
import { restoreBackup, type RestoreOptions } from '#services/backup/restore.ts';
import { tables } from '#services/backup/tables.ts';
import { writeBackup, type WriteOptions, type Written } from '#services/backup/write.ts';
import type { Sql } from '#storage/postgres/connect.ts';
import { listTables } from '#storage/postgres/copy-catalog.ts';
import { quoted } from '#storage/postgres/copy.ts';
import { testDatabase, type TestDatabase } from './postgres.ts';

export const migrationsDir = new URL('../migrations', import.meta.url).pathname;

/** A folder for backups, and databases to make them of and restore them to. */
export interface BackupWorld {
  readonly dir: string;
  /** Closed with the world. */
  database(options?: { migrate?: boolean }): Promise<TestDatabase>;
  /** Writes one to a file of this name in the folder. */
  backUp(
    sql: Sql,
    name: string,
    options?: Partial<WriteOptions>,
  ): Promise<{ path: string; written: Written }>;
  close(): Promise<void>;
}

export async function backupWorld(): Promise<BackupWorld> {
  const dir = await mkdtemp(join(tmpdir(), 'revenge-restore-'));
  const opened: TestDatabase[] = [];
  return {
    dir,
    async database(options = {}) {
      const db = await testDatabase(options);
      opened.push(db);
      return db;
    },
    async backUp(sql, name, options = {}) {
      const path = join(dir, name);
      const all = { sql, readPicture: undefined, application: '1.2.3', lock: undefined };
      const written = await writeWhole(
        path,
        (sink) => writeBackup({ ...all, ...options }, sink),
        async () => undefined,
      );
      return { path, written };
    },
    async close() {
      for (const db of opened) await db.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A restore as the command line would ask for it, while no node is connected. */
export const restoreWish = (
  sql: Sql,
  file: string,
  more: Partial<RestoreOptions> = {},
): RestoreOptions => ({
  ...{ file, sql, migrationsDir, key: undefined, mappings: [], clusterId: undefined },
  ...{ isReplacing: false, isSigningOut: false, listConnected: async () => [] },
  savePicture: async () => undefined,
  ...more,
});

/** What `read` reads of a database, and of one that a backup of it was restored to. */
export async function readTwice<T>(
  sql: Sql,
  read: (sql: Sql) => Promise<T>,
): Promise<{ before: T; after: T }> {
  const world = await backupWorld();
  try {
    const readPicture = async () => undefined;
    const { path } = await world.backUp(sql, 'all.tar.zst', { readPicture });
    const target = await world.database();
    await restoreBackup(restoreWish(target.sql, path));
    return { before: await read(sql), after: await read(target.sql) };
  } finally {
    await world.close();
  }
}

/** Every row of what a backup holds, as PostgreSQL writes it, by table. */
export async function contentOf(sql: Sql): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const { name } of await listTables(sql)) {
    const fate = tables[name];
    if (fate?.fate !== 'content') continue;
    const rows = await sql.unsafe<{ row: string }[]>(
      `select t::text as row from ${quoted(name)} t where ${fate.where ?? 'true'} order by 1`,
    );
    found[name] = rows.map(({ row }) => row);
  }
  return found;
}

export const countIn = async (sql: Sql, name: string): Promise<number> =>
  (await sql.unsafe<{ rows: number }[]>(`select count(*) as rows from ${quoted(name)}`))[0]!.rows;

/** What the operator is told; 'done' where nothing is wrong. */
export const faultOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => {
      if (!(error instanceof BackupError)) throw error;
      return `${error.fault}: ${error.message}`;
    },
  );
