import type { Sql, Tx } from '#storage/postgres/connect.ts';
import type { Log } from '../log.ts';

/** The queues of the system; their worker limits live in `queues.ts`. */
export type QueueName =
  'playback' | 'metadata' | 'library' | 'maintenance' | 'transcode' | 'scrobble' | 'notification';

/** How long a job rests after a failed try. */
export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

export interface JobOptions {
  readonly queue: QueueName;
  /** Tries in all, the first included. */
  readonly attempts: number;
  /** Milliseconds a try may take before it is cancelled and counted as failed. */
  readonly timeoutMs: number;
  readonly priority?: 'high' | 'normal' | 'low';
  /** Pauses between tries: doubled from `firstMs` up to `maxMs`; 10 s and 1 h unless stated. */
  readonly backoff?: Backoff;
  /** Five-field cron expression (UTC): the leader enqueues one job per due minute. */
  readonly cron?: string;
}

/** A typed handle on one kind of job: who enqueues it and who does it share the payload's type. */
export interface JobDefinition<Payload extends object> {
  readonly name: string;
  readonly options: JobOptions;
  /** Never set; carries the payload's type. */
  readonly payload?: Payload;
}

/** Names a kind of job. Payloads hold ids only; handlers are idempotent (delivery is at least once). */
export const defineJob = <Payload extends object>(
  name: string,
  options: JobOptions,
): JobDefinition<Payload> => ({ name, options });

export interface AddOptions {
  /** While a job with this key waits or runs, adding another is a no-op. */
  key?: string;
  /** Milliseconds from now before which it must not start. */
  delayMs?: number;
  priority?: 'high' | 'normal' | 'low';
}

/** What a handler gets beside its payload. */
export interface JobContext {
  readonly jobId: string;
  /** 1 for the first try. */
  readonly attempt: number;
  /** Aborted on time-out, cancel, and shutdown. */
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Records how far the job is; throttled, so it may be called for every item. */
  progress(done: number, total: number, note?: string): void;
}

/** Thrown by a handler when another try cannot help: the job is dead at once. */
export class GiveUpError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'GiveUpError';
  }
}

/** A job definition bound to what does it. */
export interface JobHandler {
  readonly definition: JobDefinition<object>;
  readonly run: (payload: object, context: JobContext) => Promise<void>;
}

/** Binds a definition to its handler, with the payload's type checked here and erased after. */
export const on = <Payload extends object>(
  definition: JobDefinition<Payload>,
  run: (payload: Payload, context: JobContext) => Promise<void>,
): JobHandler => ({ definition, run: (payload, context) => run(payload as Payload, context) });

/** The side that asks for work. `add` takes the caller's transaction: the job exists iff it commits. */
export interface JobAdder {
  /** Resolves to the new job's id, or undefined when `key` is taken. */
  add<Payload extends object>(
    tx: Sql | Tx,
    definition: JobDefinition<Payload>,
    payload: Payload,
    options?: AddOptions,
  ): Promise<string | undefined>;
  /** Many jobs of one kind in one round trip; resolves to how many were new. */
  addMany<Payload extends object>(
    tx: Sql | Tx,
    definition: JobDefinition<Payload>,
    jobs: readonly { payload: Payload; options?: AddOptions }[],
  ): Promise<number>;
}
