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
  /** To this user: their account is another, and perhaps what they may see. */
  'user.changed': { userId: string };
}

export type EventName = keyof Events;

/** Who may see an event: everyone signed in, one user's sessions, or holders of a permission. */
export type Audience = 'all' | { userId: string } | { permission: `${string}:${string}` };

/** What happened, before it has a place among what else did. */
export interface Happening<Name extends EventName = EventName> {
  /** Milliseconds since 1970, by the clock of the node on which it came about. */
  readonly at: number;
  readonly name: Name;
  readonly audience: Audience;
  readonly payload: Events[Name];
}

/** One live change with its place in the sequence, which all nodes tell alike. */
export interface Event<Name extends EventName = EventName> extends Happening<Name> {
  readonly id: string;
  /** Of the cluster: who reads at this one or a later one sees what the event tells of. */
  readonly index: number;
}

/** Tells of something; never fails and never waits. */
export type Tell = <Name extends EventName>(
  name: Name,
  payload: Events[Name],
  audience?: Audience,
) => void;

/**
 * Tells of what no transaction brings about: progress of scans and jobs. It may be lost, or only
 * the latest of it be told. What a change brings about is told by the change itself; see `Write`.
 */
export interface EventPublisher {
  readonly publish: Tell;
}

/** One who listens. */
export interface EventListener {
  tell(event: Event): void;
  /** Events between those that were told and those that follow are gone: read everything anew. */
  lost(): void;
}

export interface Subscription {
  /** What came after `since`, the oldest first; undefined: some of it is not remembered here. */
  readonly missed: readonly Event[] | undefined;
  /** Where the listener is now: who goes on from here, at any node, has missed nothing. */
  readonly position: () => string;
  readonly unsubscribe: () => void;
}

/** The side that listens. */
export interface EventSource {
  /**
   * Calls `listener` for every event after `since`, an event's id or a position of this or another
   * node, but for those that are given at once. Without `since`, and where it is not remembered,
   * from now on. A node that is behind `since` begins when it has come that far.
   */
  subscribe(listener: EventListener, since?: string): Subscription;
}
