import type { Command } from 'commander';
import { listConnected, type Connected } from '#services/backup/target.ts';
import { createOwnership, type Owner } from '#storage/cluster/owner.ts';
import type { Sql } from '#storage/postgres/connect.ts';
import { openNamed } from '../backup-open.ts';
import { createContext, type Context, type GlobalOptions } from '../context.ts';
import { CommandError } from '../exit.ts';
import { confirm } from './confirm.ts';

const name = 'revenge release';

/** `revenge cluster release`: the database of a cluster whose nodes are all gone. */
export function addRelease(cluster: Command): void {
  cluster
    .command('release')
    .description('take the database from a cluster that is gone for good')
    .option('--yes', 'do not ask')
    .action(async ({ yes = false }: { yes?: boolean }, command: Command) => {
      await release(createContext(command.optsWithGlobals<GlobalOptions>()), yes);
    });
}

async function release(context: Context, yes: boolean): Promise<void> {
  const { output } = context;
  await using database = await openNamed(context, name, { joinRunning: true });
  const { sql } = database;
  const owners = createOwnership(sql);
  const owner = (await isPrepared(sql)) ? await owners.read() : undefined;
  if (!owner) return output.result({ released: false }, () => 'The database is nobody’s.');
  const connected = await listConnected(sql, name);
  // Whoever holds it goes on to use it, and so would the next one who claims it.
  if (connected.length > 0) throw new CommandError(refusalOf(owner, connected));
  const since = owner.foundedAt.toISOString();
  const step = `- the database is taken from the cluster ${owner.clusterId}, founded ${since}`;
  await confirm({ yes, isJson: output.isJson, show: () => output.result(owner, () => step) });
  await owners.release();
  output.result({ released: true }, () => 'Released. The next node that starts on it founds anew.');
}

/** One that no node has brought up to date belongs to nobody. */
async function isPrepared(sql: Sql): Promise<boolean> {
  const [row] = await sql<{ isThere: boolean }[]>`
    select to_regclass('shared.cluster') is not null as "isThere"`;
  return row?.isThere === true;
}

function refusalOf({ clusterId }: Owner, connected: readonly Connected[]): string {
  const from = [...new Set(connected.map((each) => each.from))].join(', ');
  return (
    `not released: nodes of the cluster ${clusterId} still use the database (from ${from}); ` +
    'stop them first, and remove those that are not to come back'
  );
}
