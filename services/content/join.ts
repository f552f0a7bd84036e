/** Works that a person makes one, or takes apart; of all kinds alike. */
import type { Tx } from '#storage/postgres/connect.ts';
import { recordWork, type Doer } from '../activity/record.ts';
import { problem } from '../errors.ts';
import { idEntries, type ProviderIds } from '../naming/ids.ts';
import { mergeFurthest, usersOf } from '../progress/merge.ts';
import { nameOfWork, type Editable, type Move } from './edit.ts';
import { noteChanges } from './history.ts';
import { mergeWorks } from './merge.ts';
import { pinFiles, pinOwn } from './pins.ts';
import type { DirectoryView, FileRole, StoredFile } from './module.ts';
import { lockLibrary } from './works.ts';

/** Works that are one. */
export interface Joining {
  /** The one that stays, with what a person set of it. */
  readonly into: string;
  readonly from: readonly string[];
  readonly by: Doer & { readonly userId: string };
}

/** What became of it. */
export interface Joined {
  readonly libraryId: string;
  /** None: it was done before. */
  readonly moves: readonly Move[];
  /** Who had done something with one of them. */
  readonly userIds: readonly string[];
}

interface Row {
  readonly id: string;
  readonly libraryId: string;
  readonly language: string;
  readonly title: string;
  readonly year: number | null;
}

/**
 * Gives everything of some works to another: files, for good, and what people did and set. What is
 * left of them is the kind's to move and to delete. Throws `not-found`, and `unprocessable` for
 * works of different libraries.
 */
export async function joinWorks(
  tx: Tx,
  editable: Editable,
  { into, from, by }: Joining,
): Promise<Joined> {
  const { kind } = editable;
  const others = [...new Set(from)].filter((id) => id !== into);
  const rows = await lockWorks(tx, editable, [into, ...others]);
  const target = rows.get(into);
  if (target === undefined) throw noSuch(editable, into);
  const { libraryId } = target;
  const guests = others.flatMap((id) => rows.get(id) ?? []);
  if (guests.some((one) => one.libraryId !== libraryId)) {
    throw problem('unprocessable', 'Works of different libraries cannot be one');
  }
  for (const id of others) {
    if (!rows.has(id) && !(await wasJoined(tx, { from: id, to: into }))) throw noSuch(editable, id);
  }
  const moves = guests.map(({ id }) => ({ from: id, to: into }));
  if (moves.length === 0) return { libraryId, moves, userIds: [] };
  const userIds = await usersOf(tx, kind, [into, ...others]);
  await pinOwn(tx, into);
  for (const move of moves) await giveFiles(tx, move);
  await mergeFurthest(tx, kind, moves);
  await mergeWorks(tx, editable, moves);
  const changes = guests.map((one) => ({
    ...{
      itemId: into,
      source: 'user',
      userId: by.userId,
      fields: { merged: [null, nameOfWork(one)] as const },
    },
  }));
  await noteChanges(tx, kind, changes);
  await recordWork(tx, 'work.merged', {
    ...{ kind, itemId: into, name: nameOfWork(target), by },
    details: { merged: guests.map(nameOfWork) },
  });
  return { libraryId, moves, userIds };
}

/**
 * The works by id, each the caller's alone, and no scan decides anything in their libraries. Who
 * adds a picture to one need not wait: it has the lock of its pictures, which is taken next here.
 */
async function lockWorks(
  tx: Tx,
  { kind, table }: Editable,
  ids: readonly string[],
): Promise<Map<string, Row>> {
  const libraries = await tx<{ id: string }[]>`
    select distinct library_id as id from ${tx(table)}
    where id = any (${ids as string[]}::uuid[]) order by 1`;
  for (const { id } of libraries) await lockLibrary(tx, kind, id);
  const rows = await tx<Row[]>`
    select w.id, w.library_id as "libraryId", l.language, w.title, w.year
    from ${tx(table)} w join libraries l on l.id = w.library_id
    where w.id = any (${ids as string[]}::uuid[]) order by w.id
    for no key update of w`;
  return new Map(rows.map((row) => [row.id, row]));
}

const noSuch = ({ label }: Editable, id: string) =>
  problem('not-found', `There is no ${label} ${id}`);

async function wasJoined(tx: Tx, { from, to }: Move): Promise<boolean> {
  const rows = await tx`
    select from file_pins where from_id = ${from} and item_id = ${to} limit 1`;
  return rows.length > 0;
}

async function giveFiles(tx: Tx, { from, to }: Move): Promise<void> {
  const files = await tx<{ id: string; role: FileRole }[]>`
    update files set item_id = ${to}, updated_at = now() where item_id = ${from}
    returning id, role`;
  const fileIds = files.filter(({ role }) => role === 'video').map(({ id }) => id);
  await pinFiles(tx, { fileIds, from, to, isGuest: true });
}

/** Files that are to be a work of their own. */
export interface Splitting {
  readonly id: string;
  readonly fileIds: readonly string[];
}

/** By whom, and when in milliseconds since 1970. */
export interface Split extends Splitting {
  readonly by: Doer & { readonly userId: string };
  readonly nowMs: number;
}

/** What is taken out of a work, and where it lies. */
export interface SplitOff {
  readonly library: { readonly id: string; readonly language: string };
  /** The title of the work it is taken out of. */
  readonly title: string;
  /** Ids elsewhere of that work. */
  readonly ids: Readonly<Record<string, string>>;
  /** What belongs to the new work, by where it lies. */
  readonly directories: readonly (DirectoryView & {
    /** No video of another work lies there. */
    readonly isWhole: boolean;
  })[];
}

/**
 * Pins files of a work to a new one, with all parts of what they are part of. Throws `not-found`
 * for files that are not the work's, and `unprocessable` where it would be left with none.
 */
export async function splitOff(
  tx: Tx,
  editable: Editable,
  { id, fileIds, newId }: Splitting & { readonly newId: string },
): Promise<SplitOff> {
  const row = (await lockWorks(tx, editable, [id])).get(id);
  if (row === undefined) throw noSuch(editable, id);
  const wanted = await videosOf(tx, id, fileIds);
  const taken = new Set(wanted.map((file) => file.id));
  const missed = fileIds.find((fileId) => !taken.has(fileId));
  if (missed !== undefined)
    throw problem('not-found', `The ${editable.label} has no video ${missed}`);
  const [left] = await tx<[{ count: number }]>`
    select count(*)::int from files
    where item_id = ${id} and role = 'video' and id <> all (${[...taken]}::uuid[])`;
  if (left.count === 0) throw problem('unprocessable', `The ${editable.label} would be left empty`);
  await pinFiles(tx, { fileIds: [...taken], from: id, to: newId, isGuest: false });
  const ids = await tx<{ source: string; value: string }[]>`
    select source, value from external_ids where kind = ${editable.kind} and item_id = ${id}`;
  return {
    library: { id: row.libraryId, language: row.language },
    title: nameOfWork(row),
    ids: Object.fromEntries(ids.map(({ source, value }) => [source, value])),
    directories: await viewsOf(tx, [...taken]),
  };
}

/** The work that all these files were taken out of this one for, where that was done before. */
export async function splitBefore(tx: Tx, { id, fileIds }: Splitting): Promise<string | undefined> {
  const rows = await tx<{ itemId: string; count: number }[]>`
    select item_id as "itemId", count(*)::int from file_pins
    where file_id = any (${fileIds as string[]}::uuid[]) and from_id = ${id} and item_id <> ${id}
    group by item_id`;
  const [only] = rows;
  return only?.count === new Set(fileIds).size ? only.itemId : undefined;
}

/** The named videos of a work, with the other parts of those that are parts, and of discs. */
function videosOf(tx: Tx, id: string, fileIds: readonly string[]): Promise<{ id: string }[]> {
  return tx<{ id: string }[]>`
    with named as (
      select * from files where id = any (${fileIds as string[]}::uuid[]) and item_id = ${id}
        and role = 'video'
    )
    select f.id from files f
    where f.item_id = ${id} and f.role = 'video' and exists (
      select from named n where n.id = f.id
        or n.facts ->> 'stackId' = f.facts ->> 'stackId'
        or (n.directory_id = f.directory_id and n.version is not distinct from f.version
          and (n.facts ? 'auxiliary' or f.facts ? 'auxiliary')))`;
}

type ViewRow = Omit<StoredFile, 'itemId'> & {
  readonly itemId: string | null;
  readonly rootId: string;
  readonly directory: string;
  readonly isWhole: boolean;
};

/** Videos and what is named like them, by directory; whoever scans next looks there again. */
async function viewsOf(tx: Tx, fileIds: readonly string[]): Promise<SplitOff['directories']> {
  const rows = await tx<ViewRow[]>`
    select f.id, f.path, f.name, f.role, f.size_bytes as "sizeBytes", f.mtime_ms as "mtimeMs",
      f.item_id as "itemId", f.root_id as "rootId", d.path as directory,
      not exists (
        select from files o where o.directory_id = f.directory_id and o.role = 'video'
          and o.missing_since is null and o.id <> all (${fileIds as string[]}::uuid[])
      ) as "isWhole"
    from files f join directories d on d.id = f.directory_id
    where f.id = any (${fileIds as string[]}::uuid[])
      or (f.item_id is not null and f.missing_since is null
        and f.facts ->> 'forFileId' = any (${fileIds as string[]}::text[])
        and f.item_id in (
          select item_id from files where id = any (${fileIds as string[]}::uuid[])))
    order by f.path`;
  await tx`
    update directories set is_settled = false, revision = revision + 1
    where id in (select directory_id from files where id = any (${fileIds as string[]}::uuid[]))`;
  const places = Map.groupBy(rows, ({ rootId, directory }) => `${rootId} ${directory}`);
  return [...places.values()].flatMap((files) => {
    const [first] = files;
    if (first === undefined) return [];
    const { rootId, directory: path } = first;
    const isWhole = files.every((file) => file.isWhole);
    const stored = files.map((file) => ({ ...file, itemId: file.itemId ?? undefined }));
    return [{ rootId, path, isWhole, directories: [], files: stored }];
  });
}

/** A plan without ids that are another work's; the same one where it has none of them. Pure. */
export function withoutIds<Plan extends { readonly ids: ProviderIds }>(
  plan: Plan,
  taken: Readonly<Record<string, string>>,
): Plan {
  const entries = idEntries(plan.ids);
  const ids = entries.filter(([source, value]) => taken[source] !== value);
  return ids.length === entries.length ? plan : { ...plan, ids: Object.fromEntries(ids) };
}

/** Notes on both sides that one work was taken out of another. */
export async function noteSplit(
  tx: Tx,
  editable: Editable,
  { id, newId, title, by }: { id: string; newId: string; title: string; by: Split['by'] },
): Promise<void> {
  const [row] = await tx<Row[]>`
    select title, year from ${tx(editable.table)} where id = ${newId}`;
  if (row === undefined) throw new Error('a work that was taken out of another is not there');
  const { kind } = editable;
  const newName = nameOfWork(row);
  const word = { source: 'user', userId: by.userId };
  await noteChanges(tx, kind, [
    { ...word, itemId: id, fields: { split: [null, newName] } },
    { ...word, itemId: newId, fields: { splitFrom: [null, title] } },
  ]);
  const what = { kind, itemId: id, name: title, by };
  await recordWork(tx, 'work.split', { ...what, details: { newName, newId } });
}
