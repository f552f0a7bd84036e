import type { ChildProcess } from 'node:child_process';
import type { Log } from '../log.ts';
import { forkWatching, gone, kill } from './child.ts';
import type { FolderEvent, FromWatching, ToWatching } from './watch-protocol.ts';

export type { FolderEvent } from './watch-protocol.ts';

/** What a watch tells of its folder. */
export interface Hearing {
  /** Something changed below it; undefined: so much that it is not known what. */
  readonly onEvents: (events: readonly FolderEvent[] | undefined) => void;
  /** Nothing is heard (any more), and why. Told once; watch it again to hear. */
  readonly onEnd: (reason: string) => void;
  /** From now on all is heard. */
  readonly onListening: () => void;
}

/** Hears of changes in folders, with all that lies below them; dispose it to end all watches. */
export interface Watcher extends AsyncDisposable {
  /** Begins to hear of an absolute path. */
  watch(folder: string, hearing: Hearing): void;
  unwatch(folder: string): void;
}

export interface WatcherOptions {
  readonly log: Log;
  /** Milliseconds that beginning may take; then the folder is given up, 5 minutes unless stated. */
  readonly beginMs?: number;
}

interface Watch {
  readonly hearing: Hearing;
  beginning: NodeJS.Timeout | undefined;
}

const beginMsDefault = 300_000;
const goneMs = 3_000;

function start(
  log: Log,
  on: {
    hear: (message: FromWatching) => void;
    endAll: (who: ChildProcess, reason: string) => void;
  },
): ChildProcess {
  const started = forkWatching();
  started.on('message', (message) => on.hear(message as FromWatching));
  started.on('error', (error) => on.endAll(started, error.message));
  started.on('exit', (code, signal) => {
    on.endAll(started, `the watching process ended: ${signal ?? `code ${code}`}`);
  });
  started.stderr?.setEncoding('utf8').once('data', (text: string) => {
    log.warn('the watching process said', { text: text.slice(0, 4_096) });
  });
  return started;
}

/**
 * Watches in a process of its own, which is started by the first watch and ended with the last. A
 * folder that hangs while it begins costs that process: the other watches end with it, and may be
 * begun again.
 */
export function createWatcher({ log, beginMs = beginMsDefault }: WatcherOptions): Watcher {
  const watches = new Map<string, Watch>();
  let child: ChildProcess | undefined;

  const end = (folder: string, reason: string) => {
    const watch = watches.get(folder);
    watches.delete(folder);
    clearTimeout(watch?.beginning);
    watch?.hearing.onEnd(reason);
  };
  const endAll = (who: ChildProcess, reason: string) => {
    if (who !== child) return;
    child = undefined;
    for (const folder of [...watches.keys()]) end(folder, reason);
  };
  const hear = (message: FromWatching) => {
    if ('ended' in message) return end(message.ended, message.reason);
    if ('listening' in message) return listens(message.listening);
    const folder = 'heard' in message ? message.heard : message.flooded;
    watches.get(folder)?.hearing.onEvents('heard' in message ? message.events : undefined);
  };
  const listens = (folder: string) => {
    const watch = watches.get(folder);
    clearTimeout(watch?.beginning);
    watch?.hearing.onListening();
  };
  const send = (message: ToWatching) => {
    child ??= start(log, { hear, endAll });
    // A process that dies between start and send is seen by its 'exit'.
    child.send(message, undefined, undefined, () => undefined);
  };
  const abandon = async (folder: string) => {
    const old = child;
    if (old === undefined) return;
    log.warn('a folder hangs while its watch begins', { folder });
    end(folder, 'it hung while it was looked at');
    endAll(old, 'another folder hung');
    kill(old);
    if (!(await gone(old, goneMs))) old.unref();
  };
  return {
    watch(folder, hearing) {
      const beginning = setTimeout(() => void abandon(folder), beginMs);
      watches.set(folder, { hearing, beginning });
      send({ watch: folder });
    },
    unwatch(folder) {
      const watch = watches.get(folder);
      if (watch === undefined) return;
      clearTimeout(watch.beginning);
      watches.delete(folder);
      send({ unwatch: folder });
    },
    async [Symbol.asyncDispose]() {
      const old = child;
      child = undefined;
      for (const { beginning } of watches.values()) clearTimeout(beginning);
      watches.clear();
      if (old?.connected) old.disconnect();
      if (old !== undefined && !(await gone(old, goneMs))) kill(old);
    },
  };
}
