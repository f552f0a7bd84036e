import { createLog } from '../log.ts';
import type { Log } from '#services/log.ts';
import type { ConfigKey } from '../config/keys.ts';
import { readConfig, type ReadConfig } from '../config/read.ts';
import { createOutput, type Output } from './output.ts';

/** Options that every command takes. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly data?: string;
  readonly config?: string;
}

/** What a command works with. */
export interface Context {
  readonly config: ReadConfig;
  readonly output: Output;
  readonly log: Log;
  readonly env: NodeJS.ProcessEnv;
}

/** Reads the configuration and prepares output; throws ConfigError with all faults at once. */
export function createContext(
  { json = false, data, config: file }: GlobalOptions,
  more: Partial<Record<ConfigKey, unknown>> = {},
): Context {
  const config = readConfig({
    env: process.env,
    file,
    options: { ...(data === undefined ? {} : { 'data.dir': data }), ...more },
  });
  const log = createLog({
    // A command's own words are its output; the log is for what goes wrong beneath it.
    level: config.origins['log.level'] === 'default' ? 'warn' : config.values['log.level'],
    format: config.values['log.format'],
  });
  return { config, output: createOutput(json), log, env: process.env };
}
