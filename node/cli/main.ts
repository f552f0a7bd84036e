import type { Command } from 'commander';
import { addBackup } from './backup.ts';
import { addCluster } from './cluster/cluster.ts';
import { addConfig } from './config.ts';
import { addDoctor } from './doctor.ts';
import { addIdentify } from './identify.ts';
import { addJobs } from './jobs.ts';
import { addLibrary } from './library.ts';
import { addMigrate } from './migrate.ts';
import { addRestore } from './restore.ts';
import { createRoot, run } from './run.ts';
import { addScan } from './scan.ts';
import { addServe } from './serve.ts';
import { addSetup } from './setup.ts';
import { addUser } from './user.ts';
import { addWitness } from './witness.ts';

function createProgram(): Command {
  const program = createRoot();
  addServe(program);
  addWitness(program);
  addSetup(program);
  addUser(program);
  addLibrary(program);
  addScan(program);
  addJobs(program);
  addCluster(program);
  addMigrate(program);
  addBackup(program);
  addRestore(program);
  addConfig(program);
  addDoctor(program);
  addIdentify(program);
  return program;
}

/** Runs one command; resolves to the process's exit code and never throws. */
export const main = (args: readonly string[]): Promise<number> => run(createProgram(), args);
