/** What changed of works when, and by whose word; of all kinds alike. */
import { isDeepStrictEqual } from 'node:util';
import type { HandlersOf } from '#api/handler.ts';
import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import { callerOf } from '../principal.ts';
import type { SeesItem } from '../visible.ts';
import type { Kind } from './module.ts';

/** What has a history: works, and the parts that a person can edit. */
export type Subject = Kind | 'season' | 'episode';

/** One change of a work. */
export interface Change {
  readonly itemId: string;
  /** `scan`, `user`, or a provider. */
  readonly source: string;
  readonly userId?: string | undefined;
  readonly fields: Readonly<Record<string, readonly [before: unknown, after: unknown]>>;
}

/** Changes kept of a work: who wants to know what a field was before looks at the last ones. */
const keptMax = 50;
/** Characters kept of a text: enough to know it again. */
const textMax = 120;

/** What of these fields is another; undefined: nothing is. Pure. */
export function changesOf<Row extends object>(
  before: Row,
  after: Row,
  names: readonly (keyof Row & string)[],
): Change['fields'] | undefined {
  const changed = names.filter((name) => !isDeepStrictEqual(before[name], after[name]));
  if (changed.length === 0) return undefined;
  return Object.fromEntries(
    changed.map((name) => [name, [cut(before[name]), cut(after[name])] as const]),
  );
}

/** What a scan changes of works that were known before. Pure. */
export function scanChangesOf<Row extends { readonly id: string }>(
  rows: readonly Row[],
  known: readonly Row[],
  names: readonly (keyof Row & string)[],
): Change[] {
  const before = new Map(known.map((row) => [row.id, row]));
  return rows.flatMap((row) => {
    const was = before.get(row.id);
    const fields = was && changesOf(was, row, names);
    return fields === undefined ? [] : [{ itemId: row.id, source: 'scan', fields }];
  });
}

const cut = (value: unknown): unknown =>
  typeof value === 'string' && value.length > textMax ? `${value.slice(0, textMax)}…` : value;

/** Notes changes, in the transaction that makes them, and forgets the oldest beyond some. */
export async function noteChanges(
  tx: Tx,
  kind: Subject,
  changes: readonly Change[],
): Promise<void> {
  if (changes.length === 0) return;
  const rows = changes.map(({ userId = null, ...change }) => ({ ...change, userId }));
  await tx`
    insert into work_changes (kind, item_id, source, user_id, fields)
    select ${kind}, "itemId", source, "userId", fields
    from jsonb_to_recordset(${tx.json(rows as never)})
      as r ("itemId" uuid, source text, "userId" uuid, fields jsonb)`;
  const ids = [...new Set(changes.map(({ itemId }) => itemId))];
  await tx`
    delete from work_changes c
    using unnest(${ids}::uuid[]) as i (id), lateral (
      select o.id from work_changes o where o.kind = ${kind} and o.item_id = i.id
      order by o.id desc offset ${keptMax} limit 1
    ) as last
    where c.kind = ${kind} and c.item_id = i.id and c.id <= last.id`;
}

/** A change as it is kept. */
export interface KeptChange extends Omit<Change, 'itemId' | 'userId'> {
  readonly at: Date;
  readonly username: string | null;
}

/** What changed of a work, the latest first. */
export const historyOf = async (
  sql: Queryable,
  kind: Subject,
  itemId: string,
): Promise<KeptChange[]> => [
  ...(await sql<KeptChange[]>`
    select c.at, c.source, c.fields, u.username
    from work_changes c left join shared.users u on u.id = c.user_id
    where c.kind = ${kind} and c.item_id = ${itemId} order by c.id desc`),
];

/** The changes of a work that turned out to be another are that one's. */
export async function inheritHistory(
  tx: Tx,
  kind: Subject,
  moves: readonly { readonly from: string; readonly to: string }[],
): Promise<void> {
  if (moves.length === 0) return;
  await tx`
    update work_changes c set item_id = m."to"
    from jsonb_to_recordset(${tx.json(moves)}) as m ("from" uuid, "to" uuid)
    where c.kind = ${kind} and c.item_id = m."from"`;
}

/** History as the API shows it. */
export const presentHistory = (changes: readonly KeptChange[]) => ({
  items: changes.map(({ at, source, username, fields }) => ({
    ...{ at: at.toISOString(), source, username },
    fields: Object.entries(fields).map(([name, [before, after]]) => ({ name, before, after })),
  })),
});

/** Deletes the history of what is deleted. */
export async function forgetHistory(tx: Tx, kind: Subject, ids: readonly string[]): Promise<void> {
  await tx`
    delete from work_changes where kind = ${kind} and item_id = any (${ids as string[]}::uuid[])`;
}

/** The API of history. */
export const createHistory = (
  sql: Queryable,
  seesItem: SeesItem,
): HandlersOf<'listItemHistory'> => ({
  async listItemHistory({ params: { kind, itemId }, principal }) {
    const isSeen = await seesItem(sql, callerOf(principal), { kind, itemId });
    if (!isSeen) return { body: presentHistory([]) };
    return { body: presentHistory(await historyOf(sql, kind, itemId)) };
  },
});
