import type { ChildProcess } from 'node:child_process';
import type { Log } from '../log.ts';
import { forkProcess, gone, kill } from './child.ts';
import { MediaError } from './media.ts';
import type { Ask, FromProcess, ToProcess, Tools } from './protocol.ts';

/** One call on its way. */
export interface Job {
  readonly ask: Ask;
  /** Told exactly once. */
  readonly settle: (answer: FromProcess | MediaError) => void;
  /** True for the calls that must not be asked again when `culprit` has hung the process. */
  readonly sharesFate: (culprit: Job) => boolean;
}

/** One media process that is started when needed, replaced when it dies or hangs, ended when idle. */
export interface Worker extends AsyncDisposable {
  run(job: Job): void;
  /** Asks for an end; when none comes in time the process is killed, and `onHung` called before. */
  stop(job: Job): void;
  stats(): { running: boolean; calls: number; restarts: number; abandoned: number };
}

export interface WorkerOptions {
  readonly name: string;
  readonly tools: () => Tools;
  readonly log: Log;
  readonly idleMs: number;
  readonly onHung: (job: Job) => void;
  /** A killed process that will not go (+1), or went at last (−1). */
  readonly onAbandoned: (job: Job, change: 1 | -1) => void;
}

interface Running {
  readonly job: Job;
  crashes: number;
  moves: number;
  grace: NodeJS.Timeout | undefined;
}

const graceMs = 2_000;
const goneMs = 3_000;
const crashesMax = 1;
const movesMax = 5;
const saidBytesMax = 4_096;

interface State {
  readonly options: WorkerOptions;
  readonly calls: Map<number, Running>;
  /** Processes being killed. */
  readonly leaving: Set<Promise<void>>;
  child: ChildProcess | undefined;
  idle: NodeJS.Timeout | undefined;
  restarts: number;
  abandoned: number;
  isClosed: boolean;
}

const closing = () => new MediaError('cancelled', 'closing down');

/** The process itself is started by the first call. */
export function createWorker(options: WorkerOptions): Worker {
  const state: State = {
    options,
    calls: new Map(),
    leaving: new Set(),
    child: undefined,
    idle: undefined,
    restarts: 0,
    abandoned: 0,
    isClosed: false,
  };
  return {
    run(job) {
      if (state.isClosed) return job.settle(closing());
      clearTimeout(state.idle);
      state.calls.set(job.ask.id, { job, crashes: 0, moves: 0, grace: undefined });
      send(state, job.ask);
    },
    stop(job) {
      const call = state.calls.get(job.ask.id);
      if (!call || call.grace) return;
      call.grace = setTimeout(() => replace(state, call), graceMs);
      send(state, { cancel: job.ask.id });
    },
    stats: () => ({
      running: state.child !== undefined,
      calls: state.calls.size,
      restarts: state.restarts,
      abandoned: state.abandoned,
    }),
    [Symbol.asyncDispose]: () => close(state),
  };
}

function send(state: State, message: ToProcess): void {
  state.child ??= start(state);
  // A process that dies between start and send is seen by its 'exit'.
  state.child.send(message, undefined, undefined, () => undefined);
}

function start(state: State): ChildProcess {
  const { log, name, tools } = state.options;
  const started = forkProcess(tools());
  started.on('message', (message) => {
    const answer = message as FromProcess;
    finish(state, answer.id, answer);
  });
  started.on('error', (error) => ended(state, started, error.message));
  started.on('exit', (code, signal) => ended(state, started, signal ?? `code ${code}`));
  let saidBytes = 0;
  started.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (saidBytes < saidBytesMax) log.warn('media process said', { name, text });
    saidBytes += text.length;
  });
  return started;
}

function finish(state: State, id: number, answer: FromProcess | MediaError): void {
  const call = state.calls.get(id);
  if (!call) return;
  state.calls.delete(id);
  clearTimeout(call.grace);
  call.job.settle(answer);
  if (state.calls.size > 0) return;
  clearTimeout(state.idle);
  state.idle = setTimeout(() => void end(state), state.options.idleMs).unref();
}

function end(state: State): Promise<boolean> {
  const old = state.child;
  state.child = undefined;
  if (old?.connected) old.disconnect();
  return old ? gone(old, goneMs) : Promise.resolve(true);
}

/** A process ended by itself: its calls are asked again once, since one of them may be the cause. */
function ended(state: State, who: ChildProcess, why: string): void {
  if (who !== state.child) return;
  state.child = undefined;
  if (state.calls.size === 0) return;
  const { log, name } = state.options;
  state.restarts += 1;
  log.warn('media process died', { name, why, calls: state.calls.size });
  for (const [id, call] of [...state.calls]) {
    if (call.grace || call.crashes >= crashesMax) {
      finish(state, id, new MediaError('unavailable', `the media process died (${why})`));
    } else {
      call.crashes += 1;
      send(state, call.job.ask);
    }
  }
}

/** A call hangs beyond its deadline: its process is lost, the innocent calls move to a new one. */
function replace(state: State, culprit: Running): void {
  const { log, name, onHung } = state.options;
  const old = state.child;
  state.child = undefined;
  state.restarts += 1;
  log.warn('media process hung', { name, call: culprit.job.ask.name });
  onHung(culprit.job);
  for (const [id, call] of [...state.calls]) {
    const isLost = call.grace !== undefined || call.job.sharesFate(culprit.job);
    if (isLost || call.moves >= movesMax) {
      finish(state, id, new MediaError('unavailable', 'the mount does not answer'));
    } else {
      call.moves += 1;
      send(state, call.job.ask);
    }
  }
  if (!old) return;
  const burial = bury(state, old, culprit.job);
  state.leaving.add(burial);
  void burial.finally(() => state.leaving.delete(burial));
}

async function bury(state: State, old: ChildProcess, culprit: Job): Promise<void> {
  const { log, name, onAbandoned } = state.options;
  kill(old);
  if (await gone(old, goneMs)) return;
  state.abandoned += 1;
  onAbandoned(culprit, 1);
  log.error('media process cannot be killed', { name, pid: old.pid });
  old.once('exit', () => {
    state.abandoned -= 1;
    onAbandoned(culprit, -1);
  });
  if (old.connected) old.disconnect();
  old.unref();
}

async function close(state: State): Promise<void> {
  state.isClosed = true;
  for (const id of [...state.calls.keys()]) {
    finish(state, id, closing());
  }
  clearTimeout(state.idle);
  const old = state.child;
  if (!(await end(state)) && old) kill(old);
  await Promise.all(state.leaving);
}
