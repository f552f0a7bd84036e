import { networkInterfaces } from 'node:os';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Log } from '#services/log.ts';
import { isUnavailable } from '#storage/postgres/errors.ts';
import { startNode, type RunningNode } from '../main.ts';
import { createLog } from '../log.ts';
import { keepLines } from '../logs/keep.ts';
import { keepMemory } from '../memory.ts';
import { watchSignals } from '../signals.ts';
import { findMediaTools, publicUrl, urlsElsewhere, welcomeLines } from '../welcome.ts';
import { createContext, type GlobalOptions } from './context.ts';
import { expectFolders } from './first-folders.ts';
import { collect, stopperHere } from './stopper.ts';

interface ServeOptions extends GlobalOptions {
  readonly movies?: readonly string[];
  readonly port?: string;
  readonly host?: string;
  readonly join?: readonly string[];
  readonly token?: string;
}

const againMs = 2_000;

/**
 * A database that was there and went away while the node was starting, as one does that is itself
 * just coming up, is no reason to end: it begins anew.
 */
async function startPatiently(start: () => Promise<RunningNode>, log: Log): Promise<RunningNode> {
  for (;;) {
    try {
      return await start();
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      log.warn('the database went away during the start: begins anew', { error });
      await pause(againMs);
    }
  }
}

/** `revenge serve`: runs a node until it is told to stop. */
export function addServe(program: Command): void {
  program
    .command('serve')
    .description('run a node')
    .option('--movies <dir>', 'make a film library of this folder (may be repeated)', collect)
    .option('--port <number>', 'port of the API and the web app (server.port)')
    .option('--host <address>', 'address to listen on (server.host)')
    .option('--join <host:port>', 'join the cluster of this member (may be repeated)', collect)
    .option('--token <token>', 'what `cluster token create` printed (cluster.join_token)')
    .action(async (_options: ServeOptions, command: Command) => {
      const options = command.optsWithGlobals<ServeOptions>();
      const { config, output, env } = createContext(options, {
        ...(options.port === undefined ? {} : { 'server.port': options.port }),
        ...(options.host === undefined ? {} : { 'server.host': options.host }),
        ...(options.join === undefined ? {} : { 'cluster.raft.join_addrs': options.join.join() }),
        ...(options.token === undefined ? {} : { 'cluster.join_token': options.token }),
      });
      const log = createLog({
        level: config.values['log.level'],
        format: config.values['log.format'],
      });
      const logs = keepLines(log);
      const movies = (options.movies ?? []).map((dir) => resolve(dir));
      await expectFolders(movies, { config: config.values, log });
      const stopper = stopperHere(log);
      const stopListening = watchSignals({ onLevel: (level) => stopper.ask(level), now: Date.now });
      const wish = { config, log, logs, env, configFile: options.config, movies };
      const node = await startPatiently(() => startNode(wish), log);
      stopper.hand(node);
      const leaveMemory = keepMemory(log);
      const url = publicUrl(config.values, node.port);
      const tools = await findMediaTools(config.values);
      const elsewhere = urlsElsewhere(config.values, node.port, networkInterfaces());
      const { setupToken } = node;
      for (const line of welcomeLines({ url, elsewhere, setupToken, tools })) output.say(line);
      await node.stopped;
      leaveMemory();
      stopListening();
    });
}
