import { unreachable } from './problem.ts';
import { isJson } from './reach.ts';
import type { Ring } from './ring.ts';

/** One request, whichever node carries it out. */
export interface Ask {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Headers;
  readonly body: string | Blob | undefined;
  /** How long a node may take for it, where that is longer than for others. */
  readonly patienceMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface TransportDeps {
  readonly fetch: typeof globalThis.fetch;
  readonly ring: Ring;
  /** Milliseconds, only ever compared with each other. */
  readonly now: () => number;
  readonly pause: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** A name for one change, so that it is carried out once however often it is sent. */
  readonly newKey: () => string;
  /** Hears who answers; undefined: all were asked in vain, and nobody was answered meanwhile. */
  readonly onHeard?: (origin: string | undefined) => void;
}

export interface TransportOptions {
  /** How long a node may think about an answer before another is asked. */
  readonly patienceMs?: number;
  /** How long it is tried altogether. */
  readonly deadlineMs?: number;
}

/** Sends to the node that answers. */
export interface Transport {
  /** @throws ApiError `unreachable` when none answers in time */
  send(ask: Ask): Promise<Response>;
  /** The highest `X-Revenge-Index` seen. */
  index(): number;
}

const again = new Set([502, 503, 504]);
/** Nothing was carried out, and soon it can be. */
const waiting = new Set(['/problems/behind', '/problems/no-leader', '/problems/not-leader']);
const isRead = (method: string) => method === 'GET' || method === 'HEAD';

/**
 * Asks the current node, and the others in turn when it gives no answer. What changes something
 * goes under an `Idempotency-Key`, so that it too can be sent again; the highest index seen goes
 * along, so that another node answers nothing older than what this client knows.
 */
export function createTransport(deps: TransportDeps, options: TransportOptions = {}): Transport {
  const { ring, now, pause, newKey, onHeard = () => {} } = deps;
  const { patienceMs = 8_000, deadlineMs = 20_000 } = options;
  let index = 0;
  let answers = 0;

  const attempt = async (origin: string, ask: Ask): Promise<Response | undefined> => {
    const headers = new Headers(ask.headers);
    if (index > 0) headers.set('X-Revenge-Index', String(index));
    const { method, body, signal } = ask;
    const { patienceMs: own = isRead(method) ? patienceMs : 2 * patienceMs } = ask;
    const late = AbortSignal.timeout(own);
    const both = signal ? AbortSignal.any([signal, late]) : late;
    try {
      const answer = await deps.fetch(origin + ask.path, {
        ...{ method, headers, signal: both, credentials: 'omit' },
        ...(body === undefined ? {} : { body }),
      });
      if (isPage(answer)) return undefined;
      index = Math.max(index, indexOf(answer));
      if (isOfNode(answer)) {
        answers += 1;
        onHeard(origin);
      }
      return answer;
    } catch (error) {
      if (signal?.aborted) throw error;
      return undefined; // refused, cut off or too slow: the next node is asked
    }
  };

  return {
    index: () => index,
    async send(given) {
      const ask = isRead(given.method) ? given : underKey(given, newKey);
      const until = now() + deadlineMs;
      for (let round = 0; ; round += 1) {
        let last: Response | undefined;
        const before = answers;
        let waitMs = Math.min(250 * 2 ** round, 2_000);
        for (const origin of ring.inOrder()) {
          const answer = await attempt(origin, ask);
          if (answer && !again.has(answer.status) && answer.status !== 421) return answer;
          ring.leave(origin);
          last = answer ?? last;
        }
        if (answers === before) onHeard(undefined);
        if (last && !(await isWaiting(last))) return last;
        waitMs = Math.max(waitMs, retryAfterMs(last));
        if (now() + waitMs > until) {
          if (last) return last;
          throw unreachable();
        }
        await pause(waitMs, ask.signal);
      }
    },
  };
}

function underKey(ask: Ask, newKey: () => string): Ask {
  if (ask.headers.has('Idempotency-Key')) return ask;
  const headers = new Headers(ask.headers);
  headers.set('Idempotency-Key', newKey());
  return { ...ask, headers };
}

function indexOf(answer: Response): number {
  const index = Number(answer.headers.get('X-Revenge-Index') ?? 0);
  return Number.isSafeInteger(index) ? index : 0;
}

function retryAfterMs(answer: Response | undefined): number {
  const seconds = Number(answer?.headers.get('Retry-After') ?? 0);
  return Number.isFinite(seconds) ? Math.min(seconds, 5) * 1_000 : 0;
}

/** Not that of a proxy which found no node: nodes say it in JSON. */
const isOfNode = (answer: Response): boolean => !again.has(answer.status) || isJson(answer);

/** What no node answers with: somebody between shows a page instead, and calls it a success. */
const isPage = (answer: Response): boolean =>
  answer.ok && /^text\/html\b/i.test(answer.headers.get('Content-Type') ?? '');

async function isWaiting(answer: Response): Promise<boolean> {
  const text = await answer.clone().text();
  try {
    return waiting.has(String((JSON.parse(text) as { type?: unknown }).type));
  } catch {
    return false; // a proxy's page: nobody promised anything
  }
}
