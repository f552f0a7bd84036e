import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import type { Link, ToEngine, ToHost } from './messages.ts';
import { createOutbox } from './outbox.ts';
import { packToEngine, unpackToHost } from './pack.ts';
import type { Log } from './ports.ts';
import type { FromEngine, FromHost } from './process.ts';
import type { EngineSettings } from './settings.ts';

const closeMs = 10_000;

export interface EngineProcess extends Link {
  readonly pid: number | undefined;
}

interface Running {
  readonly child: ChildProcess;
  readonly log: Log;
  readonly started: PromiseWithResolvers<void>;
  readonly exit: PromiseWithResolvers<void>;
  deliver: ((message: ToHost) => void) | undefined;
  /** What came before anybody wanted it. */
  early: ToHost[];
  onEnd: (error: Error | undefined) => void;
  ended: { readonly error: Error | undefined } | undefined;
  heardAt: number;
  isAsked: boolean;
  watch: NodeJS.Timeout | undefined;
}

/** Starts the engine in a process of its own; resolves once it listens. It logs into `log`. */
export async function startEngineProcess(
  settings: EngineSettings,
  log: Log,
): Promise<EngineProcess> {
  const running: Running = {
    child: fork(new URL('./process.ts', import.meta.url), {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: process.execArgv.filter((flag) => !flag.startsWith('--inspect')),
    }),
    log,
    started: Promise.withResolvers(),
    exit: Promise.withResolvers(),
    deliver: undefined,
    early: [],
    onEnd: () => undefined,
    ended: undefined,
    heardAt: performance.now(),
    isAsked: false,
    watch: undefined,
  };
  const { child, started } = running;
  child.on('message', (message: FromEngine) => onMessage(running, message));
  child.on('error', (error) => end(running, error));
  child.on('exit', (code, signal) => {
    const how = signal ?? code ?? 'unknown';
    end(running, running.isAsked ? undefined : new Error(`the Raft process ended (${how})`));
    running.exit.resolve();
  });
  running.watch = watchOver(running, settings);
  send(running, { start: settings });
  await started.promise;
  return linkTo(running);
}

function linkTo(running: Running): EngineProcess {
  const { child } = running;
  const outbox = createOutbox<ToEngine>({
    send: (messages) => send(running, { messages: messages.map(packToEngine) }),
    isUrgent: ({ type }) => type !== 'applied',
    patienceMs: 20,
  });
  return {
    pid: child.pid,
    post: (message) => outbox.post(message),
    onMessage(handler) {
      running.deliver = handler;
      for (const each of running.early.splice(0)) handler(each);
    },
    onEnd(handler) {
      running.onEnd = handler;
      if (running.ended) handler(running.ended.error);
    },
    async close() {
      running.isAsked = true;
      outbox.flush();
      send(running, { close: true });
      const killer = setTimeout(() => child.kill('SIGKILL'), closeMs);
      await running.exit.promise;
      clearTimeout(killer);
    },
  };
}

function send({ child }: Running, message: FromHost): void {
  if (child.connected) child.send(message, () => undefined);
}

function onMessage(running: Running, message: FromEngine): void {
  running.heardAt = performance.now();
  if ('started' in message) running.started.resolve();
  else if ('log' in message) running.log[message.log.level](message.log.message, message.log.facts);
  else if ('ended' in message) {
    end(running, message.ended === undefined ? undefined : new Error(message.ended));
  } else if (!running.deliver) running.early.push(...message.messages.map(unpackToHost));
  else for (const each of message.messages) running.deliver(unpackToHost(each));
}

function end(running: Running, error: Error | undefined): void {
  if (running.ended) return;
  running.ended = { error };
  clearInterval(running.watch);
  running.started.reject(error ?? new Error('the Raft process was closed'));
  running.onEnd(error);
}

/** The engine speaks every quarter of its timeout; two looks in a row must find it silent. */
function watchOver(running: Running, { hostTimeoutMs }: EngineSettings): NodeJS.Timeout {
  const limitMs = Math.max(10_000, hostTimeoutMs * 5);
  let wasSilent = false;
  const look = () => {
    const isSilent = performance.now() - running.heardAt > limitMs;
    if (isSilent && wasSilent) {
      running.child.kill('SIGKILL');
      end(running, new Error('the Raft process no longer answered'));
    }
    wasSilent = isSilent;
  };
  return setInterval(look, limitMs / 4).unref();
}
