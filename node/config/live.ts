import { watch } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { Log } from '#services/log.ts';
import { keys, type Config, type ConfigKey, type Key } from './keys.ts';
import { ConfigError, readConfig, type ConfigInput, type ReadConfig } from './read.ts';

export interface LiveOptions {
  readonly input: ConfigInput;
  readonly current: ReadConfig;
  readonly log: Log;
  /** Called with the new configuration and the live keys that changed. */
  readonly onChange: (config: Config, changed: readonly ConfigKey[]) => void;
}

/** What differs between two configurations, by whether a restart is needed. Pure. */
export function compareConfigs(before: Config, after: Config) {
  const changed = (Object.keys(keys) as ConfigKey[]).filter(
    (key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]),
  );
  const isLive = (key: ConfigKey) => (keys[key] as Key).isLive === true;
  return {
    live: changed.filter(isLive),
    afterRestart: changed.filter((key) => !isLive(key)),
  };
}

/** Editors write in several steps; what happens within this many ms is one change. */
const settleMs = 250;

/**
 * Reads the configuration again on SIGHUP and when its file changes. The folder is watched, not the
 * file: editors and Kubernetes replace it. A configuration with faults is reported and not taken.
 */
export function watchConfig({ input, current, log, onChange }: LiveOptions): AsyncDisposable {
  let now = current.values;
  let timer: NodeJS.Timeout | undefined;
  // What the command line says outranks the file for as long as the node runs.
  const fixed = Object.fromEntries(
    Object.entries(current.values).filter(
      ([key]) => current.origins[key as ConfigKey] === 'command line',
    ),
  );

  function reload(): void {
    try {
      const { values } = readConfig(input);
      const { live, afterRestart } = compareConfigs(now, { ...values, ...fixed });
      if (live.length > 0) log.info('configuration changed', { keys: live });
      if (afterRestart.length > 0) {
        log.warn('configuration changed; restart for it to take effect', { keys: afterRestart });
      }
      now = { ...values, ...fixed };
      if (live.length > 0) onChange(now, live);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      log.error('configuration has faults, the running one stays', { faults: error.faults });
    }
  }

  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(reload, settleMs);
  };
  const file = resolve(input.env['REVENGE_CONFIG'] ?? input.file ?? 'config.yaml');
  const names = new Set([basename(file), '..data']);
  const watcher = watch(dirname(file), { persistent: false }, (_event, name) => {
    if (name === null || names.has(name)) soon();
  });
  watcher.on('error', (error) => log.warn('configuration file is not watched', { error }));
  process.on('SIGHUP', reload);
  return {
    [Symbol.asyncDispose]() {
      clearTimeout(timer);
      process.off('SIGHUP', reload);
      watcher.close();
      return Promise.resolve();
    },
  };
}
