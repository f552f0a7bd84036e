/** One server-sent event (WHATWG HTML §9.2). */
export interface SentEvent {
  readonly id: string;
  readonly name: string;
  readonly data: string;
}

/** Reads events out of text that comes in pieces of any size. */
export function createEventReader(onEvent: (event: SentEvent) => void): {
  readonly push: (text: string) => void;
  /** The id to resume after; empty before the first. */
  lastId(): string;
} {
  let rest = '';
  let lastId = '';
  let name = '';
  let data: string[] = [];

  const dispatch = () => {
    if (data.length > 0) onEvent({ id: lastId, name: name || 'message', data: data.join('\n') });
    name = '';
    data = [];
  };
  const field = (line: string) => {
    const at = line.indexOf(':');
    const key = at < 0 ? line : line.slice(0, at);
    const value = at < 0 ? '' : line.slice(at + 1).replace(/^ /, '');
    if (key === 'id' && !value.includes('\0')) lastId = value;
    else if (key === 'event') name = value;
    else if (key === 'data') data.push(value);
  };
  return {
    lastId: () => lastId,
    push(text) {
      const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line === '') dispatch();
        else if (!line.startsWith(':')) field(line);
      }
    },
  };
}
