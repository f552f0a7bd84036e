import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import manifest from '#package.json' with { type: 'json' };
import type { components } from '#api/types.ts';
import { explainFile } from '#services/backup/explain.ts';
import { writeWhole } from '#services/backup/file.ts';
import { nameOf } from '#services/backup/folder.ts';
import { schemaVersion, type End, type Manifest } from '#services/backup/manifest.ts';
import { readManifest, verifyBackup } from '#services/backup/read.ts';
import { generateKey, type Lock } from '#services/backup/seal.ts';
import { writeBackup, type Sink, type WriteOptions, type Written } from '#services/backup/write.ts';
import {
  blobsOf,
  interruptible,
  keyFlags,
  keyOf,
  lockOf,
  openNamed,
  refuseUnused,
  type KeyOptions,
  type LockOptions,
} from './backup-open.ts';
import { createContext, type Context, type GlobalOptions } from './context.ts';
import { CommandError, exitCode } from './exit.ts';
import { open } from './open.ts';
import { bytes as sizeWords, table } from './output.ts';

type Stored = components['schemas']['Backup'];

const contextOf = (command: Command) => createContext(command.optsWithGlobals<GlobalOptions>());

/** `revenge backup [create] | verify | inspect | keygen | list | request`. */
export function addBackup(program: Command): void {
  const backup = program
    .command('backup')
    .description('the database, settings and keys in one file; `restore` reads it');
  addCreate(backup);
  addVerify(backup);
  addInspect(backup);
  addKeygen(backup);
  addStored(backup);
}

interface CreateOptions extends LockOptions {
  readonly to: string;
  readonly artwork: boolean;
}

function addCreate(backup: Command): void {
  backup
    .command('create', { isDefault: true })
    .description('write one now, also while nodes run')
    .requiredOption('--to <file>', 'a file, a folder (it gets a name of its own there), or - (out)')
    .option('--without-artwork', 'leave out pictures that cannot be made again')
    .option(
      '--passphrase-file <file>',
      'seal it with the passphrase in the first line of this file',
    )
    .option('--recipient <key...>', 'seal it for these public keys (age1…); see keygen')
    .action(async (options: CreateOptions & { withoutArtwork?: true }, command: Command) => {
      const context = contextOf(command);
      refuseUnused(context);
      await create(context, options);
    });
}

async function create(
  context: Context,
  options: CreateOptions & { withoutArtwork?: true },
): Promise<void> {
  const { output } = context;
  const lock = await lockOf(options);
  const startedAt = performance.now();
  await using database = await openNamed(context, 'revenge backup', { joinRunning: true });
  const blobs = blobsOf(context);
  const write: WriteOptions = {
    ...{ sql: database.sql, application: manifest.version, lock, signal: interruptible() },
    readPicture: options.withoutArtwork === true ? undefined : (name) => blobs.get(name),
    onProgress: ({ rows, totalRows, table: name }) =>
      output.status(`${Math.floor((100 * rows) / Math.max(totalRows, 1))} % (${name})`),
  };
  // Awaited here: the database is closed when this returns.
  if (options.to === '-') return await toOutput(write);
  const file = await fileOf(options.to, { database, lock });
  const written = await explained(file, () => toFile(file, write, options));
  output.status('');
  const { size } = await stat(file);
  const facts = {
    ...{ file, sizeBytes: size, isSealed: lock !== undefined, ...summary(written) },
    durationMs: Math.round(performance.now() - startedAt),
  };
  output.result(facts, () => createdLines(facts).join('\n'));
}

async function toOutput(write: WriteOptions): Promise<void> {
  if (process.stdout.isTTY) {
    throw new CommandError('a backup is no text: lead standard output somewhere', exitCode.usage);
  }
  const sink: Sink = (chunks) => pipeline(chunks, process.stdout, { end: false });
  const { rows, lackingPictures } = summary(await writeBackup(write, sink));
  const lacking = lackingPictures > 0 ? `; ${lackingPictures} pictures are not on this node` : '';
  process.stderr.write(`backup written: ${rows} rows${lacking}\n`);
}

const toFile = (file: string, write: WriteOptions, options: LockOptions): Promise<Written> =>
  writeWhole(
    file,
    (sink) => writeBackup(write, sink),
    async (temporary) => {
      // Who has the secret key reads what is sealed for it; that is not us.
      if (options.recipient === undefined) await verifyBackup(temporary, await keyOf(options));
    },
  );

/** A folder stands for a file in it, named by cluster and time. */
async function fileOf(
  to: string,
  { database, lock }: { database: { sql: WriteOptions['sql'] }; lock: Lock | undefined },
): Promise<string> {
  const isFolder = await stat(to).then(
    (facts) => facts.isDirectory(),
    () => false,
  );
  if (!isFolder) return to;
  const [owner] = await database.sql<{ id: string }[]>`
    select cluster_id as id from shared.cluster`;
  return join(to, nameOf(owner?.id, new Date(), { isSealed: lock !== undefined }));
}

/** Faults of a backup's file in the operator's words. */
export async function explained<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const aborted = (error as { code?: string; cause?: unknown }).code === 'ABORT_ERR';
    throw aborted ? (error as Error).cause : explainFile(error, file);
  }
}

const summary = ({ manifest: head, end, lackingPictures }: Written) => ({
  ...{ madeAt: head.madeAt, schemaVersion: schemaVersion(head), clusterId: head.cluster.id },
  rows: end.tables.reduce((sum, { rows }) => sum + rows, 0),
  contentBytes: end.tables.reduce((sum, { bytes }) => sum + bytes, 0),
  pictures: end.pictures,
  lackingPictures,
});

function createdLines(
  facts: ReturnType<typeof summary> & { file: string; sizeBytes: number; isSealed: boolean },
) {
  const { file, sizeBytes, rows, pictures, lackingPictures, isSealed } = facts;
  return [
    `${file}: ${sizeWords(sizeBytes)}, ${rows} rows, ${pictures} pictures`,
    ...(lackingPictures > 0
      ? [`${lackingPictures} pictures are not on this node and not in the backup`]
      : []),
    isSealed
      ? 'Whoever loses its key loses the backup.'
      : 'It holds password hashes and keys: keep it where nobody else reads it, or seal it.',
  ];
}

function withKey(command: Command): Command {
  for (const [flag, words] of keyFlags) command.option(flag, words);
  return command;
}

function addVerify(backup: Command): void {
  const command = backup
    .command('verify <file>')
    .description('read all of it, and compare checksums');
  withKey(command).action(async (file: string, options: KeyOptions, self: Command) => {
    const { output } = contextOf(self);
    const key = await keyOf(options);
    const { manifest: head, end } = await explained(file, () => verifyBackup(file, key));
    const facts = { file, isWhole: true, ...summary({ manifest: head, end, lackingPictures: 0 }) };
    output.result(facts, () => `${file} is whole: ${facts.rows} rows of ${head.madeAt}`);
  });
}

function addInspect(backup: Command): void {
  const command = backup.command('inspect <file>').description('what it says of itself');
  withKey(command).action(async (file: string, options: KeyOptions, self: Command) => {
    const { output } = contextOf(self);
    const key = await keyOf(options);
    const head = await explained(file, () => readManifest(file, key));
    output.result(head, () => manifestLines(head).join('\n'));
  });
}

/** What a person reads of a manifest. */
export function manifestLines(head: Manifest): string[] {
  const { madeAt, application, cluster, pictures } = head;
  const filled = head.tables.filter(({ rows }) => rows > 0);
  return [
    `made:     ${madeAt} by revenge ${application} on PostgreSQL ${head.postgres}`,
    `schema:   ${head.schema.at(-1)?.name}`,
    `cluster:  ${cluster.id ?? 'none'}`,
    `pictures: ${pictures.isIncluded ? pictures.count : 'left out'}`,
    '',
    table(
      ['TABLE', 'ROWS'],
      filled.map(({ name, rows }) => [name, rows]),
    ),
  ];
}

/** The rows in all. */
export const rowsOf = ({ tables }: Pick<End | Manifest, 'tables'>): number =>
  tables.reduce((sum, { rows }) => sum + rows, 0);

function addKeygen(backup: Command): void {
  backup
    .command('keygen <file>')
    .description('make a key pair: the secret key goes to the file, the public one is printed')
    .action(async (file: string, _options, command: Command) => {
      const { output } = contextOf(command);
      const { identity, recipient } = await generateKey();
      const text = `# public key: ${recipient}\n${identity}\n`;
      await explained(file, () => writeFile(file, text, { mode: 0o600, flag: 'wx' }));
      output.result({ file, recipient }, () =>
        [
          recipient,
          `Seal backups for it with --recipient, or by the setting backup.recipient; ${file} opens`,
          'them, and belongs where the backups are not.',
        ].join('\n'),
      );
    });
}

function addStored(backup: Command): void {
  backup
    .command('list')
    .description('those in the folder of backups (setting backup.dir)')
    .action(async (_options, command: Command) => {
      const { client, output } = await open(command);
      const found = await client.request<{ items: Stored[] }>('GET', '/api/v1/backups');
      output.result(found, () =>
        table(
          ['NAME', 'SIZE', 'ROWS', 'SCHEMA', 'SEALED', 'FAULT'],
          found.items.map((one) => [
            ...[one.name, sizeWords(one.sizeBytes), one.rows, one.schemaVersion],
            ...[one.isSealed ? 'yes' : 'no', one.fault],
          ]),
        ),
      );
    });
  backup
    .command('request')
    .description('have the nodes make one there')
    .action(async (_options, command: Command) => {
      const { client, output } = await open(command);
      const made = await client.request<{ jobId: string }>('POST', '/api/v1/backups');
      output.result(made, () => `asked for; see: revenge jobs list --name backup.make`);
    });
}
