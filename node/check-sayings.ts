import { plainly, speaker, type Notice } from '#cluster/notices.ts';

/** What checks say of what they ask, by codes that clients know; see api/health.yaml. */
export const checkSentences = {
  silent: 'does not answer',
  embedded: 'embedded',
  deadJobs: '{count} dead: look at them with "revenge jobs list"',
  alone: 'alone',
  leadsHere: 'this node leads',
  leads: '{name} leads',
  noLeader: 'no node leads: what changes data is refused',
  tooOld: 'this node is too old for its cluster, update it: {why}',
  clocks: 'the clocks differ by up to {mostMs}, set all of them by NTP: {parts}',
  engine: '{name}',
  engineFilling: '{name} is being filled',
  drained: 'drained by an operator, until `revenge cluster undrain`',
} as const;

export type CheckNotice = Notice<keyof typeof checkSentences | 'other'>;
export const check = speaker(checkSentences);

/** Why a dependency fails, where we can say. */
export class CheckError extends Error {
  readonly notice: CheckNotice;

  constructor(notice: CheckNotice) {
    super(notice.text);
    this.name = 'CheckError';
    this.notice = notice;
  }
}

/** Of whatever a check was rejected with: a line of it, if it is not ours. */
export const noticeOf = (error: Error): CheckNotice =>
  error instanceof CheckError
    ? error.notice
    : plainly(error.message.split('\n')[0]?.slice(0, 200) ?? '');
