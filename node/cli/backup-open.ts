import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readIdentities, readPassphrase, type Key, type Lock } from '#services/backup/seal.ts';
import { clusterFolder } from '#cluster/trust/identity.ts';
import { createBlobs, type Blobs } from '#storage/blobs/index.ts';
import { connectPostgres, type Sql } from '#storage/postgres/connect.ts';
import { openDatabase } from '../database.ts';
import type { Context } from './context.ts';
import { CommandError, exitCode } from './exit.ts';

/** The program's migrations. */
export const migrationsDir = fileURLToPath(new URL('../../migrations', import.meta.url));

const poolMax = 3;

/**
 * The database of a data folder, under a name of the command's own, so that it tells itself from
 * nodes. With `joinRunning` a node that runs there lends its own.
 */
export async function openNamed(
  { config, log }: Context,
  name: string,
  options: { joinRunning: boolean },
): Promise<AsyncDisposable & { sql: Sql }> {
  await using stack = new AsyncDisposableStack();
  const open = stack.use(await openDatabase(config.values, log, options));
  // Its pool goes by the name that nodes have.
  await open.database.close();
  const pool = { max: poolMax };
  const { address } = open;
  const own = stack.use(await connectPostgres({ ...address, pool, log, applicationName: name }));
  const kept = stack.move();
  return { sql: own.sql, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Throws for a data folder that no node has used: its database would be made now, and be empty. */
export function refuseUnused({ config: { values } }: Context): void {
  const dataDir = values['data.dir'];
  const places = [join(dataDir, 'pg'), join(clusterFolder(dataDir), 'database.json')];
  if (values['database.url'] !== undefined || places.some((place) => existsSync(place))) return;
  throw new CommandError(`${dataDir} is not the data folder of a node: choose it with --data`);
}

/** The pictures of a data folder. */
export const blobsOf = ({ config: { values }, log }: Context): Blobs =>
  createBlobs({
    dir: join(values['data.dir'], 'pictures'),
    maxBytes: values['media.image_cache'],
    log,
    now: Date.now,
    isShared: true,
  });

/** How a backup is to be sealed, by the options of a command. */
export interface LockOptions {
  readonly passphraseFile?: string;
  readonly recipient?: readonly string[];
}

export async function lockOf({
  passphraseFile,
  recipient,
}: LockOptions): Promise<Lock | undefined> {
  if (passphraseFile !== undefined && recipient !== undefined) throw bothGiven();
  if (passphraseFile !== undefined) return { passphrase: await readPassphrase(passphraseFile) };
  return recipient && { recipients: recipient };
}

/** What opens a backup, by the options of a command. */
export interface KeyOptions {
  readonly passphraseFile?: string;
  readonly identityFile?: string;
}

export async function keyOf({
  passphraseFile,
  identityFile,
}: KeyOptions): Promise<Key | undefined> {
  if (passphraseFile !== undefined && identityFile !== undefined) throw bothGiven();
  if (passphraseFile !== undefined) return { passphrase: await readPassphrase(passphraseFile) };
  return identityFile === undefined
    ? undefined
    : { identities: await readIdentities(identityFile) };
}

const bothGiven = () => new CommandError('a passphrase or keys, not both', exitCode.usage);

/** The options of a command that reads a backup. */
export const keyFlags = [
  ['--passphrase-file <file>', 'its first line is the passphrase that the backup is sealed with'],
  ['--identity-file <file>', 'holds the secret key (AGE-SECRET-KEY-1…) that it is sealed for'],
] as const;

/** Aborts when the person interrupts the command; once only, so that a second time ends it. */
export function interruptible(): AbortSignal {
  const controller = new AbortController();
  const abort = () => controller.abort(new CommandError('interrupted: nothing was written'));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, abort);
  return controller.signal;
}
