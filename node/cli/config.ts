import type { Command } from 'commander';
import { describeConfig } from '../config/read.ts';
import { createContext, type GlobalOptions } from './context.ts';
import { table } from './output.ts';

/** `revenge config print`: every value with where it came from, secrets masked. */
export function addConfig(program: Command): void {
  program
    .command('config')
    .description('look at the configuration')
    .command('print')
    .description('every value and where it came from; secrets are masked')
    .option('--changed', 'only what is not the default')
    .action((options: { changed?: boolean }, command: Command) => {
      const { config, output } = createContext(command.optsWithGlobals<GlobalOptions>());
      const rows = describeConfig(config).filter(
        ({ origin }) => options.changed !== true || origin !== 'default',
      );
      output.result({ values: rows, warnings: config.warnings }, () =>
        [
          table(
            ['KEY', 'VALUE', 'FROM', 'MEANING'],
            rows.map(({ key, value, origin, help }) => [key, value, origin, help]),
          ),
          ...config.warnings.map((warning) => `warning: ${warning}`),
        ].join('\n'),
      );
    });
}
