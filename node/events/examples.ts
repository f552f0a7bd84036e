import type { EventLog } from './ring.ts';

/** Made up events, and a log that tells them, for tests of what listens to one. */
export interface ExampleLog extends EventLog {
  /** An entry at this index, with so many events; those between have none. */
  tell(index: number, count: number): void;
  say(index: number, events: readonly string[]): void;
  apply(index: number): void;
  restore(index: number): void;
  isShared(): boolean;
}

export const exampleEvents = (count: number): string[] =>
  Array.from({ length: count }, (_, nth) =>
    JSON.stringify({
      ...{ at: 0, name: 'item.added', audience: 'all' },
      payload: { kind: 'movie', itemId: `${nth}`, libraryId: 'l' },
    }),
  );

export function exampleLog(): ExampleLog {
  const listeners = {
    events: [] as ((index: number, events: readonly string[]) => void)[],
    applied: [] as ((index: number) => void)[],
    restored: [] as ((index: number) => void)[],
  };
  let last = 0;
  const apply = (index: number) => {
    last = index;
    for (const listener of listeners.applied) listener(index);
  };
  const say = (index: number, events: readonly string[]) => {
    last = index;
    if (events.length > 0) for (const listener of listeners.events) listener(index, events);
    apply(index);
  };
  return {
    index: () => last,
    isShared: () => true,
    onEvents: (listener) => void listeners.events.push(listener),
    onApplied: (listener) => void listeners.applied.push(listener),
    onRestored: (listener) => void listeners.restored.push(listener),
    tell: (index, count) => say(index, exampleEvents(count)),
    ...{ say, apply },
    restore(index) {
      last = index;
      for (const listener of listeners.restored) listener(index);
    },
  };
}
