import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { createCache } from '#storage/cache/index.ts';
import { createOutbox } from '#storage/cluster/outbox.ts';
import { createLocalClock } from '#cluster/clock.ts';
import { ProblemError } from '#services/errors.ts';
import { openDatabase } from '../database.ts';
import { createEncoder } from '../events/live.ts';
import { createPeople } from '../services.ts';
import { createWrite } from '../write.ts';
import { createContext, type Context, type GlobalOptions } from './context.ts';
import { CommandError } from './exit.ts';
import { readPassword } from './password.ts';

interface SetupOptions {
  username: string;
  passwordFile?: string;
}

/** `revenge setup`: makes the first administrator, for who has the data folder or the database. */
export function addSetup(program: Command): void {
  program
    .command('setup')
    .description('make the administrator; the node may run or not')
    .requiredOption('--username <name>', 'how the administrator signs in')
    .option('--password-file <file>', 'file with the password; - is standard input')
    .action(async (options: SetupOptions, command: Command) => {
      const context = createContext(command.optsWithGlobals<GlobalOptions>());
      const password = await readPassword(options.passwordFile);
      const user = await makeAdministrator(context, { ...options, password });
      context.output.result(
        user,
        () => `${user.username} is the administrator of this server; sign in with that name`,
      );
    });
}

async function makeAdministrator(
  { config, log }: Context,
  { username, password }: { username: string; password: string },
): Promise<{ id: string; username: string }> {
  await using open = await openDatabase(config.values, log, { joinRunning: true });
  await open.migrator.up(undefined, { level: 0 });
  const { sql } = open.database;
  const now = Date.now;
  const clock = createLocalClock({ epoch: 0 });
  // Nodes that run hear of it from their leader, which finds it in the outbox.
  const write = createWrite({
    ...{ sql, outbox: createOutbox(sql), terms: () => undefined, randomId: randomUUID },
    encodeEvent: createEncoder({ now, log, onDropped: () => undefined }),
    announce: async ({ tags }) => (await clock.invalidate(tags)) > 0,
  });
  const cache = createCache({ clock, log, now, l1MaxBytes: 1024 ** 2 });
  const { users } = await createPeople({
    config: config.values,
    engines: { store: { sql, write }, sql, cache, redis: undefined },
    log,
    now,
  });
  try {
    const user = await users.setup.complete({ token: undefined, username, password });
    return { id: user.id, username: user.username };
  } catch (error) {
    if (error instanceof ProblemError) throw new CommandError(error.message);
    throw error;
  }
}
