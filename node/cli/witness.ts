import type { Command } from 'commander';
import { startWitness } from '../cluster/witness.ts';
import { createLog } from '../log.ts';
import { keepLines } from '../logs/keep.ts';
import { keepMemory } from '../memory.ts';
import { watchSignals } from '../signals.ts';
import { createContext, type GlobalOptions } from './context.ts';
import { createRoot, run } from './run.ts';
import { collect, stopperHere } from './stopper.ts';

interface WitnessOptions extends GlobalOptions {
  readonly port?: string;
  readonly host?: string;
  readonly join?: readonly string[];
  readonly token?: string;
}

/** Of a machine for which a node would be too much. */
const worthBytes = 100 * 2 ** 20;

/** `revenge witness`: runs a member that votes and serves nothing, until it is told to stop. */
export function addWitness(program: Command): void {
  program
    .command('witness')
    .description('run a witness: the third vote of a home with two nodes')
    .option('--join <host:port>', 'join the cluster of this member (may be repeated)', collect)
    .option('--token <token>', 'what `cluster token create --kind witness` printed')
    .option('--port <number>', 'port for health and status (server.port)')
    .option('--host <address>', 'address for health and status (server.host)')
    .action(async (_options: WitnessOptions, command: Command) => {
      const options = command.optsWithGlobals<WitnessOptions>();
      const { config, output } = createContext(options, {
        ...(options.port === undefined ? {} : { 'server.port': options.port }),
        ...(options.host === undefined ? {} : { 'server.host': options.host }),
        ...(options.join === undefined ? {} : { 'cluster.raft.join_addrs': options.join.join() }),
        ...(options.token === undefined ? {} : { 'cluster.join_token': options.token }),
      });
      const { values } = config;
      const log = createLog({ level: values['log.level'], format: values['log.format'] });
      const stopper = stopperHere(log);
      const stopListening = watchSignals({ onLevel: (level) => stopper.ask(level), now: Date.now });
      const witness = await startWitness({ config: values, log, logs: keepLines(log) });
      stopper.hand(witness);
      const leaveMemory = keepMemory(log, worthBytes);
      output.say(`This witness (${witness.nodeId}) votes; it serves nothing.`);
      output.say(`  Its health: http://localhost:${witness.port}/health/cluster`);
      await witness.stopped;
      leaveMemory();
      stopListening();
    });
}

/** The same without the rest of the program, which would take four times its memory. */
export async function main(args: readonly string[]): Promise<number> {
  const program = createRoot();
  addWitness(program);
  return run(program, args);
}
