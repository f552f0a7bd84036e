import { setTimeout as pause } from 'node:timers/promises';

/** An event as a client got it. */
export interface Heard {
  readonly id: string;
  readonly name: string;
  /** Of the cluster; undefined for what is none of its events, such as a reset. */
  readonly index: number | undefined;
  readonly payload: Readonly<Record<string, unknown>>;
  /** The address that told it. */
  readonly from: string;
}

/** A client that follows the events of whichever node it reaches, and never gives up. */
export interface Follower extends AsyncDisposable {
  readonly heard: readonly Heard[];
  /** The node it listens to at the moment; undefined while it looks for one. */
  at(): string | undefined;
}

export interface FollowWish {
  /** Tried in turn, the first first. */
  readonly urls: readonly string[];
  readonly token: string;
  /** Events wanted, as the API takes them. */
  readonly events: string;
  readonly onHeard?: (heard: Heard) => void;
}

const againMs = 100;

/** Follows, and after each break goes on at the next address with the last id. */
export function follow({ urls, token, events, onHeard }: FollowWish): Follower {
  const heard: Heard[] = [];
  const ending = new AbortController();
  let lastId: string | undefined;
  let here: string | undefined;
  const take = (block: string, from: string) => {
    const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)?.[1];
    const id = field('id');
    if (id !== undefined) lastId = id;
    const name = field('event');
    if (name === undefined) return;
    const { index, payload = {} } = JSON.parse(field('data') ?? '{}') as Partial<Heard>;
    const one = { id: lastId ?? '', name, index, payload, from };
    heard.push(one);
    onHeard?.(one);
  };
  const listen = async (url: string) => {
    const headers = new Headers({ authorization: `Bearer ${token}` });
    if (lastId !== undefined) headers.set('last-event-id', lastId);
    const { signal } = ending;
    const response = await fetch(`${url}/api/v1/events?events=${events}`, { headers, signal });
    if (!response.ok || !response.body) throw new Error(`${url}: ${response.status}`);
    here = url;
    let rest = '';
    for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
      const blocks = (rest + piece).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) take(block, url);
    }
  };
  const run = async () => {
    for (let tried = 0; !ending.signal.aborted; tried += 1) {
      try {
        await listen(urls[tried % urls.length]!);
      } catch {
        // It was killed, or is not there yet: the next one is asked.
      }
      here = undefined;
      if (!ending.signal.aborted) await pause(againMs);
    }
  };
  const running = run();
  return {
    heard,
    at: () => here,
    async [Symbol.asyncDispose]() {
      ending.abort();
      await running;
    },
  };
}
