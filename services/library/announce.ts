import type { Identified } from '../content/module.ts';
import type { ScanRun } from './run.ts';

/** Works told one by one per step; of a large step clients hear by the scan's progress. */
const eventsMax = 20;

/** Tells which works came or changed, after the commit that made it so. */
export function announce(run: ScanRun, { added, updated }: Identified): void {
  const { events } = run.deps;
  const { kind } = run.module;
  const libraryId = run.library.id;
  for (const itemId of added.slice(0, eventsMax)) {
    events.publish('item.added', { kind, itemId, libraryId });
  }
  for (const itemId of updated.slice(0, eventsMax)) {
    events.publish('item.updated', { kind, itemId, libraryId });
  }
  if (added.length > eventsMax || updated.length > eventsMax) {
    events.publish('library.changed', { libraryId, change: 'updated' });
  }
}
