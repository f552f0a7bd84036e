import { readFile } from 'node:fs/promises';
import { openRoot, resolveDirectory, toFailure, type Root } from './confine.ts';
import { patientDisk } from './disk.ts';
import { fingerprintFile, readWhole, statFile } from './files.ts';
import type { ImageSource } from './media.ts';
import { encodePath } from './path.ts';
import type {
  Ask,
  Bulk,
  BulkName,
  Calls,
  CallName,
  Failure,
  FromProcess,
  ToProcess,
  Tools,
} from './protocol.ts';
import { isBulk, onThread } from './threads.ts';

/**
 * The media process: started by pool.ts, told what to do in messages, ended by its parent. It holds
 * nothing worth keeping, so that it may be killed at any moment.
 */
const tools = JSON.parse(process.argv[2] ?? '{}') as Partial<Tools>;

interface Work {
  readonly root: Root;
  readonly signal: AbortSignal;
}

type OnRoot = Exclude<CallName, BulkName | 'inspectImage' | 'resizeImage' | 'resolve'>;
type RootWork = {
  [Name in OnRoot]: (input: Calls[Name]['input'], work: Work) => Promise<Calls[Name]['output']>;
};

const rootWork: RootWork = {
  stat: ({ path }, { root }) => statFile(root, path),
  read: (input, { root }) => readWhole(root, input),
  put: async (input, { root }) => {
    const { putWhole } = await import('./put.ts');
    return putWhole(root, input);
  },
  fingerprint: ({ path }, { root }) => fingerprintFile(root, path),
  probe: async ({ path }, { root, signal }) => {
    const { probeFile } = await import('./probe-file.ts');
    return probeFile(root, path, { ffprobe: tools.ffprobe, signal });
  },
  keyframes: async ({ path }, { root, signal }) => {
    const { readKeyframes } = await import('./keyframes.ts');
    return readKeyframes(root, path, { ffprobe: tools.ffprobe, signal });
  },
  loudness: async ({ path }, { root, signal }) => {
    const { measureLoudness } = await import('./loudness.ts');
    return measureLoudness(root, path, { ...tools, signal });
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

const running = new Map<number, AbortController>();

async function answer(ask: Ask): Promise<void> {
  const controller = new AbortController();
  running.set(ask.id, controller);
  const { signal } = controller;
  let found: { device?: string } = {};
  try {
    const said = isBulk(ask)
      ? await onThread(ask, signal)
      : { value: await perform(ask, signal, (device) => (found = { device })) };
    send({ ...found, ...(signal.aborted ? cancelled : said), id: ask.id });
  } catch (error) {
    send({ ...found, ...(signal.aborted ? cancelled : toFailure(error)), id: ask.id });
  } finally {
    running.delete(ask.id);
  }
}

async function perform(
  ask: Exclude<Ask, Bulk>,
  signal: AbortSignal,
  tell: (device: string) => void,
): Promise<unknown> {
  // sharp is loaded by the first call that needs it: a process that only walks stays small.
  if (ask.name === 'inspectImage') {
    return (await import('./image.ts')).inspectImage(await bytesOf(ask.input.image));
  }
  if (ask.name === 'resizeImage') {
    return (await import('./image.ts')).resizeImage(await bytesOf(ask.input.image), ask.input);
  }
  if (ask.name === 'resolve') {
    return encodePath(await resolveDirectory(patientDisk, ask.input.root));
  }
  const root = await openRoot(patientDisk, ask.input.root);
  tell(root.device);
  signal.throwIfAborted();
  const work = rootWork[ask.name] as (input: unknown, work: Work) => Promise<unknown>;
  return work(ask.input, { root, signal });
}

const bytesOf = async (image: ImageSource): Promise<Uint8Array> =>
  image instanceof Uint8Array ? image : readFile(image.file);

const cancelled: Failure = { failed: 'cancelled', message: 'no longer wanted' };

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
