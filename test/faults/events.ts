import type { FaultNode } from './node.ts';

/** A stream of live events that a test listens to. */
export interface Listening extends AsyncDisposable {
  /** Names of the events heard so far. */
  heard(): readonly string[];
  /** True until the server has ended the stream. */
  isOpen(): boolean;
}

/** Opens the node's event stream. */
export async function listen(node: FaultNode): Promise<Listening> {
  const stop = new AbortController();
  const { signal } = stop;
  const response = await node.fetch('/api/v1/events', { signal });
  if (!response.ok || response.body === null) throw new Error(`events: ${response.status}`);
  const names: string[] = [];
  let isOpen = true;
  const reading = (async () => {
    let rest = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.startsWith('event:')) names.push(line.slice(6).trim());
    }
  })()
    .catch(() => undefined) // our own end, or the server's: `isOpen` says that it is over
    .finally(() => (isOpen = false));
  return {
    heard: () => names,
    isOpen: () => isOpen,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await reading;
    },
  };
}
