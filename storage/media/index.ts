import { availableParallelism } from 'node:os';
import type { Log } from '../log.ts';
import { createGate, type Gate, type Place } from './gate.ts';
import { MediaError, type Media, type MediaCall } from './media.ts';
import { createPatience } from './patience.ts';
import { readMountTable } from './mount-table.ts';
import { createMounts, type Mounts } from './mounts.ts';
import type { Ask, Calls, CallName, Failure, FromProcess } from './protocol.ts';
import { findTools } from './tools.ts';
import { createWorker, type Job, type Worker } from './worker.ts';

export { MediaError, type Media, type MediaErrorCode } from './media.ts';
export { decodePath, displayName, encodePath } from './path.ts';
export { describeTools } from './tools.ts';

export interface MediaOptions {
  readonly ffmpegPath?: string | undefined;
  readonly ffprobePath?: string | undefined;
  readonly log: Log;
  /** 2: pictures are decoded in a process of their own; 1: everything in one, for little memory. */
  readonly processes: 1 | 2;
  /** Milliseconds without work after which a process is ended. */
  readonly idleMs: number;
  /** Calls at work on one mount at once. */
  readonly perMountLimit: number;
  readonly now: () => number;
}

/** What `/metrics` and `doctor` tell. */
export interface MediaStats {
  readonly processes: number;
  readonly waiting: number;
  readonly working: number;
  readonly restarts: number;
  readonly abandoned: number;
  readonly suspended: ReturnType<Mounts['suspended']>;
}

export type MediaEngine = Media & AsyncDisposable & { stats(): MediaStats };

/** What a call does, hence which limit it falls under besides its mount's. */
type Kind = 'files' | 'heads' | 'probes' | 'frames' | 'images' | 'keyframes' | 'loudness';

const hourMs = 3_600_000;

const traits: Readonly<Record<CallName, { kind: Kind; deadlineMs: number }>> = {
  list: { kind: 'files', deadlineMs: 20_000 },
  listMany: { kind: 'files', deadlineMs: 60_000 },
  statDirectories: { kind: 'files', deadlineMs: 30_000 },
  stat: { kind: 'files', deadlineMs: 10_000 },
  statMany: { kind: 'files', deadlineMs: 30_000 },
  resolve: { kind: 'files', deadlineMs: 10_000 },
  read: { kind: 'files', deadlineMs: 20_000 },
  readMany: { kind: 'files', deadlineMs: 60_000 },
  put: { kind: 'files', deadlineMs: 30_000 },
  fingerprint: { kind: 'files', deadlineMs: 20_000 },
  head: { kind: 'heads', deadlineMs: 20_000 },
  lookMany: { kind: 'heads', deadlineMs: 60_000 },
  probe: { kind: 'probes', deadlineMs: 30_000 },
  // As long as its caller gives it: that depends on the file. Here only so that all ends some day.
  keyframes: { kind: 'keyframes', deadlineMs: 6 * hourMs },
  loudness: { kind: 'loudness', deadlineMs: 24 * hourMs },
  frame: { kind: 'frames', deadlineMs: 45_000 },
  attachedPicture: { kind: 'frames', deadlineMs: 30_000 },
  inspectImage: { kind: 'images', deadlineMs: 20_000 },
  resizeImage: { kind: 'images', deadlineMs: 20_000 },
};

const waitingMax = 2_000;
const waitMaxMs = 300_000;
// The last place is kept for who waits, so that background work has one less: a program per core,
// half of them for looking into files, which thousands of frames must not keep waiting.
const programs = Math.ceil(availableParallelism() / 2) + 1;
const limits: Readonly<Record<Kind, number>> = {
  files: 24,
  heads: availableParallelism() + 1,
  probes: programs,
  frames: programs,
  images: 2,
  // One in the background, which reads a file from end to end, and one that somebody waits for.
  keyframes: 2,
  loudness: 1,
};
/** What reads files for minutes: so few of them keep no place of a mount from what is short. */
const isLong = (kind: Kind): boolean => kind === 'keyframes' || kind === 'loudness';

type Workers = Readonly<Record<'files' | 'images' | 'trial', Worker>>;

interface Parts {
  readonly gate: Gate;
  readonly mounts: Mounts;
  readonly workers: Workers;
  readonly perMountLimit: number;
  nextId: number;
}

/** Media work in processes of its own, started by the first call; dispose it to end them. */
export function createMedia(options: MediaOptions): MediaEngine {
  const gate = createGate({ waitingMax });
  const mounts = createMounts({
    now: options.now,
    isWhollyOn: (root, device) => readMountTable()(root, device),
  });
  const workers = createWorkers(options, mounts);
  const parts: Parts = { gate, mounts, workers, perMountLimit: options.perMountLimit, nextId: 1 };
  const all = [...new Set(Object.values(workers))];
  return {
    ...createCalls(parts),
    stats() {
      const each = all.map((worker) => worker.stats());
      const sum = (of: (stats: (typeof each)[number]) => number) =>
        each.reduce((total, stats) => total + of(stats), 0);
      return {
        processes: sum(({ running }) => Number(running)),
        waiting: gate.waiting(),
        working: sum(({ calls }) => calls),
        restarts: sum(({ restarts }) => restarts),
        abandoned: sum(({ abandoned }) => abandoned),
        suspended: mounts.suspended(),
      };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(all.map((worker) => worker[Symbol.asyncDispose]()));
    },
  };
}

function createWorkers(options: MediaOptions, mounts: Mounts): Workers {
  const log = options.log.child({ module: 'media' });
  const tools = toolFinder(options, log);
  // Where a call hung is remembered by its mount's name then: a device number may change later.
  const hungAt = new WeakMap<Job, string>();
  const make = (name: string, idleMs: number): Worker =>
    createWorker({
      name,
      tools,
      log,
      idleMs,
      onHung: (job) => {
        const root = rootOf(job.ask);
        if (root !== undefined) hungAt.set(job, mounts.hung(root));
      },
      onAbandoned: (job, change) => {
        const mount = hungAt.get(job);
        if (mount !== undefined) mounts.abandoned(mount, change);
      },
    });
  const files = make('files', options.idleMs);
  const images = options.processes === 1 ? files : make('images', options.idleMs);
  return { files, images, trial: make('trial', 1_000) };
}

function toolFinder(options: MediaOptions, log: Log) {
  let isWarned = false;
  return () => {
    const tools = findTools(options);
    const old = tools.found.filter(({ source }) => source === 'npm');
    if (old.length > 0 && !isWarned) {
      isWarned = true;
      log.warn('old build of ffmpeg in use, only for a first look: install ffmpeg', {
        tools: old.map(({ path }) => path),
      });
    }
    return { ffmpeg: tools.ffmpeg, ffprobe: tools.ffprobe };
  };
}

function createCalls(parts: Parts): Media {
  const perform = bind(parts);
  return {
    list: (root, path, options) => perform('list', { root, path }, options),
    async listMany(root, paths, options) {
      return (await perform('listMany', { root, paths }, options)).map(revive);
    },
    stat: (root, path, options) => perform('stat', { root, path }, options),
    statDirectories: (root, paths, options) => perform('statDirectories', { root, paths }, options),
    resolve: (path, options) => perform('resolve', { root: path }, options),
    read: (root, path, options) =>
      perform('read', { root, path, maxBytes: options.maxBytes }, options),
    async statMany(root, paths, options) {
      return (await perform('statMany', { root, paths }, options)).map(revive);
    },
    async readMany(root, paths, options) {
      const input = { root, paths, maxBytes: options.maxBytes };
      return (await perform('readMany', input, options)).map(revive);
    },
    put: (root, path, { bytes, over, ...options }) =>
      perform('put', { root, path, bytes, over }, options),
    fingerprint: (root, path, options) => perform('fingerprint', { root, path }, options),
    async lookMany(root, paths, options) {
      return (await perform('lookMany', { root, paths }, options)).map(revive);
    },
    async probe(root, path, { isLookedAt = false, ...options }) {
      if (isLookedAt) return perform('probe', { root, path }, options);
      const begun = performance.now();
      const head = await perform('head', { root, path }, options);
      if (head !== undefined) return head;
      const { timeoutMs } = options;
      const leftMs = timeoutMs && Math.max(1, timeoutMs - (performance.now() - begun));
      return perform('probe', { root, path }, { ...options, ...(leftMs && { timeoutMs: leftMs }) });
    },
    keyframes: (root, path, options) => perform('keyframes', { root, path }, options),
    loudness: (root, path, options) => perform('loudness', { root, path }, options),
    frame: (root, path, { atMs, among, ...options }) =>
      perform('frame', { root, path, atMs, among }, options),
    attachedPicture: (root, path, options) =>
      perform('attachedPicture', { root, path, index: options.index }, options),
    inspectImage: (image, options) => perform('inspectImage', { image }, options),
    resizeImage: (image, { width, format, ...options }) =>
      perform('resizeImage', { image, width, format }, options),
  };
}

type Perform = <Name extends CallName>(
  name: Name,
  input: Calls[Name]['input'],
  options: MediaCall,
) => Promise<Calls[Name]['output']>;

/** One call: a place at its mount and kind, its deadline, the right process, its answer. */
function bind(parts: Parts): Perform {
  return async (name, input, options) => {
    const { kind, deadlineMs } = traits[name];
    const ask = { id: parts.nextId++, name, input } as Ask;
    const root = rootOf(ask);
    if (root !== undefined) parts.mounts.check(root);
    const patience = createPatience(options.signal, options.timeoutMs ?? waitMaxMs);
    const { signal } = patience;
    try {
      const leave = await enter(parts, { root, kind, options, signal });
      const lane = chooseLane({ parts, kind, root, leave });
      patience.limit(deadlineMs);
      return (await carryOut({ parts, ask, lane, leave, signal })) as never;
    } finally {
      patience.end();
    }
  };
}

function chooseLane(wish: {
  parts: Parts;
  kind: Kind;
  root: string | undefined;
  leave: () => void;
}): Worker {
  const { mounts, workers } = wish.parts;
  try {
    // Asked only now: the mount may have begun to hang while this call waited for its place.
    if (wish.root !== undefined && mounts.ask(wish.root) === 'trial') return workers.trial;
    return wish.kind === 'images' ? workers.images : workers.files;
  } catch (error) {
    wish.leave();
    throw error;
  }
}

function enter(
  { gate, mounts, perMountLimit }: Parts,
  wish: { root: string | undefined; kind: Kind; options: MediaCall; signal: AbortSignal },
): Promise<() => void> {
  const { root, kind, options, signal } = wish;
  const places: Place[] = [{ key: kind, limit: limits[kind] }];
  if (root !== undefined && !isLong(kind))
    places.push({ key: mounts.key(root), limit: perMountLimit });
  return gate.enter({ places, isUrgent: options.priority === 'user', signal });
}

interface Carried {
  readonly parts: Parts;
  readonly ask: Ask;
  readonly lane: Worker;
  readonly leave: () => void;
  readonly signal: AbortSignal;
}

function carryOut({ parts, ask, lane, leave, signal }: Carried): Promise<unknown> {
  const { mounts } = parts;
  const root = rootOf(ask);
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      reject(signal.reason as MediaError);
      lane.stop(job);
    };
    const job: Job = {
      ask,
      sharesFate: (culprit) => isSameMount(mounts, root, rootOf(culprit.ask)),
      // The place is given back only here: until then the work may still be at the mount.
      settle(answer) {
        signal.removeEventListener('abort', giveUp);
        leave();
        if (answer instanceof MediaError) {
          // A hang has been noted by then, so that this is true only for what told nothing.
          if (root !== undefined && lane === parts.workers.trial) mounts.untried(root);
          return reject(answer);
        }
        if (root !== undefined) noteAnswer(mounts, root, answer);
        if ('failed' in answer) reject(toError(answer));
        else resolve(answer.value);
      },
    };
    lane.run(job);
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
  });
}

function noteAnswer(mounts: Mounts, root: string, answer: FromProcess): void {
  if (answer.device !== undefined) mounts.learn(root, answer.device);
  mounts.answered(root);
}

function isSameMount(mounts: Mounts, a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && mounts.key(a) === mounts.key(b);
}

function rootOf(ask: Ask): string | undefined {
  return 'root' in ask.input ? ask.input.root : undefined;
}

const toError = ({ failed, message }: Failure): MediaError => new MediaError(failed, message);

function revive<T extends object>(result: T | Failure): T | MediaError {
  return 'failed' in result ? toError(result) : result;
}
