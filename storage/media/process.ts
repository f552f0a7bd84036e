import { isAlive, openRoot, resolveDirectory, toMediaError, type Root } from './confine.ts';
import {
  fingerprintFile,
  forEachAtOnce,
  listDirectory,
  readWhole,
  statDirectories,
  statFile,
} from './files.ts';
import { MediaError } from './media.ts';
import { encodePath } from './path.ts';
import type { Ask, Calls, CallName, Failure, FromProcess, ToProcess, Tools } from './protocol.ts';

/**
 * The media process: started by pool.ts, told what to do in messages, ended by its parent. It holds
 * nothing worth keeping, so that it may be killed at any moment.
 */
const tools = JSON.parse(process.argv[2] ?? '{}') as Partial<Tools>;

interface Work {
  readonly root: Root;
  readonly signal: AbortSignal;
}

type OnRoot = Exclude<CallName, 'inspectImage' | 'resizeImage' | 'resolve'>;
type RootWork = {
  [Name in OnRoot]: (input: Calls[Name]['input'], work: Work) => Promise<Calls[Name]['output']>;
};

const rootWork: RootWork = {
  list: ({ path }, { root, signal }) => listDirectory(root, path, { signal, atOnce: 8 }),
  listMany: ({ paths }, work) =>
    each(paths, work, (path) => listDirectory(work.root, path, { signal: work.signal, atOnce: 3 })),
  statDirectories: ({ paths }, { root, signal }) => statDirectories(root, paths, signal),
  stat: ({ path }, { root }) => statFile(root, path),
  statMany: ({ paths }, work) => each(paths, work, (path) => statFile(work.root, path)),
  read: (input, { root }) => readWhole(root, input),
  readMany: ({ paths, maxBytes }, work) =>
    each(paths, work, (path) => readWhole(work.root, { path, maxBytes })),
  put: async (input, { root }) => {
    const { putWhole } = await import('./put.ts');
    return putWhole(root, input);
  },
  fingerprint: ({ path }, { root }) => fingerprintFile(root, path),
  head: async ({ path }, { root, signal }) => {
    const { probeHead } = await import('./probe-file.ts');
    return probeHead(root, path, signal);
  },
  lookMany: async ({ paths }, work) => {
    const { lookAt } = await import('./probe-file.ts');
    return each(paths, work, (path) => lookAt(work.root, path, work.signal));
  },
  probe: async ({ path }, { root, signal }) => {
    const { probeFile } = await import('./probe-file.ts');
    return probeFile(root, path, { ffprobe: tools.ffprobe, signal });
  },
  frame: async (input, { root, signal }) => {
    const { pickFrame } = await import('./ffmpeg.ts');
    return pickFrame(root, input, { ffmpeg: tools.ffmpeg, signal });
  },
  attachedPicture: async (input, { root, signal }) => {
    const { copyPicture } = await import('./ffmpeg.ts');
    return copyPicture(root, input, { ffmpeg: tools.ffmpeg, signal });
  },
};

/** Each path's own result or failure; only a mount that fails ends them all. */
async function each<T>(
  paths: readonly string[],
  { root, signal }: Work,
  work: (path: string) => Promise<T>,
): Promise<(T | Failure)[]> {
  const results: (T | Failure)[] = [];
  await forEachAtOnce([...paths.entries()], { signal, atOnce: 4 }, async ([at, path]) => {
    results[at] = await work(path).catch(async (error: unknown) => {
      const failure = toFailure(error);
      if (signal.aborted || (failure.failed === 'unavailable' && !(await isAlive(root))))
        throw error;
      return failure;
    });
  });
  return results;
}

const running = new Map<number, AbortController>();

async function answer(ask: Ask): Promise<void> {
  const controller = new AbortController();
  running.set(ask.id, controller);
  const { signal } = controller;
  let device: string | undefined;
  try {
    const value = await perform(ask, signal, (found) => (device = found));
    send({ id: ask.id, value, ...(device === undefined ? {} : { device }) });
  } catch (error) {
    const failure = signal.aborted ? cancelled : toFailure(error);
    send({ id: ask.id, ...failure, ...(device === undefined ? {} : { device }) });
  } finally {
    running.delete(ask.id);
  }
}

async function perform(
  ask: Ask,
  signal: AbortSignal,
  tell: (device: string) => void,
): Promise<unknown> {
  // sharp is loaded by the first call that needs it: a process that only walks stays small.
  if (ask.name === 'inspectImage') {
    return (await import('./image.ts')).inspectImage(ask.input.bytes);
  }
  if (ask.name === 'resizeImage') {
    return (await import('./image.ts')).resizeImage(ask.input.bytes, ask.input);
  }
  if (ask.name === 'resolve') return encodePath(await resolveDirectory(ask.input.root));
  const root = await openRoot(ask.input.root);
  tell(root.device);
  signal.throwIfAborted();
  const work = rootWork[ask.name] as (input: unknown, work: Work) => Promise<unknown>;
  return work(ask.input, { root, signal });
}

const cancelled: Failure = { failed: 'cancelled', message: 'no longer wanted' };

function toFailure(error: unknown): Failure {
  const { code, message } = error instanceof MediaError ? error : toMediaError(error);
  return { failed: code, message };
}

function send(message: FromProcess): void {
  // With the parent gone there is nobody to answer; 'disconnect' below ends this process.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

process.on('message', (message: ToProcess) => {
  if ('cancel' in message) running.get(message.cancel)?.abort();
  else void answer(message);
});

// The parent is gone or wants no more: take the programs started here along (one process group).
process.on('disconnect', () => {
  if (running.size === 0) process.exit(0);
  process.kill(-process.pid, 'SIGKILL');
});
