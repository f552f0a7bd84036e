import type { Identified } from '../content/module.ts';
import type { Tell } from '../events.ts';
import type { ScanRun } from './run.ts';

/** Works told one by one per step; of a large step clients hear by the scan's progress. */
const eventsMax = 20;

/** Tells which works come or change. */
export function announce(
  { module: { kind }, library }: Pick<ScanRun, 'module' | 'library'>,
  tell: Tell,
  { added, updated }: Identified,
): void {
  const libraryId = library.id;
  for (const itemId of added.slice(0, eventsMax)) tell('item.added', { kind, itemId, libraryId });
  for (const itemId of updated.slice(0, eventsMax)) {
    tell('item.updated', { kind, itemId, libraryId });
  }
  if (added.length > eventsMax || updated.length > eventsMax) {
    tell('library.changed', { libraryId, change: 'updated' });
  }
}
