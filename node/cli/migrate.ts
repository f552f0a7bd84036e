import type { Command } from 'commander';
import { openDatabase } from '../database.ts';
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
    migrate
      .command(step)
      .argument(step === 'to' ? '<version>' : '[version]', 'number of a migration; 0 is none')
      .description(description)
      .action(async (text: string | undefined, _options, command: Command) => {
        const { output, ...context } = createContext(command.optsWithGlobals<GlobalOptions>());
        await using open = await openDatabase(context.config.values, context.log, joinRunning);
        const names = await open.migrator[step](versionOf(text) as number);
        output.result({ ran: names }, () =>
          names.length === 0 ? 'nothing to do' : names.map((name) => `${step}: ${name}`).join('\n'),
        );
      });
  }
}

const joinRunning = { joinRunning: true } as const;

function versionOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,6}$/.test(text)) {
    throw new CommandError(`"${text}" is not the number of a migration`, exitCode.usage);
  }
  return Number(text);
}
