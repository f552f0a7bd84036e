import type { Tx } from '#storage/postgres/connect.ts';
import type { ContentModule } from '../content/module.ts';
import { filelessOf, refreshed } from './missing-store.ts';
import { tagsOf, type OnItemsChanged } from './run.ts';

/** What following up on changed files needs. */
export interface ItemChange {
  readonly module: ContentModule;
  readonly libraryId: string;
  readonly itemIds: readonly string[];
  readonly onItemsChanged: OnItemsChanged | undefined;
  readonly stale: (...tags: string[]) => void;
}

/**
 * Lets works take over what their files tell now, in the transaction that changed the files and
 * holds the lock of `lockItems`.
 */
export async function refreshItems(tx: Tx, change: ItemChange): Promise<void> {
  const { module, itemIds, libraryId } = change;
  if (itemIds.length === 0) return;
  await module.refresh(tx, itemIds);
  await refreshed(tx, itemIds);
  await change.onItemsChanged?.(tx, module.kind, itemIds);
  change.stale(...tagsOf(module, libraryId, itemIds));
}

/** After files were deleted from the catalogue: deletes works left without any, refreshes others. */
export async function releaseItems(tx: Tx, change: ItemChange): Promise<void> {
  const { module, itemIds } = change;
  if (itemIds.length === 0) return;
  const empty = new Set(module.remove === undefined ? [] : await filelessOf(tx, itemIds));
  const removed = [...empty];
  if (removed.length > 0) await module.remove?.(tx, { itemIds: removed });
  await refreshItems(tx, { ...change, itemIds: itemIds.filter((id) => !empty.has(id)) });
  if (removed.length > 0) {
    await change.onItemsChanged?.(tx, module.kind, removed);
    change.stale(...tagsOf(module, change.libraryId, removed));
  }
}
