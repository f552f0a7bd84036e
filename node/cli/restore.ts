import { access } from 'node:fs/promises';
import type { Command } from 'commander';
import {
  planRestore,
  restoreBackup,
  type RestoreOptions,
  type RestorePlan,
} from '#services/backup/restore.ts';
import { schemaVersion } from '#services/backup/manifest.ts';
import type { PathMapping } from '#services/backup/settle.ts';
import { listConnected } from '#services/backup/target.ts';
import { cleanPath } from '#services/library/folders.ts';
import { decodePath, displayName, encodePath } from '#storage/media/path.ts';
import type { Sql } from '#storage/postgres/connect.ts';
import { openNodeIdentity } from '../identity.ts';
import { findRunning } from '../rundir.ts';
import { explained, rowsOf } from './backup.ts';
import {
  blobsOf,
  keyFlags,
  keyOf,
  migrationsDir,
  openNamed,
  type KeyOptions,
} from './backup-open.ts';
import { confirm } from './cluster/confirm.ts';
import { createContext, type Context, type GlobalOptions } from './context.ts';
import { CommandError, exitCode } from './exit.ts';

interface Options extends KeyOptions {
  readonly replace?: true;
  readonly revokeSessions?: true;
  readonly map: readonly string[];
  readonly yes?: true;
}

const name = 'revenge restore';

/** `revenge restore FILE`: puts a backup in place of what a database holds. */
export function addRestore(program: Command): void {
  const restore = program
    .command('restore <file>')
    .description('put a backup into the database of this data folder; no node may run');
  for (const [flag, words] of keyFlags) restore.option(flag, words);
  restore
    .option('--replace', 'delete what the database holds')
    .option('--revoke-sessions', 'everybody has to sign in again')
    .option('--map <old=new...>', 'folders of libraries that are elsewhere now', [])
    .option('--yes', 'do not ask')
    .action(async (file: string, options: Options, command: Command) => {
      const context = createContext(command.optsWithGlobals<GlobalOptions>());
      const mappings = options.map.map(parseMapping);
      await refuseRunning(context);
      await using identity = await openNodeIdentity(context.config.values, Date.now);
      await using database = await openNamed(context, name, { joinRunning: false });
      const { clusterId } = identity;
      const wish = await wishOf(context, { file, options, mappings, clusterId, database });
      await restoreWith(context, wish, options.yes === true);
    });
}

async function refuseRunning({ config: { values } }: Context): Promise<void> {
  const dataDir = values['data.dir'];
  if ((await findRunning(dataDir)) === undefined) return;
  throw new CommandError(
    `a node runs on ${dataDir}: stop it, and all others of its cluster, before restoring`,
  );
}

/** `/old=/new`, both absolute. @throws CommandError */
export function parseMapping(text: string): PathMapping {
  const [from, to, ...more] = text.split('=').map((part) => cleanPath(part));
  if (from === undefined || to === undefined || more.length > 0) {
    throw new CommandError(`--map ${text}: give it as /old=/new, both absolute`, exitCode.usage);
  }
  const encode = (path: string) => encodePath(Buffer.from(path));
  return { from: encode(from), to: encode(to) };
}

async function wishOf(
  context: Context,
  given: {
    readonly file: string;
    readonly options: Options;
    readonly mappings: readonly PathMapping[];
    readonly clusterId: string | undefined;
    readonly database: { readonly sql: Sql };
  },
): Promise<RestoreOptions> {
  const { file, options, mappings, clusterId, database } = given;
  const blobs = blobsOf(context);
  return {
    ...{ file, mappings, clusterId, migrationsDir, sql: database.sql },
    key: await keyOf(options),
    isReplacing: options.replace === true,
    isSigningOut: options.revokeSessions === true,
    listConnected: (sql) => listConnected(sql, name),
    savePicture: (sha256, content) => blobs.put(sha256, content),
    onProgress: ({ rows, totalRows }) =>
      context.output.status(`${Math.floor((100 * rows) / Math.max(totalRows, 1))} %`),
  };
}

async function restoreWith(
  { output }: Context,
  wish: RestoreOptions,
  isAgreed: boolean,
): Promise<void> {
  const plan = await explained(wish.file, () => planRestore(wish));
  if (plan.refusal !== undefined) throw new CommandError(`not restored: ${plan.refusal}`);
  await confirm({
    yes: isAgreed,
    isJson: output.isJson,
    show: () =>
      output.result({ ...planJson(plan), isDone: false }, () => planLines(plan, wish).join('\n')),
  });
  const startedAt = performance.now();
  const { rows } = await explained(wish.file, () => restoreBackup(wish));
  output.status('');
  const absent = await absentFolders(wish.sql);
  const durationMs = Math.round(performance.now() - startedAt);
  output.result({ ...planJson(plan), isDone: true, rows, absent, durationMs }, () =>
    [
      `Restored: ${rows} rows of ${plan.manifest.madeAt}. Start the nodes: revenge serve`,
      'The search index is filled anew then; until that is done, searches find less.',
      ...absent.map((path) => `not on this machine: ${path} (mount it, or restore with --map)`),
    ].join('\n'),
  );
}

const planJson = ({ manifest, target, ...plan }: RestorePlan) => ({
  backup: {
    ...{ madeAt: manifest.madeAt, application: manifest.application, cluster: manifest.cluster },
    ...{ schemaVersion: schemaVersion(manifest), rows: rowsOf(manifest) },
  },
  target,
  schemaVersion: plan.schemaVersion,
});

function planLines(plan: RestorePlan, { mappings, isSigningOut, file }: RestoreOptions): string[] {
  const { manifest, target } = plan;
  const lost = target.tables.reduce((sum, { rows }) => sum + rows, 0);
  const words = (list: readonly { name: string; rows: number }[]) =>
    list
      .filter(({ rows }) => rows > 0)
      .map(({ name: one, rows }) => `${one.replace(/^public\./, '')} ${rows}`)
      .join(', ');
  return [
    `restore ${file}:`,
    `  made ${manifest.madeAt} by revenge ${manifest.application}, of cluster ${manifest.cluster.id ?? 'none'}`,
    `  brings ${rowsOf(manifest)} rows: ${words(manifest.tables)}`,
    lost === 0
      ? '  the database is empty'
      : `  deletes ${lost} rows for good: ${words(target.tables)}`,
    `  schema: ${target.schemaVersion} → ${schemaVersion(manifest)} → ${plan.schemaVersion}`,
    `  cluster: ${target.clusterId ?? 'founded at the first start'}, which keeps its members`,
    ...mappings.map(({ from, to }) => `  ${displayName(from)} becomes ${displayName(to)}`),
    ...(isSigningOut ? ['  everybody has to sign in again'] : []),
  ];
}

/** Folders of libraries that this machine does not have. */
async function absentFolders(sql: Sql): Promise<string[]> {
  const roots = await sql<{ path: string }[]>`
    select path from library_roots where removed_at is null order by path`;
  const absent: string[] = [];
  for (const { path } of roots) {
    const isThere = await access(decodePath(path)).then(
      () => true,
      () => false,
    );
    if (!isThere) absent.push(displayName(path));
  }
  return absent;
}
