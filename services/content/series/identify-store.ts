import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import { filesIn, type LyingFile } from '../placed.ts';
import { externalIdsOf } from '../works.ts';
import type { EpisodePlan } from './episodes.ts';
import type { SeriesRow } from './fields.ts';
import type { KnownSeries } from './resolve.ts';
import type { WorkFolder } from './units.ts';

/** A series' row with what resolution asks of it. */
export type KnownRow = SeriesRow & KnownSeries;

/** Files that are below these folders now. */
export async function loadBelow(tx: Tx, wanted: readonly WorkFolder[]): Promise<LyingFile[]> {
  if (wanted.length === 0) return [];
  return filesIn(
    tx,
    tx`
    unnest(
      ${wanted.map(({ rootId }) => rootId)}::uuid[], ${wanted.map(({ folder }) => folder)}::text[]
    ) as w (root_id, folder)
    join directories d on d.root_id = w.root_id
      and (d.path = w.folder or (d.path > w.folder || '/' and d.path < w.folder || '0'))`,
    50_000,
  );
}

/** The columns of a series' row, of the table `s`. */
export const seriesColumns = (sql: Queryable): ReturnType<Queryable> => sql`
  s.id, s.identity, s.title, s.sort_title as "sortTitle", s.original_title as "originalTitle",
  s.year, s.premiered, s.overview, s.status, s.certification, s.genres, s.studios, s.match,
  s.sources, s.locked_fields as "lockedFields"`;

/** The series of a library that files of a batch may be: by what they were, by id, by title. */
export function loadKnown(
  tx: Tx,
  libraryId: string,
  wanted: {
    itemIds: readonly string[];
    ids: readonly (readonly [source: string, value: string])[];
    /** Identities without their years. */
    titles: readonly string[];
    videoIds: readonly string[];
  },
): Promise<KnownRow[]> {
  return tx<KnownRow[]>`
    with wanted as (
      select unnest(${wanted.itemIds as string[]}::uuid[]) as id
      union
      select e.item_id from unnest(
        ${wanted.ids.map(([source]) => source)}::text[],
        ${wanted.ids.map(([, value]) => value)}::text[]
      ) as i (source, value)
      join external_ids e on e.kind = 'series' and e.source = i.source and e.value = i.value
      union
      select s.id from unnest(${wanted.titles as string[]}::text[]) as t (title)
      join series s on s.library_id = ${libraryId}
        and s.identity >= t.title and s.identity < t.title || ':' collate "C"
    )
    select ${seriesColumns(tx)},
      ${externalIdsOf(tx, 'series', tx`s.id`)} as ids,
      (
        select count(*)::int from files f
        where f.item_id = s.id and f.role = 'video' and f.missing_since is null
          and f.id <> all (${wanted.videoIds as string[]}::uuid[])
      ) as others
    from series s join wanted w on w.id = s.id
    where s.library_id = ${libraryId}
    order by s.id
    for no key update of s`;
}

/** Writes series, new and known ones alike. */
export async function saveSeries(
  tx: Tx,
  libraryId: string,
  rows: readonly SeriesRow[],
): Promise<void> {
  if (rows.length === 0) return;
  await tx`
    insert into series (
      id, library_id, title, sort_title, original_title, identity, year, premiered, overview,
      status, certification, genres, studios, match, sources
    )
    select id, ${libraryId}, title, "sortTitle", "originalTitle", identity, year, premiered,
      overview, status, certification, genres, studios, match, sources
    from jsonb_to_recordset(${tx.json(rows as never)}) as r (
      id uuid, title text, "sortTitle" text, "originalTitle" text, identity text, year smallint,
      premiered date, overview text, status text, certification text, genres text[],
      studios text[], match jsonb, sources jsonb
    )
    order by id
    on conflict (id) do update set
      title = excluded.title, sort_title = excluded.sort_title,
      original_title = excluded.original_title, identity = excluded.identity,
      year = excluded.year, premiered = excluded.premiered, overview = excluded.overview,
      status = excluded.status, certification = excluded.certification,
      genres = excluded.genres, studios = excluded.studios, match = excluded.match,
      sources = excluded.sources, revision = series.revision + 1, updated_at = now()`;
}

/** Series that show something else now, though none of their own columns does. */
export async function touchSeries(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx`
    update series set revision = revision + 1, updated_at = now()
    where id = any (${ids as string[]}::uuid[])`;
}

/** An episode of a series. */
export type EpisodeRow = EpisodePlan & { readonly seriesId: string };

/** Writes episodes and their seasons; resolves to the series of those that are new or changed. */
export async function saveEpisodes(tx: Tx, rows: readonly EpisodeRow[]): Promise<string[]> {
  if (rows.length === 0) return [];
  await tx`
    insert into seasons (series_id, number)
    select distinct "seriesId", season
    from jsonb_to_recordset(${tx.json(rows as never)}) as r ("seriesId" uuid, season integer)
    order by 1, 2
    on conflict do nothing`;
  const changed = await tx<{ seriesId: string }[]>`
    insert into episodes as e (
      series_id, season_id, key, place, number, absolute, air_date, title, overview, sources
    )
    select r."seriesId", s.id, r.key, r.place, r.number, r.absolute, r."airDate", r.title,
      r.overview, r.sources
    from jsonb_to_recordset(${tx.json(rows as never)}) as r (
      "seriesId" uuid, season integer, key text, place text, number integer, absolute integer,
      "airDate" date, title text, overview text, sources jsonb
    )
    join seasons s on s.series_id = r."seriesId" and s.number = r.season
    order by r."seriesId", r.place, r.key
    on conflict (series_id, key) do update set
      season_id = excluded.season_id, place = excluded.place, number = excluded.number,
      absolute = coalesce(excluded.absolute, e.absolute),
      air_date = coalesce(excluded.air_date, e.air_date),
      title = coalesce(excluded.title, e.title),
      overview = coalesce(excluded.overview, e.overview),
      sources = e.sources || excluded.sources, updated_at = now()
    where (e.season_id, e.place, e.number) is distinct from
        (excluded.season_id, excluded.place, excluded.number)
      or (e.absolute, e.air_date, e.title, e.overview, e.sources) is distinct from (
        coalesce(excluded.absolute, e.absolute), coalesce(excluded.air_date, e.air_date),
        coalesce(excluded.title, e.title), coalesce(excluded.overview, e.overview),
        e.sources || excluded.sources)
    returning e.series_id as "seriesId"`;
  return [...new Set(changed.map(({ seriesId }) => seriesId))];
}

/** A file and an episode it holds. */
export interface Link {
  readonly fileId: string;
  readonly seriesId: string;
  readonly key: string;
  readonly position: number;
}

/** The episodes of files before and after. */
export interface Relinked {
  readonly fileId: string;
  readonly episodeIds: readonly string[];
}

/** What files hold now. */
export async function linksOf(tx: Tx, fileIds: readonly string[]): Promise<Relinked[]> {
  if (fileIds.length === 0) return [];
  return tx<Relinked[]>`
    select file_id as "fileId", array_agg(episode_id order by position) as "episodeIds"
    from episode_files where file_id = any (${fileIds as string[]}::uuid[])
    group by file_id`;
}

/** Makes files hold these episodes and no others; resolves to the series that lost or won one. */
export async function saveLinks(
  tx: Tx,
  fileIds: readonly string[],
  links: readonly Link[],
): Promise<string[]> {
  if (fileIds.length === 0) return [];
  const rows = await tx<{ episodeId: string }[]>`
    with wanted as (
      select l."fileId", e.id, l.position
      from jsonb_to_recordset(${tx.json(links as never)})
        as l ("fileId" uuid, "seriesId" uuid, key text, position smallint)
      join episodes e on e.series_id = l."seriesId" and e.key = l.key
    ), gone as (
      delete from episode_files f
      where f.file_id = any (${fileIds as string[]}::uuid[])
        and not exists (
          select from wanted w where w."fileId" = f.file_id and w.id = f.episode_id)
      returning f.episode_id
    ), come as (
      insert into episode_files (file_id, episode_id, position)
      select "fileId", id, position from wanted
      on conflict (file_id, episode_id) do update set position = excluded.position
        where episode_files.position <> excluded.position
      returning episode_id
    )
    select episode_id as "episodeId" from gone union select episode_id from come`;
  if (rows.length === 0) return [];
  const touched = await tx<{ id: string }[]>`
    select distinct series_id as id from episodes
    where id = any (${rows.map(({ episodeId }) => episodeId)}::uuid[])`;
  return touched.map(({ id }) => id);
}

/** Those of the episodes that no file holds any more. */
export async function withoutLinks(tx: Tx, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await tx<{ id: string }[]>`
    select e.id from episodes e where e.id = any (${ids as string[]}::uuid[])
      and not exists (select from episode_files f where f.episode_id = e.id)`;
  return rows.map(({ id }) => id);
}
