import type { QueueName } from './job.ts';

/** Whether somebody is watching on this system: user traffic comes first. */
export type Load = 'idle' | 'watching';

/** Jobs of one queue that a node runs at the same time. */
export type Limits = Readonly<Record<QueueName, number>>;

/** What an administrator may set over a queue's defaults. */
export interface QueueSetting {
  /** Jobs at the same time while idle; undefined: the default. */
  readonly limit: number | undefined;
  readonly paused: boolean;
}

/**
 * Workers per node, idle and while someone watches. They bound waiting (PostgreSQL, providers,
 * files); what burns a core is bounded again where it burns, by the media processes.
 */
const limits = {
  playback: { idle: 50, watching: 50 },
  transcode: { idle: 4, watching: 4 },
  metadata: { idle: 20, watching: 10 },
  notification: { idle: 10, watching: 5 },
  library: { idle: 10, watching: 2 },
  scrobble: { idle: 5, watching: 2 },
  maintenance: { idle: 5, watching: 0 },
} as const satisfies Record<QueueName, Record<Load, number>>;

/** Every queue, those of users first. */
export const queueNames = Object.keys(limits) as readonly QueueName[];

/** True for the name of a queue. */
export const isQueueName = (name: string): name is QueueName => Object.hasOwn(limits, name);

/** The default limit of every queue under the load given. */
export const limitsFor = (load: Load): Limits =>
  Object.fromEntries(queueNames.map((queue) => [queue, limits[queue][load]])) as Limits;

/** The most a queue may be set to; a bound on memory, not a recommendation. */
export const limitMax = 200;

/**
 * The limit in force. One set by an administrator counts while idle; while someone watches it
 * shrinks by the same share as the default does (metadata set to 40 becomes 20).
 */
export function effectiveLimit(queue: QueueName, load: Load, setting?: QueueSetting): number {
  if (setting?.paused === true) return 0;
  const { idle, watching } = limits[queue];
  if (setting?.limit === undefined) return limits[queue][load];
  return load === 'idle' ? setting.limit : Math.ceil((setting.limit * watching) / idle);
}
