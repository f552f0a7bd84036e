import type { Scan } from './types';

/** Whether a library is being read, or soon will be. */
export const isScanning = (scan: Scan | null | undefined): boolean =>
  scan?.state === 'queued' || scan?.state === 'running';
