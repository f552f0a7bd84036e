/** Which state of a work an answer shows, as HTTP names it. */
import { createHash } from 'node:crypto';
import { problem } from '../errors.ts';

/** A short text that differs where values do. */
export const digestOf = (value: unknown): string =>
  createHash('sha1').update(JSON.stringify(value)).digest('base64url').slice(0, 12);

/** The ETag of a work at a revision; `digests`: of all that is shown beside. */
export const etagOf = (revision: number, ...digests: readonly string[]): string =>
  `"${[revision, ...digests].join('.')}"`;

/** The revision an ETag of ours names; `*` and an absent header match any. */
export function revisionOf(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  const revision = /^(?:W\/)?"(\d{1,10})[."]/.exec(ifMatch.trim())?.[1];
  if (revision === undefined) throw problem('precondition-failed', 'The ETag is not one of ours');
  return Number(revision);
}
