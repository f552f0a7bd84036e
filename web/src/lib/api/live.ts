import type { QueryClient } from '@tanstack/svelte-query';
import { ring, session, transport } from './index.ts';
import { createEventReader, type SentEvent } from './sse.ts';
import { staleKeys, type Key, type LiveEvent } from './stale.ts';

/** Hears live changes as long as somebody is signed in, and makes stale what they touch. */
export interface Live {
  /** Calls for each event; returns how to stop. */
  on(listener: (event: LiveEvent) => void): () => void;
  stop(): void;
}

const flushMs = 700;
const restMinMs = 500;
const restMaxMs = 15_000;
const rest = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** The server says something at least every 15 s. */
const silenceMs = 40_000;

/** Follows the event stream of whichever node answers, from the last event heard. */
export function followEvents(queries: QueryClient): Live {
  const listeners = new Set<(event: LiveEvent) => void>();
  const ending = new AbortController();
  const stale = createStaleness(queries);
  let lastId = '';

  const hear = ({ name, data }: SentEvent) => {
    if (name === 'reset') return void queries.invalidateQueries();
    // Their name and role stand in the head; what fails now comes with the next token.
    if (name === 'user.changed') void session.learn().catch(() => undefined);
    const event = { name, payload: payloadOf(data) };
    for (const key of staleKeys(event)) stale.add(key);
    for (const listener of listeners) listener(event);
  };
  const listen = async (origin: string, token: string) => {
    const reader = createEventReader(hear);
    try {
      await readStream({ origin, token, lastId, signal: ending.signal, push: reader.push });
    } finally {
      lastId = reader.lastId() || lastId;
    }
  };
  const run = async () => {
    for (let failures = 0; !ending.signal.aborted;) {
      const origin = ring.current();
      try {
        const token = await session.token();
        if (token === undefined) return;
        await listen(origin, token);
        failures = 0;
        await rest(restMinMs);
      } catch {
        if (ending.signal.aborted) return;
        failures += 1; // the next one is asked, after a rest that grows
        ring.leave(origin);
        await rest(Math.min(restMinMs * 2 ** failures, restMaxMs));
      }
    }
  };
  void run();
  return {
    on(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop() {
      ending.abort();
      stale.stop();
    },
  };
}

interface StreamRequest {
  readonly origin: string;
  readonly token: string;
  readonly lastId: string;
  readonly signal: AbortSignal;
  readonly push: (text: string) => void;
}

/** Resolves when the server ends the stream, as it does with each token; rejects when it breaks. */
async function readStream({ origin, token, lastId, signal, push }: StreamRequest): Promise<void> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), silenceMs);
  const headers = new Headers({ Accept: 'text/event-stream', Authorization: `Bearer ${token}` });
  if (lastId !== '') headers.set('Last-Event-ID', lastId);
  if (transport.index() > 0) headers.set('X-Revenge-Index', String(transport.index()));
  try {
    const answer = await fetch(`${origin}/api/v1/events`, {
      headers,
      credentials: 'omit',
      cache: 'no-store',
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (answer.status === 401) await session.renew(token);
    if (!answer.ok || !answer.body) throw new Error(`the event stream answers ${answer.status}`);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), silenceMs);
      push(value);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Gathers what is stale for a moment: a scan tells of a hundred films a second. */
function createStaleness(queries: QueryClient): { add(key: Key): void; stop(): void } {
  const waiting = new Map<string, Key>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    timer = undefined;
    for (const queryKey of waiting.values()) void queries.invalidateQueries({ queryKey });
    waiting.clear();
  };
  return {
    add(key) {
      waiting.set(JSON.stringify(key), key);
      timer ??= setTimeout(flush, flushMs);
    },
    stop: () => clearTimeout(timer),
  };
}

function payloadOf(data: string): LiveEvent['payload'] {
  const { payload } = JSON.parse(data) as { payload?: LiveEvent['payload'] };
  return payload ?? {};
}
