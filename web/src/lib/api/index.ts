import createClient, { type FetchResponse } from 'openapi-fetch';
import type { paths } from '$api/types';
import { ApiError } from './problem.ts';
import { createReach, isJson } from './reach.ts';
import { createRing } from './ring.ts';
import { nodeState } from './node.svelte.ts';
import { createSession, type Tabs } from './session.svelte.ts';
import { createTransport, type Ask } from './transport.ts';

export { ApiError } from './problem.ts';

/** Every module of the app speaks to the server through these. */
export const ring = createRing(location.origin, (origin) => nodeState.movedTo(origin));

const pause = (ms: number, signal?: AbortSignal) =>
  new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });

/** 128 random bits; `crypto.randomUUID` is not there on plain HTTP. */
const newKey = () =>
  [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');

const probeMs = 4_000;
/** Asks all nodes at once for what they answer without looking anything up. */
async function probe(): Promise<boolean> {
  const signal = AbortSignal.timeout(probeMs);
  const init = { credentials: 'omit', cache: 'no-store', signal } as const;
  const ask = async (origin: string) => {
    const answer = await fetch(`${origin}/health/live`, init);
    // Also a refusal: whoever refuses is there.
    if (!isJson(answer)) throw new Error(`at ${origin} there is no node`);
  };
  return Promise.any(ring.inOrder().map(ask)).then(
    () => true,
    () => false,
  );
}

export const reach = createReach({
  probe,
  pause,
  onChange: (isSilent) => nodeState.fellSilent(isSilent),
});

export const transport = createTransport({
  fetch: (input, init) => fetch(input, init),
  ring,
  now: () => performance.now(),
  pause,
  newKey,
  onHeard(origin) {
    if (origin === undefined) return reach.doubt();
    nodeState.answered(origin);
    reach.answered();
  },
});

function tabsOf(channel: BroadcastChannel): Tabs {
  return {
    tell: (userId) => channel.postMessage(userId),
    onTold(listener) {
      channel.onmessage = ({ data }: MessageEvent<string | undefined>) => listener(data);
    },
    onKept(place, listener) {
      addEventListener('storage', ({ key, newValue }) => {
        if (key === place && newValue !== null) listener();
      });
    },
  };
}

export const session = createSession({
  transport,
  storage: localStorage,
  locks: navigator.locks,
  elapsed: () => performance.now(),
  tabs: tabsOf(new BroadcastChannel('revenge.session')),
  onOther: () => location.replace('/'),
});

/** Sends with a token, and once more with a new one when the old one is refused. */
export async function sendSigned(ask: Ask): Promise<Response> {
  const token = await session.token();
  const signed = (bearer: string | undefined) => {
    const headers = new Headers(ask.headers);
    if (bearer !== undefined) headers.set('Authorization', `Bearer ${bearer}`);
    return transport.send({ ...ask, headers });
  };
  const answer = await signed(token);
  if (answer.status !== 401 || token === undefined) return answer;
  const renewed = await session.renew(token);
  return renewed === undefined ? answer : signed(renewed);
}

async function sendRequest(request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const body = request.method === 'GET' ? undefined : await request.text();
  const { method, headers, signal } = request;
  return sendSigned({ method, path: pathname + search, headers, body: body || undefined, signal });
}

/** The one typed client, generated from the API's description. */
export const api = createClient<paths>({ baseUrl: location.origin, fetch: sendRequest });

/** The body of an answer. @throws ApiError with what the server said otherwise */
export async function read<
  T extends Record<string | number, unknown>,
  O,
  M extends `${string}/${string}`,
>(answer: Promise<FetchResponse<T, O, M>>): Promise<NonNullable<FetchResponse<T, O, M>['data']>> {
  const { data, error, response } = await answer;
  if (!response.ok) throw new ApiError(response.status, error);
  return data as NonNullable<FetchResponse<T, O, M>['data']>;
}

/** An address the server gave (picture, film), on the node that answers now. */
export const onNode = (path: string): string =>
  nodeState.origin === location.origin ? path : nodeState.origin + path;
