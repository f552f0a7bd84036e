import { fork, type ChildProcess } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Tools } from './protocol.ts';

const mediaProgram = fileURLToPath(new URL('./process.ts', import.meta.url));
const watchingProgram = fileURLToPath(new URL('./watch-process.ts', import.meta.url));

/** Starts a media process. */
export const forkProcess = (tools: Tools): ChildProcess =>
  forkProgram(mediaProgram, [JSON.stringify(tools)]);

/** Starts a watching process. */
export const forkWatching = (): ChildProcess => forkProgram(watchingProgram, []);

/**
 * Starts a program of ours that touches media. Its environment is made anew: the parent's holds
 * secrets that a decoder has no use for.
 */
function forkProgram(program: string, args: readonly string[]): ChildProcess {
  const { PATH, TMPDIR, LANG } = process.env;
  // With the parent's cache of compiled code it starts in a third of the time and half the memory.
  const cacheDir = getCompileCacheDir();
  return fork(program, args, {
    serialization: 'advanced',
    execArgv: [
      '--max-old-space-size=256',
      '--max-semi-space-size=2',
      '--disable-warning=ExperimentalWarning',
    ],
    env: {
      PATH,
      TMPDIR,
      LANG,
      ...(cacheDir !== undefined && { NODE_COMPILE_CACHE: cacheDir }),
      // Many threads, because each may hang on a mount; few arenas, because memory is counted.
      UV_THREADPOOL_SIZE: '64',
      MALLOC_ARENA_MAX: '2',
    },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    detached: true,
  });
}

/** Kills the process and the programs it started: they are one process group. */
export function kill(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL'); // no such group: it never came up, or is gone
  }
}

/** Whether a process ends within `withinMs`. */
export function gone(child: ChildProcess, withinMs: number): Promise<boolean> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
    return Promise.resolve(true);
  }
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), withinMs);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
