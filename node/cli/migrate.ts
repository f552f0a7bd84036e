import type { Command } from 'commander';
import { openDatabase, type OpenDatabase } from '../database.ts';
import { findRunning } from '../rundir.ts';
import { createContext, type GlobalOptions } from './context.ts';
import { CommandError, exitCode } from './exit.ts';
import { table } from './output.ts';

/** `revenge migrate status | up | down | to`: moves the database between versions. */
export function addMigrate(program: Command): void {
  const migrate = program.command('migrate').description('move the database between versions');
  migrate
    .command('status')
    .description('what is applied and what is pending')
    .action(async (_options, command: Command) => {
      const { output, ...context } = createContext(command.optsWithGlobals<GlobalOptions>());
      await using open = await openDatabase(context.config.values, context.log, joinRunning);
      const { applied, pending } = await open.migrator.status();
      output.result({ applied, pending }, () =>
        table(
          ['MIGRATION', 'STATE', 'APPLIED'],
          [
            ...applied.map(({ name, appliedAt }) => [name, 'applied', appliedAt.toISOString()]),
            ...pending.map((name) => [name, 'pending', null]),
          ],
        ),
      );
    });
  const steps = [
    ['up', 'apply what is pending, up to [version]'],
    ['down', 'revert the last one, or everything above [version]'],
    ['to', 'go to exactly [version]'],
  ] as const;
  for (const [step, description] of steps) {
    const stepCommand = migrate
      .command(step)
      .argument(step === 'to' ? '<version>' : '[version]', 'number of a migration; 0 is none')
      .description(description);
    if (step !== 'up') {
      stepCommand.option('--yes', 'I know that what the reverted ones hold is deleted');
    }
    stepCommand.action(
      async (text: string | undefined, options: { yes?: boolean }, command: Command) => {
        const version = versionOf(text);
        const { output, ...context } = createContext(command.optsWithGlobals<GlobalOptions>());
        await using open = await openDatabase(context.config.values, context.log, joinRunning);
        if (await reverts(open, step, version)) {
          await allowRevert(context.config.values['data.dir'], options.yes === true);
        }
        const names = await open.migrator[step](version as number);
        output.result({ ran: names }, () =>
          names.length === 0 ? 'nothing to do' : names.map((name) => `${step}: ${name}`).join('\n'),
        );
      },
    );
  }
}

const joinRunning = { joinRunning: true } as const;

async function reverts(
  { migrator }: OpenDatabase,
  step: 'up' | 'down' | 'to',
  version: number | undefined,
): Promise<boolean> {
  if (step === 'up') return false;
  if (step === 'down' || version === undefined) return true;
  const { applied } = await migrator.status();
  return applied.some((migration) => migration.version > version);
}

/** Tables are about to be dropped: not beneath a node that works with them, and not by a slip. */
async function allowRevert(dataDir: string, isMeant: boolean): Promise<void> {
  if ((await findRunning(dataDir)) !== undefined) {
    throw new CommandError(`a node runs on ${dataDir}: stop it before going back`);
  }
  if (!isMeant) {
    const words = 'going back deletes what the reverted migrations hold; --yes says you mean it';
    throw new CommandError(words, exitCode.usage);
  }
}

function versionOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,6}$/.test(text)) {
    throw new CommandError(`"${text}" is not the number of a migration`, exitCode.usage);
  }
  return Number(text);
}
