/** What a person sets of works, and nothing but a person changes again; of all kinds alike. */
import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import { recordWork, type Doer, type WorkAct } from '../activity/record.ts';
import { problem } from '../errors.ts';
import { sortTitle } from '../naming/titles.ts';
import { changesOf, noteChanges } from './history.ts';
import type { Works } from './works.ts';

type Fragment = ReturnType<Queryable>;

/** Works that can be edited: their fields, with the column of each and its type. */
export interface Editable extends Works {
  /** What people call one: `film`. */
  readonly label: string;
  readonly fields: Readonly<Record<string, readonly [column: string, type: string]>>;
}

/** What a person asks for: fields by name, ids elsewhere, and what is to be locked besides. */
export interface Update {
  readonly lockedFields?: readonly string[] | undefined;
  /** Null takes one away. */
  readonly externalIds?: Readonly<Record<string, string | null | undefined>> | undefined;
  readonly [field: string]: unknown;
}

/** A work and what it is to become; `revision`: what it has to be at. */
export interface Edit {
  readonly id: string;
  readonly update: Update;
  readonly revision: number | undefined;
  /** Who asks. */
  readonly by?: Doer | undefined;
}

interface EditRow {
  readonly libraryId: string;
  readonly sources: Readonly<Record<string, string>>;
  readonly lockedFields: readonly string[];
  readonly revision: number;
  readonly language: string;
  /** The fields' values, by name. */
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * Sets fields by hand and locks them. Throws `precondition-failed` when the work is not at the
 * revision any more; undefined: there is none.
 */
export async function editWork(
  tx: Tx,
  editable: Editable,
  { id, update, revision, by }: Edit,
): Promise<{ libraryId: string } | undefined> {
  const row = await lockRow(tx, editable, id);
  if (row === undefined) return undefined;
  mustBeAt(editable.label, row.revision, revision);
  const { lockedFields: wanted, externalIds, ...fields } = update;
  const given = fields['sortTitle'] ?? (followsTitle(row) ? fields['title'] : undefined);
  const ownSort = typeof given === 'string' ? sortTitle(given, row.language) : undefined;
  const names = [...Object.keys(fields), ...(externalIds === undefined ? [] : ['ids'])];
  const locked = [...new Set([...(wanted ?? row.lockedFields), ...names])].sort();
  await saveFields(tx, editable, {
    id,
    fields: ownSort === undefined ? fields : { ...fields, sortTitle: ownSort },
    sources: nextSources(row, { names, locked }),
    locked,
  });
  const changed = changesOf(row.values, { ...row.values, ...fields }, Object.keys(fields));
  if (changed !== undefined) {
    const change = { itemId: id, source: 'user', userId: by?.userId, fields: changed };
    await noteChanges(tx, editable.kind, [change]);
  }
  const { title, year } = { ...row.values, ...fields } as Update & Named;
  const name = nameOfWork({ title, year });
  await recordEdit(tx, update, { kind: editable.kind, itemId: id, name, by });
  if (externalIds !== undefined) await saveIds(tx, { kind: editable.kind, id }, externalIds);
  return { libraryId: row.libraryId };
}

/** What tells people which work it is. */
export interface Named {
  readonly title: string;
  readonly year: number | null;
}

export const nameOfWork = ({ title, year }: Named): string =>
  year === null ? title : `${title} (${year})`;

/** Writes to the log of activity which fields of a work, or a part of one, a person set; no values. */
export async function recordEdit(
  tx: Tx,
  { lockedFields, ...fields }: Update,
  what: Omit<WorkAct<'work.edited'>, 'details'>,
): Promise<void> {
  const details = { fields: Object.keys(fields), ...(lockedFields && { lockedFields }) };
  await recordWork(tx, 'work.edited', { ...what, details });
}

/** Throws `precondition-failed` when what is to be changed has changed since it was read. */
export function mustBeAt(label: string, is: number, wanted: number | undefined): void {
  if (wanted === undefined || wanted === is) return;
  throw problem('precondition-failed', `The ${label} has changed since it was read`);
}

/** Nobody has given it a sort title of its own. */
const followsTitle = ({ sources, lockedFields }: EditRow): boolean =>
  (sources['sortTitle'] ?? 'name') === 'name' && !lockedFields.includes('sortTitle');

/** What a person set is theirs; a field that is unlocked counts as a name's word, and is open. */
function nextSources(
  row: EditRow,
  { names, locked }: { names: readonly string[]; locked: readonly string[] },
): Record<string, string> {
  const kept = Object.entries(row.sources).map(([name, source]) => {
    const isOpened = source === 'user' && !locked.includes(name);
    return [name, isOpened ? 'name' : source] as const;
  });
  return {
    ...Object.fromEntries(kept),
    ...Object.fromEntries(names.map((name) => [name, 'user'])),
  };
}

async function lockRow(
  tx: Tx,
  { table, fields }: Editable,
  id: string,
): Promise<EditRow | undefined> {
  const pairs = Object.entries(fields).map(
    ([name, [column]], at): Fragment =>
      tx`${at === 0 ? tx`` : tx`, `}${name}::text, w.${tx(column)}`,
  );
  const [row] = await tx<EditRow[]>`
    select w.library_id as "libraryId", w.sources, w.locked_fields as "lockedFields", w.revision,
      l.language, jsonb_build_object(${joined(tx, pairs)}) as values
    from ${tx(table)} w join libraries l on l.id = w.library_id
    where w.id = ${id} for update of w`;
  return row;
}

async function saveFields(
  tx: Tx,
  { table, fields: columns }: Editable,
  edited: {
    readonly id: string;
    readonly fields: Readonly<Record<string, unknown>>;
    readonly sources: Readonly<Record<string, string>>;
    readonly locked: readonly string[];
  },
): Promise<void> {
  const { id, fields, sources, locked } = edited;
  const set = Object.entries(columns)
    .filter(([name]) => name in fields)
    .map(([name, [column]]): Fragment => tx`${tx(column)} = r.${tx(name)}, `);
  const record = Object.entries(columns).map(
    ([name, [, type]], at): Fragment =>
      tx`${at === 0 ? tx`` : tx`, `}${tx(name)} ${tx.unsafe(type)}`,
  );
  await tx`
    update ${tx(table)} w set ${joined(tx, set)} sources = ${tx.json(sources)},
      locked_fields = ${locked as string[]}, revision = w.revision + 1, updated_at = now()
    from jsonb_to_record(${tx.json(fields as never)}) as r (${joined(tx, record)})
    where w.id = ${id}`;
}

const joined = (sql: Queryable, parts: readonly Fragment[]): Fragment =>
  parts.reduce<Fragment>((all, one) => sql`${all}${one}`, sql``);

async function saveIds(
  tx: Tx,
  { kind, id }: { readonly kind: string; readonly id: string },
  ids: NonNullable<Update['externalIds']>,
): Promise<void> {
  const given = Object.entries(ids).filter(([, value]) => value !== undefined);
  const sources = given.map(([source]) => source);
  await tx`
    delete from external_ids
    where kind = ${kind} and item_id = ${id} and source = any (${sources}::text[])`;
  const kept = given.filter(([, value]) => value !== null) as [string, string][];
  if (kept.length === 0) return;
  await tx`
    insert into external_ids (kind, item_id, source, value)
    select ${kind}, ${id}, source, value from unnest(
      ${kept.map(([source]) => source)}::text[], ${kept.map(([, value]) => value)}::text[]
    ) as i (source, value)`;
}

/** What a person has set of a row goes on as it was; `next` is what others make of the rest. Pure. */
export function withLocked<
  Row extends { readonly lockedFields: readonly string[]; readonly sources: object },
>(row: Row, next: Row): Row {
  const sources: Record<string, unknown> = { ...next.sources };
  const kept: Record<string, unknown> = {};
  for (const name of row.lockedFields) {
    if (name in row) kept[name] = row[name as keyof Row];
    const source: unknown = row.sources[name as keyof typeof row.sources];
    if (source === undefined) Reflect.deleteProperty(sources, name);
    else sources[name] = source;
  }
  return { ...next, ...kept, sources, lockedFields: row.lockedFields };
}

/** A work that turned out to be another. */
export interface Move {
  readonly from: string;
  readonly to: string;
}

/** What a person set of works that turned out to be others is set of those, but for what is there. */
export async function inheritEdits(
  tx: Tx,
  { kind, table, fields }: Editable,
  moves: readonly Move[],
): Promise<void> {
  const set = Object.entries(fields).map(([name, [column]]): Fragment => {
    const isMoved =
      name === 'sortTitle'
        ? tx`(m.moved @> '{sortTitle}'
            or (m.moved @> '{title}' and not w.locked_fields @> '{sortTitle}'))`
        : tx`${name} = any (m.moved)`;
    return tx`${tx(column)} = case when ${isMoved} then m.${tx(column)} else w.${tx(column)} end, `;
  });
  for (const { from, to } of moves) {
    const [moved] = await tx<{ hasIds: boolean }[]>`
      update ${tx(table)} w set ${joined(tx, set)}
        sources = w.sources || coalesce((
          select jsonb_object_agg(s.key, s.value) from jsonb_each(m.sources) s
          where s.key = any (m.moved)), '{}'),
        locked_fields = array(select unnest(w.locked_fields || m.moved) order by 1),
        revision = w.revision + 1, updated_at = now()
      from (
        select f.*,
          array(select unnest(f.locked_fields) except select unnest(t.locked_fields)) as moved
        from ${tx(table)} f, ${tx(table)} t where f.id = ${from} and t.id = ${to}
      ) m
      where w.id = ${to} and m.moved <> '{}'
      returning m.moved @> '{ids}' as "hasIds"`;
    if (moved?.hasIds === true) await moveIds(tx, kind, { from, to });
  }
}

async function moveIds(tx: Tx, kind: string, { from, to }: Move): Promise<void> {
  await tx`delete from external_ids where kind = ${kind} and item_id = ${to}`;
  await tx`
    update external_ids set item_id = ${to} where kind = ${kind} and item_id = ${from}`;
}
