import { styleText } from 'node:util';
import type { Command } from 'commander';
import type { Finding } from '../doctor/check.ts';
import {
  checkDataFolder,
  checkMemory,
  checkNode,
  checkPort,
  checkTools,
} from '../doctor/machine.ts';
import { checkCache, checkDatabase, checkSearch } from '../doctor/servers.ts';
import { findRunning } from '../rundir.ts';
import { createContext, type Context, type GlobalOptions } from './context.ts';
import { CommandError } from './exit.ts';

const marks = { ok: ['green', '✓'], warning: ['yellow', '!'], failing: ['red', '✗'] } as const;

/** `revenge doctor`: checks the surroundings and says how to mend what it finds. */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check this machine, its folders and servers, and say how to mend what is wrong')
    .option('--port <number>', 'the port the node will use (server.port)')
    .action(async (options: { port?: string }, command: Command) => {
      const port = options.port === undefined ? {} : { 'server.port': options.port };
      const context = createContext(command.optsWithGlobals<GlobalOptions>(), port);
      const findings = await examine(context);
      context.output.result({ findings }, () => findings.map(show).join('\n'));
      const bad = findings.filter(({ status }) => status === 'failing').length;
      if (bad > 0) {
        throw new CommandError(`${bad} ${bad === 1 ? 'thing needs' : 'things need'} mending`);
      }
    });
}

async function examine({ config: { values }, log }: Context): Promise<Finding[]> {
  const quiet = log.child({});
  quiet.silent = true;
  const running = await findRunning(values['data.dir']);
  const isOurs = running !== undefined && new URL(running.url).port === `${values['server.port']}`;
  const [folder, port, tools, database, cache, search] = await Promise.all([
    checkDataFolder(values),
    checkPort(values, isOurs),
    checkTools(values),
    checkDatabase(values, running, quiet),
    checkCache(values, quiet),
    checkSearch(values),
  ]);
  return [checkNode(), checkMemory(), ...folder, port, ...tools, ...database, cache, search];
}

function show({ name, status, detail, mend }: Finding): string {
  const [colour, mark] = marks[status];
  const line = `${styleText(colour, mark, { stream: process.stdout })} ${name}: ${detail}`;
  return mend === undefined ? line : `${line}\n    → ${mend}`;
}
