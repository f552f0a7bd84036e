/** What a report of progress means. Pure. */

/** Beyond this share of a work it counts as watched. */
export const watchedShare = 0.9;

/** What a client tells: how far, of how much, and when that was. */
export interface ProgressReport {
  readonly positionMs: number;
  readonly durationMs: number | undefined;
  /** Milliseconds; a time in the future counts as now. */
  readonly atMs: number;
}

/** A report as it is kept. */
export interface Progress {
  /** Where to go on; 0 when there is nothing to go on with. */
  readonly positionMs: number;
  readonly isWatched: boolean;
  readonly atMs: number;
}

/**
 * Watched from 90 %; the first moments are no progress: 2 % of the work, and beyond that its first
 * minute unless that is more than a tenth.
 */
export function readProgress(report: ProgressReport, nowMs: number): Progress {
  const { durationMs } = report;
  const atMs = Math.min(report.atMs, nowMs);
  if (durationMs === undefined || durationMs <= 0) {
    return {
      positionMs: report.positionMs >= 60_000 ? report.positionMs : 0,
      isWatched: false,
      atMs,
    };
  }
  const positionMs = Math.min(report.positionMs, durationMs);
  const isWatched = positionMs >= durationMs * watchedShare;
  const start = Math.max(durationMs * 0.02, Math.min(60_000, durationMs * 0.1));
  return { positionMs: isWatched || positionMs < start ? 0 : positionMs, isWatched, atMs };
}
