import { Command, CommanderError } from 'commander';
import { ProblemError } from '#services/errors.ts';
import manifest from '#package.json' with { type: 'json' };
import { ConfigError } from '../config/read.ts';
import { addConfig } from './config.ts';
import { addDoctor } from './doctor.ts';
import { CommandError, exitCode } from './exit.ts';
import { addJobs } from './jobs.ts';
import { addLibrary } from './library.ts';
import { addMigrate } from './migrate.ts';
import { addScan } from './scan.ts';
import { addServe } from './serve.ts';
import { addSetup } from './setup.ts';
import { addUser } from './user.ts';

function createProgram(): Command {
  const program = new Command('revenge')
    .description('A media server for homes that run more than one machine.')
    .version(manifest.version)
    .option('--json', 'print one JSON document instead of text')
    .option('--data <dir>', "the node's data folder (data.dir)")
    .option('--config <file>', 'configuration file (default: config.yaml)')
    .exitOverride()
    .showHelpAfterError('(see revenge --help)');
  addServe(program);
  addSetup(program);
  addUser(program);
  addLibrary(program);
  addScan(program);
  addJobs(program);
  addMigrate(program);
  addConfig(program);
  addDoctor(program);
  inherit(program);
  return program;
}

/** Commander asks for this on every sub-command, or it would exit by itself. */
function inherit(command: Command): void {
  for (const child of command.commands) {
    child.exitOverride().copyInheritedSettings(command);
    inherit(child);
  }
}

/** Runs one command; resolves to the process's exit code and never throws. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync([...args], { from: 'user' });
    return exitCode.ok;
  } catch (error) {
    return explain(error);
  }
}

function explain(error: unknown): number {
  if (error instanceof CommanderError) {
    // Commander has printed its own message; help and version are no failure.
    return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
  }
  const { message } = error as Error;
  if (error instanceof ConfigError) {
    process.stderr.write(error.faults.map((fault) => `revenge: ${fault}\n`).join(''));
    return exitCode.config;
  }
  process.stderr.write(`revenge: ${message}\n`);
  if (error instanceof CommandError) return error.exit;
  if (error instanceof ProblemError) {
    return error.status === 503 ? exitCode.unavailable : exitCode.failed;
  }
  if (process.env['REVENGE_LOG_LEVEL'] === 'debug') {
    process.stderr.write(`${(error as Error).stack}\n`);
  }
  return exitCode.failed;
}
