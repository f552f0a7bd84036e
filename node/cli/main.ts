import { Command, CommanderError } from 'commander';
import manifest from '#package.json' with { type: 'json' };
import { ConfigError } from '../config/read.ts';
import { addCluster } from './cluster/cluster.ts';
import { addConfig } from './config.ts';
import { addDoctor } from './doctor.ts';
import { addIdentify } from './identify.ts';
import { exitCode } from './exit.ts';
import { describeFault } from './fault.ts';
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
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(see revenge --help)');
  addServe(program);
  addSetup(program);
  addUser(program);
  addLibrary(program);
  addScan(program);
  addJobs(program);
  addCluster(program);
  addMigrate(program);
  addConfig(program);
  addDoctor(program);
  addIdentify(program);
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
  surviveClosedOutput();
  try {
    await createProgram().parseAsync([...args], { from: 'user' });
    return exitCode.ok;
  } catch (error) {
    return explain(error);
  }
}

/** Who reads along (`| head`, a terminal) may leave; a node must not die of its next line. */
function surviveClosedOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (code !== 'EPIPE' && code !== 'EIO') throw new Error(`output failed (${code})`);
    });
  }
}

function explain(error: unknown): number {
  if (error instanceof CommanderError) {
    // Commander has printed its own message; help and version are no failure.
    return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
  }
  if (error instanceof ConfigError) {
    process.stderr.write(error.faults.map((fault) => `revenge: ${fault}\n`).join(''));
    return exitCode.config;
  }
  const { message, exit } = describeFault(error);
  process.stderr.write(`revenge: ${message}\n`);
  if (process.env['REVENGE_LOG_LEVEL'] === 'debug') {
    process.stderr.write(`${(error as Error).stack}\n`);
  }
  return exit;
}
