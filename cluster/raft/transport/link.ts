import type { Socket } from 'node:net';
import type { FailureReason } from '../core/types.ts';
import type { Kind, WireResponse } from '../wire/messages.ts';
import { createResponseReader, type ResponseReader } from '../wire/stream.ts';
import type { Dialed } from './dial.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import { SendError, type Shared } from './types.ts';

export interface Question {
  readonly parts: readonly Uint8Array[];
  readonly kind: Kind;
  readonly timeoutMs: number;
  /** Nobody waits for it: it may go with the next one, or a few milliseconds later. */
  readonly isLazy?: boolean;
  readonly done: (error: SendError | undefined, response?: WireResponse) => void;
}

/** One connection to a peer: requests out, their answers back in the same order. */
export interface Link {
  /** Resolves once it is open. @throws SendError when it does not come to that */
  opened(): Promise<void>;
  /** Once it is open: whether the peer has shown that it is a Revenge node. */
  isOurs(): boolean;
  ask(question: Question): void;
  /** Raw bytes behind a request. Resolves when more may be written; false: the link has ended. */
  write(bytes: Uint8Array): Promise<boolean>;
  /** The oldest request has this long from now on. */
  extend(ms: number): void;
  end(reason: FailureReason, message: string): void;
  readonly isAlive: boolean;
  readonly waiting: number;
}

interface Waiting extends Question {
  due: number;
}

export interface LinkEvents {
  readonly onOpen: () => void;
  /** The first answer has come. */
  readonly onAnswer: () => void;
  readonly onEnd: (reason: FailureReason, message: string) => void;
  /** Whether the answer is that of whom this connection is for, as far as it says. */
  readonly isFromPeer: (response: WireResponse) => boolean;
  /** Whether one that ends the connection does so instead of answering. */
  readonly isKnownToAnswer: () => boolean;
}

interface State {
  readonly socket: Socket;
  readonly shared: Shared;
  readonly events: LinkEvents;
  readonly reader: ResponseReader;
  readonly waiting: Waiting[];
  timer: NodeJS.Timeout | undefined;
  connecting: NodeJS.Timeout | undefined;
  isOpen: boolean;
  isAlive: boolean;
  hasAnswered: boolean;
  /** Those who wait for it to open. */
  openers: PromiseWithResolvers<void>[];
  readonly outbox: Outbox;
}

export function createLink(dialed: Dialed, shared: Shared, events: LinkEvents): Link {
  const { timeouts } = shared;
  const { socket } = dialed;
  const state: State = {
    ...{ socket, shared, events },
    reader: createResponseReader(),
    waiting: [],
    timer: undefined,
    connecting: undefined,
    isOpen: false,
    isAlive: true,
    hasAnswered: false,
    openers: [],
    outbox: createOutbox(socket),
  };
  shared.outgoing.add(socket);
  state.connecting = setTimeout(() => {
    end(state, 'unreachable', `no connection within ${timeouts.connectMs} ms`);
  }, timeouts.connectMs);
  dialed.onOpen(() => {
    state.isOpen = true;
    clearTimeout(state.connecting);
    events.onOpen();
    for (const { resolve } of state.openers.splice(0)) resolve();
  });
  listen(state);
  return {
    opened: () => opened(state),
    isOurs: dialed.isOurs,
    ask: (question) => ask(state, question),
    write: (bytes) => write(state, bytes),
    extend(ms) {
      const first = state.waiting[0];
      if (first) first.due = performance.now() + ms;
    },
    end: (reason, message) => end(state, reason, message),
    get isAlive() {
      return state.isAlive;
    },
    get waiting() {
      return state.waiting.length;
    },
  };
}

function listen(state: State): void {
  const { socket, shared } = state;
  socket.on('data', (chunk: Buffer) => take(state, chunk));
  socket.setTimeout(shared.timeouts.idleMs, () => {
    if (state.waiting.length === 0) end(state, 'closed', 'idle');
  });
  // A refusal by TLS comes as an error of an open connection; the peer never read the request.
  socket.on('error', (error: NodeJS.ErrnoException) => {
    const isCut = error.code === 'ECONNRESET' || error.code === 'EPIPE';
    end(state, state.isOpen && isCut ? 'closed' : 'unreachable', error.message);
  });
  socket.on('close', () => {
    end(state, state.isOpen ? 'closed' : 'unreachable', 'the peer ended the connection');
  });
}

function end(state: State, why: FailureReason, message: string): void {
  if (!state.isAlive) return;
  const reason = why === 'closed' && !state.events.isKnownToAnswer() ? 'unreachable' : why;
  const { socket, shared, events, waiting } = state;
  state.isAlive = false;
  clearTimeout(state.timer);
  clearTimeout(state.connecting);
  state.outbox.drop();
  socket.destroy();
  shared.outgoing.delete(socket);
  events.onEnd(reason, message);
  for (const { reject } of state.openers.splice(0)) reject(new SendError(reason, message));
  for (const { done } of waiting.splice(0)) done(new SendError(reason, message));
}

async function opened(state: State): Promise<void> {
  if (!state.isAlive) throw new SendError('unreachable', 'the connection has ended');
  if (state.isOpen) return;
  const opener = Promise.withResolvers<void>();
  state.openers.push(opener);
  await opener.promise;
}

/** One timer for all: it looks at the oldest, whose turn it is first. */
function arm(state: State): void {
  const first = state.waiting[0];
  if (state.timer || !first || !state.isAlive) return;
  const check = () => {
    state.timer = undefined;
    const oldest = state.waiting[0];
    if (oldest && oldest.due <= performance.now()) end(state, 'timeout', 'no answer in time');
    else arm(state);
  };
  state.timer = setTimeout(check, Math.max(1, first.due - performance.now()));
}

function take(state: State, chunk: Uint8Array): void {
  const { reader, waiting } = state;
  try {
    reader.push(chunk);
    while (waiting.length > 0) {
      const response = reader.next(waiting[0]!.kind);
      if (!response) return;
      if (!state.events.isFromPeer(response)) {
        return end(state, 'unreachable', 'another server answers there');
      }
      if (!state.hasAnswered) {
        state.hasAnswered = true;
        state.events.onAnswer();
      }
      waiting.shift()!.done(undefined, response);
    }
    if (reader.buffered > 0) end(state, 'error', 'the peer answers what nobody asked');
  } catch (error) {
    end(state, 'error', `the answer cannot be read: ${String(error)}`);
  }
}

function ask(state: State, question: Question): void {
  const { socket, waiting, outbox } = state;
  const { maxQueuedRequests, maxQueuedBytes } = state.shared.limits;
  const bytes = question.parts.reduce((sum, part) => sum + part.length, 0);
  if (!state.isAlive) {
    question.done(new SendError('unreachable', 'the connection has ended'));
  } else if (
    waiting.length >= maxQueuedRequests ||
    (waiting.length > 0 && socket.writableLength + outbox.bytes() + bytes > maxQueuedBytes)
  ) {
    question.done(new SendError('error', 'too much waits to be sent to this peer'));
  } else {
    waiting.push({ ...question, due: performance.now() + question.timeoutMs });
    arm(state);
    outbox.add(question.parts, question.isLazy ?? false);
  }
}

function write(state: State, bytes: Uint8Array): Promise<boolean> {
  const { socket } = state;
  if (!state.isAlive) return Promise.resolve(false);
  state.outbox.flush();
  if (socket.write(bytes)) return Promise.resolve(true);
  return new Promise((resolve) => {
    const settle = () => {
      socket.off('drain', settle).off('close', settle);
      resolve(state.isAlive);
    };
    socket.once('drain', settle).once('close', settle);
  });
}
