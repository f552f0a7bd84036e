/** Live changes, by name and payload. Clients see the same names on the event stream. */
export interface Events {
  'scan.progress': {
    scanId: string;
    libraryId: string;
    phase: string;
    done: number;
    total: number;
  };
  'scan.finished': {
    scanId: string;
    libraryId: string;
    state: 'completed' | 'failed' | 'cancelled';
  };
  'item.added': { kind: string; itemId: string; libraryId: string };
  'item.updated': { kind: string; itemId: string; libraryId: string };
  'item.unavailable': { kind: string; itemId: string; libraryId: string };
  'library.changed': { libraryId: string; change: 'created' | 'updated' | 'deleted' };
  'job.changed': { jobId: string; queue: string; name: string; state: string; progress?: number };
  'progress.changed': { userId: string; kind: string; itemId: string };
  'session.revoked': { userId: string; sessionId: string };
}

export type EventName = keyof Events;

/** Who may see an event: everyone signed in, one user's sessions, or holders of a permission. */
export type Audience = 'all' | { userId: string } | { permission: `${string}:${string}` };

/** One live change with its place in the sequence (strictly rising, also across restarts). */
export interface Event<Name extends EventName = EventName> {
  readonly id: number;
  readonly at: number;
  readonly name: Name;
  readonly audience: Audience;
  readonly payload: Events[Name];
}

/** The side that tells. Publishing never fails and never waits. */
export interface EventPublisher {
  publish<Name extends EventName>(name: Name, payload: Events[Name], audience?: Audience): void;
}

/** The side that listens. */
export interface EventSource {
  /**
   * Calls `listener` for every event after `sinceId` (those still remembered at once, in order) and
   * for all that follow. `complete` is false when events between `sinceId` and the oldest one
   * remembered are gone, so that the listener must read its state anew.
   */
  subscribe(
    listener: (event: Event) => void,
    sinceId?: number,
  ): { complete: boolean; unsubscribe: () => void };
}
