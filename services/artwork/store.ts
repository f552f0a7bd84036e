import type { Probe } from '#storage/media/media.ts';
import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import type { ImageSource } from './choose.ts';
import type { ImageType } from './names.ts';

/** A picture of an item, as stored. */
export interface Image {
  readonly id: string;
  readonly kind: string;
  readonly itemId: string;
  readonly type: ImageType;
  readonly source: ImageSource;
  readonly rank: number;
  readonly fileId: string | null;
  readonly streamIndex: number | null;
  readonly atMs: number | null;
  /** What the file it comes from was like then. */
  readonly sourceMtimeMs: number | null;
  readonly sourceSizeBytes: number | null;
  /** Where a provider's picture came from. */
  readonly sourceUrl: string | null;
  readonly sha256: string;
  readonly format: string;
  readonly width: number;
  readonly height: number;
  readonly blurhash: string;
  readonly language: string | null;
  readonly isChosen: boolean;
  readonly isChosenByUser: boolean;
  /** The file it was taken from is missing, or no work's for the moment. */
  readonly isLost: boolean;
}

/** A file pictures may come from. */
export interface SourceFile {
  readonly id: string;
  readonly itemId: string;
  readonly role: 'video' | 'image';
  readonly root: string;
  readonly path: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  readonly probe: Probe | null;
}

/** A picture with the place it can be made again from. */
export interface ImageOrigin extends Pick<
  Image,
  | 'id'
  | 'kind'
  | 'itemId'
  | 'type'
  | 'source'
  | 'streamIndex'
  | 'atMs'
  | 'sourceUrl'
  | 'sha256'
  | 'width'
> {
  readonly root: string | null;
  readonly path: string | null;
}

const columns = (sql: Queryable) => sql`
  id, kind, item_id as "itemId", type, source, rank, file_id as "fileId",
  stream_index as "streamIndex", at_ms as "atMs", source_mtime_ms as "sourceMtimeMs",
  source_size_bytes as "sourceSizeBytes", source_url as "sourceUrl", sha256, format, width,
  height, blurhash, language, is_chosen as "isChosen", chosen_by_user as "isChosenByUser",
  exists (
    select from files f where f.id = images.file_id
      and (f.missing_since is not null or f.item_id is null)
  ) as "isLost"`;

/** All pictures of some items. */
export async function findImages(
  sql: Queryable,
  kind: string,
  itemIds: readonly string[],
): Promise<Image[]> {
  if (itemIds.length === 0) return [];
  return sql<Image[]>`
    select ${columns(sql)} from images
    where kind = ${kind} and item_id = any (${itemIds as string[]}::uuid[])
    order by item_id, type, is_chosen desc, rank, id`;
}

/** The pictures shown of some items: for lists. */
export async function findChosen(
  sql: Queryable,
  kind: string,
  itemIds: readonly string[],
): Promise<Image[]> {
  if (itemIds.length === 0) return [];
  return sql<Image[]>`
    select ${columns(sql)} from images
    where kind = ${kind} and is_chosen and item_id = any (${itemIds as string[]}::uuid[])`;
}

/** One picture with its origin; undefined when there is none of this id. */
export async function findOrigin(sql: Queryable, id: string): Promise<ImageOrigin | undefined> {
  const [row] = await sql<ImageOrigin[]>`
    select i.id, i.kind, i.item_id as "itemId", i.type, i.source, i.stream_index as "streamIndex",
      i.at_ms as "atMs", i.source_url as "sourceUrl", i.sha256, i.width, r.path as root, f.path
    from images i
    left join files f on f.id = i.file_id
    left join library_roots r on r.id = f.root_id and r.removed_at is null
    where i.id = ${id}`;
  return row;
}

/** The files of some items that pictures may come from; those on roots that are away are left out. */
export async function findSources(
  sql: Queryable,
  kind: string,
  itemIds: readonly string[],
): Promise<SourceFile[]> {
  return sql<SourceFile[]>`
    select ${sourceColumns(sql)}, f.item_id as "itemId"
    from files f
    join library_roots r on r.id = f.root_id and r.removed_at is null
    join libraries l on l.id = f.library_id and l.kind = ${kind}
    where f.item_id = any (${itemIds as string[]}::uuid[]) and ${isSource(sql)}
    order by f.item_id, ${sourceOrder(sql)}`;
}

const sourceColumns = (sql: Queryable) => sql`
  f.id, f.role, r.path as root, f.path, f.name, f.size_bytes as "sizeBytes",
  f.mtime_ms as "mtimeMs", f.probe`;
const isSource = (sql: Queryable) => sql`
  f.role in ('image', 'video') and f.missing_since is null and r.unavailable_since is null
  and not coalesce((f.facts->>'auxiliary')::boolean, false)`;
const sourceOrder = (sql: Queryable) => sql`f.part nulls first, f.size_bytes desc, f.path`;

/** As `findSources`, of parts that claim the files; the part is the item. */
export async function findSourcesOf(
  sql: Queryable,
  claims: readonly { readonly partId: string; readonly fileId: string }[],
): Promise<SourceFile[]> {
  if (claims.length === 0) return [];
  return sql<SourceFile[]>`
    select ${sourceColumns(sql)}, c."partId" as "itemId"
    from jsonb_to_recordset(${sql.json(claims)}) as c ("partId" uuid, "fileId" uuid)
    join files f on f.id = c."fileId"
    join library_roots r on r.id = f.root_id and r.removed_at is null
    where ${isSource(sql)}
    order by c."partId", ${sourceOrder(sql)}`;
}

/**
 * Those of some items whose files have something to look at: pictures, or films that were looked
 * into. Films that are still to be change their item once more when they have been.
 */
export async function readyToLookAt(sql: Queryable, itemIds: readonly string[]): Promise<string[]> {
  const rows = await sql<{ itemId: string }[]>`
    select distinct f.item_id as "itemId" from files f
    where f.item_id = any (${itemIds as string[]}::uuid[]) and f.missing_since is null
      and (f.role = 'image' or (f.role = 'video' and f.probe_state <> 'due'))`;
  return rows.map(({ itemId }) => itemId);
}

export type NewImage = Omit<Image, 'id' | 'isChosen' | 'isChosenByUser' | 'isLost'>;

/**
 * Adds a picture; one of the same type and content takes over the new origin, but for one that a
 * person brought: that stays whatever becomes of the file.
 */
export async function saveImage(tx: Tx, image: NewImage): Promise<void> {
  await tx`
    insert into images (kind, item_id, type, source, rank, file_id, stream_index, at_ms,
      source_mtime_ms, source_size_bytes, source_url, sha256, format, width, height, blurhash,
      language)
    values (${image.kind}, ${image.itemId}, ${image.type}, ${image.source}, ${image.rank},
      ${image.fileId}, ${image.streamIndex}, ${image.atMs}, ${image.sourceMtimeMs},
      ${image.sourceSizeBytes}, ${image.sourceUrl}, ${image.sha256}, ${image.format},
      ${image.width}, ${image.height}, ${image.blurhash}, ${image.language})
    on conflict (kind, item_id, type, sha256) do update set source = excluded.source,
      rank = excluded.rank, file_id = excluded.file_id, stream_index = excluded.stream_index,
      at_ms = excluded.at_ms, source_mtime_ms = excluded.source_mtime_ms,
      source_size_bytes = excluded.source_size_bytes, source_url = excluded.source_url
    where images.source <> 'upload' or excluded.source = 'upload'`;
}

/** Removes pictures, but for those that a person has chosen since they were read. */
export async function deleteImages(tx: Tx, images: readonly Image[]): Promise<void> {
  if (images.length === 0) return;
  const ids = images.map(({ id }) => id);
  const chosen = images.filter(({ isChosenByUser }) => isChosenByUser).map(({ id }) => id);
  await tx`
    delete from images where id = any (${ids}::uuid[])
      and (not chosen_by_user or id = any (${chosen}::uuid[]))`;
}

/** Makes a picture the one that a person chose, in place of another, if that is chosen still. */
export async function moveChoice(
  tx: Tx,
  from: Pick<Image, 'id'>,
  { kind, itemId, type, sha256 }: Pick<Image, 'kind' | 'itemId' | 'type' | 'sha256'>,
): Promise<void> {
  await tx`
    update images set chosen_by_user = sha256 = ${sha256}
    where kind = ${kind} and item_id = ${itemId} and type = ${type}
      and exists (select from images o where o.id = ${from.id} and o.chosen_by_user)`;
}

/** Takes the lead from pictures that lose it; before `raise`, since there is one leader per type. */
export async function lower(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx`update images set is_chosen = false where id = any (${ids as string[]}::uuid[])`;
}

/** Gives pictures the lead of their type. */
export async function raise(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx`update images set is_chosen = true where id = any (${ids as string[]}::uuid[])`;
}

/**
 * Notes a person's choice, or that it is taken back. Resolves to the picture's type; undefined:
 * there is no such picture.
 */
export async function setChoice(
  tx: Tx,
  which: Pick<Image, 'kind' | 'itemId' | 'id'>,
  isChosen: boolean,
): Promise<ImageType | undefined> {
  const [row] = await tx<{ type: ImageType }[]>`
    update images i set chosen_by_user = ${isChosen} and i.id = ${which.id}
    from images one
    where one.id = ${which.id} and one.kind = ${which.kind} and one.item_id = ${which.itemId}
      and i.kind = one.kind and i.item_id = one.item_id and i.type = one.type
    returning i.type`;
  return row?.type;
}

/** Serialises changes to the pictures of items, in id order so that two never wait for each other. */
export async function lockItems(tx: Tx, kind: string, itemIds: readonly string[]): Promise<void> {
  const keys = [...itemIds].sort().map((id) => `artwork:${kind}:${id}`);
  await tx`select pg_advisory_xact_lock(hashtextextended(key, 0)) from
    (select unnest(${keys}::text[]) as key) keys`;
}
