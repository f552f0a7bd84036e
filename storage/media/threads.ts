import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import { createCrew } from './crew.ts';
import { tellOnce } from './left-open.ts';
import type { Bulk, BulkName, Failure } from './protocol.ts';
import { watchTurns } from './turns.ts';

/** What a thread answers; `device` as in `FromProcess`. */
export type Answer = { device?: string } & ({ value: unknown } | Failure);

/** What a thread is given. */
export interface Task {
  readonly call: Bulk;
  /** See `turns.ts`. */
  readonly turns: SharedArrayBuffer;
  /** Paths whose heads are left alone. */
  readonly leave: readonly string[];
}

const isOfHeads: Readonly<Record<BulkName, boolean>> = {
  list: false,
  listMany: false,
  statDirectories: false,
  statMany: false,
  readMany: false,
  head: true,
  lookMany: true,
};

export const isBulk = (call: { name: string }): call is Bulk => call.name in isOfHeads;

const idleMs = 10_000;
/** As many as there are cores, and no more than keep a disk busy; each takes some 30 MB. */
const headsMax = Math.min(4, availableParallelism());
/** As many as there are calls let in by the parent. */
const filesMax = 24;

const startThreads = (maxThreads: number, maxOldGenerationSizeMb: number) =>
  new Piscina({
    filename: new URL('./thread.ts', import.meta.url).href,
    minThreads: 0,
    maxThreads,
    idleTimeout: idleMs,
    resourceLimits: { maxOldGenerationSizeMb },
  });

// One that hangs in a call to the file system keeps its thread until the process is replaced.
let files: Piscina | undefined;
let heads: Piscina | undefined;
const crew = createCrew({ least: availableParallelism(), most: filesMax, patienceMs: 250 });

/** Has a call on many files answered by a thread that does nothing else meanwhile. */
export async function onThread(call: Bulk, signal: AbortSignal): Promise<Answer> {
  if (isOfHeads[call.name]) {
    heads ??= startThreads(headsMax, 64);
    return answerBy(runOn(heads), call, signal);
  }
  const leave = await crew.enter(signal);
  try {
    files ??= startThreads(filesMax, 256);
    return await answerBy(runOn(files), call, signal);
  } finally {
    leave();
  }
}

const runOn =
  (threads: Piscina): Run =>
  (task, stuck) =>
    threads.run(task, { signal: stuck }) as Promise<Answer>;

/** Has a thread do its task, and ends the thread when `stuck` is aborted. */
export type Run = (task: Task, stuck: AbortSignal) => Promise<Answer>;

/**
 * A head at which the library turns in circles costs the thread: the call begins anew and leaves
 * that head alone. Throws what `signal` says, and what ends a thread that reads no heads.
 */
export async function answerBy(
  run: Run,
  call: Bulk,
  ...about: Parameters<typeof watchTurns>
): Promise<Answer> {
  const [signal] = about;
  const leave: string[] = [];
  for (;;) {
    using watched = watchTurns(...about);
    try {
      return await run({ call, leave, turns: watched.shared }, watched.stuck);
    } catch (error) {
      signal.throwIfAborted();
      const path = pathsOf(call)[watched.at()];
      if (!isOfHeads[call.name] || path === undefined || leave.includes(path)) throw error;
      tellOnce(String(watched.stuck.aborted ? watched.stuck.reason : error));
      leave.push(path);
    }
  }
}

const pathsOf = ({ input }: Bulk): readonly string[] =>
  'paths' in input ? input.paths : [input.path];
