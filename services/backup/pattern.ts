import { scheduleOf } from '../jobs/cron.ts';
import { defineJob } from '../jobs/job.ts';

/** True for five fields of crontab(5). */
export function isPattern(cron: string): boolean {
  try {
    const options = { queue: 'library', attempts: 1, timeoutMs: 1, cron } as const;
    return scheduleOf(defineJob('a pattern', options)) !== undefined;
  } catch {
    return false; // that is the answer
  }
}

/** True for an X25519 public key of age, as `age1…`; its checksum is looked at when it is used. */
export const isRecipient = (text: string): boolean => /^age1[02-9ac-hj-np-z]{58}$/.test(text);
