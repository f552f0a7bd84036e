import type { QueueName } from './job.ts';
import { effectiveLimit, queueNames, type Load } from './queues.ts';
import type { QueueSettings } from './settings.ts';

/** Counts what runs per queue against limits that may change at any time. */
export interface Slots {
  setLoad(load: Load): void;
  setSettings(settings: QueueSettings): void;
  /** A limit for this node alone, over everything but a pause; undefined lifts it. */
  setLimit(queue: QueueName, limit: number | undefined): void;
  limit(queue: QueueName): number;
  running(queue: QueueName): number;
  take(queue: QueueName): void;
  free(queue: QueueName): void;
  /** The queues that may run more, and how many more. */
  open(): { queue: QueueName; count: number }[];
}

/** Makes the slots of one node, at their defaults, idle. */
export function createSlots(): Slots {
  const taken = new Map<QueueName, number>();
  const own = new Map<QueueName, number>();
  let load: Load = 'idle';
  let settings: QueueSettings = new Map();

  const running = (queue: QueueName) => taken.get(queue) ?? 0;
  const limit = (queue: QueueName) => {
    const setting = settings.get(queue);
    if (setting?.paused === true) return 0;
    return own.get(queue) ?? effectiveLimit(queue, load, setting);
  };
  return {
    setLoad: (next) => void (load = next),
    setSettings: (next) => void (settings = next),
    setLimit: (queue, next) => void (next === undefined ? own.delete(queue) : own.set(queue, next)),
    limit,
    running,
    take: (queue) => void taken.set(queue, running(queue) + 1),
    free: (queue) => void taken.set(queue, running(queue) - 1),
    open: () =>
      queueNames.flatMap((queue) => {
        const count = limit(queue) - running(queue);
        return count > 0 ? [{ queue, count }] : [];
      }),
  };
}
