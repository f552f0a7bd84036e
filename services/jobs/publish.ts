import type { EventPublisher } from '../events.ts';
import type { Progress } from './outcomes.ts';

/** Tells whoever may read jobs that one has changed; `progress` is a share between 0 and 1. */
export function publishJob(
  events: EventPublisher,
  job: { id: string; queue: string; name: string; state: string },
  progress?: Pick<Progress, 'done' | 'total'>,
): void {
  const { id: jobId, queue, name, state } = job;
  const share =
    progress && progress.total > 0 ? { progress: Math.min(1, progress.done / progress.total) } : {};
  const audience = { permission: 'jobs:read' } as const;
  events.publish('job.changed', { jobId, queue, name, state, ...share }, audience);
}
