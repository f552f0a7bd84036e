import type { components } from '#api/types.ts';
import type { Queryable } from '#storage/postgres/connect.ts';
import { decodeCursor, encodeCursor, isUuid, pageOf } from '../cursor.ts';
import { problem } from '../errors.ts';
import { isLimited, type Limited, type Viewer } from '../visible.ts';
import type { ItemSummary, ProgressKind } from './kinds.ts';
import { presentState } from './present.ts';
import { listStates, type ListEntry, type ListPlace, type StateList } from './store.ts';

type Fragment = ReturnType<Queryable>;
type UserItem = components['schemas']['UserItem'];

interface ListDeps {
  readonly sql: Queryable;
  readonly kinds: readonly ProgressKind[];
}

/** A condition: the state `t` is of a work that is there for the viewer; undefined: all are. */
export function seenBy({ sql, kinds }: ListDeps, viewer: Limited): Fragment | undefined {
  if (!isLimited(viewer)) return undefined;
  const each = kinds.map(
    (one) => sql`(t.kind = ${one.kind} and ${one.seen(sql, viewer, sql`t.item_id`)})`,
  );
  return sql`(${each.reduce<Fragment>((all, one) => sql`${all} or ${one}`, sql`false`)})`;
}

/** One page of a person's list. Works that are gone are passed over, so a page may be short. */
export async function listPage(
  { sql, kinds }: ListDeps,
  list: StateList,
  page: { readonly viewer: Viewer; readonly limit: number; readonly cursor: string | undefined },
): Promise<{ body: components['schemas']['UserItemPage'] }> {
  const after = page.cursor === undefined ? undefined : placeOf(list, page.cursor);
  const { viewer } = page;
  const isSeen = seenBy({ sql, kinds }, viewer);
  const wanted = { list, after, isSeen, limit: page.limit + 1 };
  const found = await listStates(sql, viewer.userId, wanted);
  const { page: entries, last } = pageOf(found, page.limit);
  const summaries = await summariesOf({ sql, kinds }, entries, viewer);
  const items = entries.flatMap((entry): UserItem[] => {
    const summary = summaries.get(entryKey(entry));
    if (summary === undefined) return [];
    const { kind, ...item } = summary;
    const { id, title, year, durationMs, isAvailable, images, episode } = item;
    const userState = presentState(entry);
    const at = entry.at.toISOString();
    const shown = { kind, id, title, year, durationMs, isAvailable, images, userState, at };
    return [episode === undefined ? shown : { ...shown, episode }];
  });
  const nextCursor =
    last === undefined ? null : encodeCursor(list, [last.at.getTime(), last.kind, last.itemId]);
  return { body: { items, nextCursor } };
}

/** The years 1 to 9999, which Date and PostgreSQL write alike. */
const earliestMs = Date.parse('0001-01-01T00:00:00Z');
const latestMs = Date.parse('9999-12-31T23:59:59Z');

function placeOf(list: StateList, cursor: string): ListPlace {
  const [atMs, kind, itemId] = decodeCursor(list, cursor);
  const isTime = Number.isSafeInteger(atMs) && Number(atMs) > earliestMs && Number(atMs) < latestMs;
  if (!isTime || typeof kind !== 'string' || !isUuid(itemId)) {
    throw problem('invalid-cursor', 'The cursor does not belong to this list');
  }
  return { atMs: Number(atMs), kind, itemId };
}

const entryKey = (entry: { kind: string; itemId: string }): string =>
  `${entry.kind} ${entry.itemId}`;

/**
 * What kinds tell of their works among the entries, by kind and id; unknown kinds tell nothing, nor
 * does anything that is not there for the viewer.
 */
export async function summariesOf(
  { sql, kinds }: ListDeps,
  entries: readonly Pick<ListEntry, 'kind' | 'itemId'>[],
  viewer: Limited,
): Promise<Map<string, ItemSummary & { readonly kind: ProgressKind['kind'] }>> {
  const lists = await Promise.all(
    kinds.map(async (one) => {
      const ids = entries.filter(({ kind }) => kind === one.kind).map(({ itemId }) => itemId);
      const summaries = ids.length === 0 ? [] : await one.summaries(sql, ids, viewer);
      return summaries.map((summary) => ({ ...summary, kind: one.kind }));
    }),
  );
  return new Map(lists.flat().map((one) => [`${one.kind} ${one.id}`, one]));
}
