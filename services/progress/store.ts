import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import type { Limited } from '../visible.ts';
import type { Progress } from './rules.ts';

/** One work, and whose state of it. */
export interface StateKey {
  readonly userId: string;
  readonly kind: string;
  readonly itemId: string;
}

/** The same, with the libraries whose works are there for that person. */
export type ViewedKey = StateKey & Limited;

/** Works of one kind, and whose state of them. */
export interface WorkKeys {
  readonly userId: string;
  readonly kind: string;
  readonly itemIds: readonly string[];
}

/** What one person has done with one work. */
export interface UserState {
  readonly positionMs: number;
  readonly durationMs: number | null;
  readonly fileId: string | null;
  readonly watchedAt: Date | null;
  readonly playCount: number;
  readonly lastPlayedAt: Date | null;
  readonly favouriteAt: Date | null;
  readonly watchlistAt: Date | null;
}

/** The state of one who has done nothing. */
export const noState: UserState = {
  positionMs: 0,
  durationMs: null,
  fileId: null,
  watchedAt: null,
  playCount: 0,
  lastPlayedAt: null,
  favouriteAt: null,
  watchlistAt: null,
};

/** A report ready to be kept. */
export interface KeptProgress extends Progress {
  readonly durationMs: number | undefined;
  readonly fileId: string | undefined;
}

/**
 * Notes a report. Position and "watched" are each decided by the latest event (of two at one time,
 * by the further one), so reports may arrive in any order, at any node, and twice. A play counts
 * when a newer report reaches the end and the one before it had not.
 */
export async function saveProgress(tx: Tx, key: StateKey, kept: KeptProgress): Promise<void> {
  const at = new Date(kept.atMs);
  const newer = tx`(
    (excluded.progress_event_at, excluded.watched_at is not null, excluded.position_ms,
      coalesce(excluded.duration_ms, 0), coalesce(excluded.file_id::text, ''))
    > (t.progress_event_at, coalesce(t.watched_event_at = t.progress_event_at
      and t.watched_at is not null, false), t.position_ms,
      coalesce(t.duration_ms, 0), coalesce(t.file_id::text, '')))`;
  const watched = tx`(excluded.watched_at is not null
    and excluded.watched_event_at >= t.watched_event_at)`;
  await tx`
    insert into user_items as t (
      user_id, kind, item_id, position_ms, duration_ms, file_id, watched_at, play_count,
      last_played_at, progress_event_at, watched_event_at
    ) values (
      ${key.userId}, ${key.kind}, ${key.itemId}, ${Math.round(kept.positionMs)},
      ${kept.durationMs === undefined ? null : Math.round(kept.durationMs)}, ${kept.fileId ?? null},
      ${kept.isWatched ? at : null}, ${kept.isWatched ? 1 : 0}, ${at}, ${at},
      ${kept.isWatched ? at : tx`'-infinity'::timestamptz`}
    )
    on conflict (user_id, kind, item_id) do update set
      position_ms = case when ${newer} then excluded.position_ms else t.position_ms end,
      duration_ms = case when ${newer} then excluded.duration_ms else t.duration_ms end,
      file_id = case when ${newer} then excluded.file_id else t.file_id end,
      play_count = case
        when excluded.watched_at is null then t.play_count
        when ${newer} and not coalesce(
          t.watched_event_at = t.progress_event_at and t.watched_at is not null, false
        ) then t.play_count + 1
        else greatest(t.play_count, 1)
      end,
      watched_at = case when ${watched} then excluded.watched_at else t.watched_at end,
      watched_event_at =
        case when ${watched} then excluded.watched_event_at else t.watched_event_at end,
      progress_event_at = greatest(t.progress_event_at, excluded.progress_event_at),
      last_played_at = greatest(t.last_played_at, excluded.last_played_at),
      updated_at = now()`;
}

/** Marks a work watched or not, by hand; what was begun is no longer to be continued. */
export const saveWatched = (
  tx: Tx,
  { userId, kind, itemId }: StateKey,
  mark: WatchedMark,
): Promise<void> => saveAllWatched(tx, { userId, kind, itemIds: [itemId] }, mark);

/** A mark by hand, and when it was made, in milliseconds. */
export interface WatchedMark {
  readonly isWatched: boolean;
  readonly atMs: number;
}

/** Marks works of one kind watched or not, by hand. */
export async function saveAllWatched(
  tx: Tx,
  { userId, kind, itemIds }: WorkKeys,
  mark: WatchedMark,
): Promise<void> {
  const at = new Date(mark.atMs);
  await tx`
    insert into user_items as t (
      user_id, kind, item_id, watched_at, play_count, progress_event_at, watched_event_at
    )
    select ${userId}, ${kind}, item_id, ${mark.isWatched ? at : null}::timestamptz,
      ${mark.isWatched ? 1 : 0}::int, ${at}::timestamptz, ${at}::timestamptz
    from unnest(${itemIds as string[]}::uuid[]) item_id order by item_id
    on conflict (user_id, kind, item_id) do update set
      watched_at = case
        when excluded.watched_event_at < t.watched_event_at then t.watched_at
        when ${mark.isWatched} then coalesce(t.watched_at, excluded.watched_at)
        when excluded.watched_event_at > t.watched_event_at then null
        else t.watched_at
      end,
      play_count = greatest(t.play_count, excluded.play_count),
      watched_event_at = greatest(t.watched_event_at, excluded.watched_event_at),
      position_ms =
        case when excluded.progress_event_at >= t.progress_event_at then 0 else t.position_ms end,
      progress_event_at = greatest(t.progress_event_at, excluded.progress_event_at),
      updated_at = now()`;
}

/** The lists a person keeps by hand. */
export type Shelf = 'favourite' | 'watchlist';

/** Puts a work on a shelf (null: takes it off); when it came there first stays. */
export async function saveShelf(
  tx: Tx,
  key: StateKey,
  mark: { readonly shelf: Shelf; readonly atMs: number | null },
): Promise<void> {
  const column = tx(`${mark.shelf}_at`);
  const at = mark.atMs === null ? null : new Date(mark.atMs);
  await tx`
    insert into user_items as t (user_id, kind, item_id, ${column})
    values (${key.userId}, ${key.kind}, ${key.itemId}, ${at})
    on conflict (user_id, kind, item_id) do update set
      ${column} =
        case when ${at === null} then null else coalesce(t.${column}, excluded.${column}) end,
      updated_at = now()`;
}

const stateColumns = (sql: Queryable) => sql`
  t.position_ms as "positionMs", t.duration_ms as "durationMs", t.file_id as "fileId",
  t.watched_at as "watchedAt", t.play_count as "playCount", t.last_played_at as "lastPlayedAt",
  t.favourite_at as "favouriteAt", t.watchlist_at as "watchlistAt"`;

/** A person's states of works of one kind, by item; works without any are absent. */
export async function statesOf(
  sql: Queryable,
  userId: string,
  items: { readonly kind: string; readonly itemIds: readonly string[] },
): Promise<Map<string, UserState>> {
  const rows = await sql<(UserState & { itemId: string })[]>`
    select t.item_id as "itemId", ${stateColumns(sql)} from user_items t
    where t.user_id = ${userId} and t.kind = ${items.kind}
      and t.item_id = any (${items.itemIds as string[]}::uuid[])`;
  return new Map(rows.map(({ itemId, ...state }) => [itemId, state]));
}

/** The lists of a person: what is begun, and the two shelves. */
export type StateList = 'continue' | Shelf;

/** A place in such a list. */
export interface ListPlace {
  readonly atMs: number;
  readonly kind: string;
  readonly itemId: string;
}

/** One entry of a list. */
export type ListEntry = UserState & {
  readonly kind: string;
  readonly itemId: string;
  readonly at: Date;
};

/** One page of a list, latest first. */
export function listStates(
  sql: Queryable,
  userId: string,
  page: {
    readonly list: StateList;
    readonly after?: ListPlace | undefined;
    /** A condition on the state `t`: its work is there for the person; undefined: all are. */
    readonly isSeen?: ReturnType<Queryable> | undefined;
    readonly limit: number;
  },
): Promise<ListEntry[]> {
  const { after, isSeen } = page;
  const at = sql(page.list === 'continue' ? 'last_played_at' : `${page.list}_at`);
  const filter = page.list === 'continue' ? sql`t.position_ms > 0` : sql`t.${at} is not null`;
  return sql<ListEntry[]>`
    select t.kind, t.item_id as "itemId", t.${at} as at, ${stateColumns(sql)}
    from user_items t
    where t.user_id = ${userId} and ${filter} ${isSeen === undefined ? sql`` : sql`and ${isSeen}`} ${
      after === undefined
        ? sql``
        : sql`and (t.${at}, t.kind, t.item_id)
            < (${new Date(after.atMs)}, ${after.kind}, ${after.itemId}::uuid)`
    }
    order by t.${at} desc, t.kind desc, t.item_id desc
    limit ${page.limit}`;
}

/** Forgets what everybody did with works that are gone for good. */
export async function deleteStates(
  tx: Tx,
  kind: string,
  itemIds: readonly string[],
): Promise<void> {
  await tx`
    delete from user_items where kind = ${kind} and item_id = any (${itemIds as string[]}::uuid[])`;
}

/**
 * Makes two works one: everybody's state of `from` joins that of `to`, as if all events had been
 * of `to`.
 */
export async function mergeStates(
  tx: Tx,
  kind: string,
  moves: readonly { readonly from: string; readonly to: string }[],
): Promise<void> {
  if (moves.length === 0) return;
  await tx`
    insert into user_items as t (
      user_id, kind, item_id, position_ms, duration_ms, file_id, watched_at, play_count,
      last_played_at, favourite_at, watchlist_at, progress_event_at, watched_event_at
    )
    select distinct on (o.user_id, m."to") o.user_id, o.kind, m."to", o.position_ms, o.duration_ms,
      o.file_id, o.watched_at, o.play_count, o.last_played_at, o.favourite_at, o.watchlist_at,
      o.progress_event_at, o.watched_event_at
    from jsonb_to_recordset(${tx.json(moves)}) as m ("from" uuid, "to" uuid)
    join user_items o on o.kind = ${kind} and o.item_id = m."from"
    order by o.user_id, m."to", o.progress_event_at desc, o.item_id
    on conflict (user_id, kind, item_id) do update set
      position_ms = case when excluded.progress_event_at > t.progress_event_at
        then excluded.position_ms else t.position_ms end,
      duration_ms = case when excluded.progress_event_at > t.progress_event_at
        then excluded.duration_ms else t.duration_ms end,
      file_id = case when excluded.progress_event_at > t.progress_event_at
        then excluded.file_id else t.file_id end,
      watched_at = case when excluded.watched_event_at > t.watched_event_at
        then excluded.watched_at else t.watched_at end,
      play_count = t.play_count + excluded.play_count,
      last_played_at = greatest(t.last_played_at, excluded.last_played_at),
      favourite_at = least(t.favourite_at, excluded.favourite_at),
      watchlist_at = least(t.watchlist_at, excluded.watchlist_at),
      progress_event_at = greatest(t.progress_event_at, excluded.progress_event_at),
      watched_event_at = greatest(t.watched_event_at, excluded.watched_event_at),
      updated_at = now()`;
  await deleteStates(
    tx,
    kind,
    moves.map(({ from }) => from),
  );
}
