import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import { filesIn, type LyingFile } from '../placed.ts';
import { externalIdsOf } from '../works.ts';
import type { Derived } from './derive.ts';
import type { FilmRow } from './fields.ts';
import type { KnownFilm } from './resolve.ts';
import type { WantedDirectory } from './units.ts';

/** A film's row with what resolution asks of it. */
export type KnownRow = FilmRow & KnownFilm;

/** Files that are in these directories now. */
export async function loadContext(
  tx: Tx,
  wanted: readonly WantedDirectory[],
): Promise<LyingFile[]> {
  if (wanted.length === 0) return [];
  return filesIn(
    tx,
    tx`
    unnest(
      ${wanted.map(({ rootId }) => rootId)}::uuid[], ${wanted.map(({ path }) => path)}::text[]
    ) as w (root_id, path)
    join directories d on d.root_id = w.root_id and d.path = w.path`,
    20_000,
  );
}

/** The columns of a film's row, of the table `m`. */
export const filmColumns = (sql: Queryable): ReturnType<Queryable> => sql`
  m.id, m.identity, m.title, m.sort_title as "sortTitle", m.original_title as "originalTitle",
  m.year, m.release_date as "releaseDate", m.runtime_ms as "runtimeMs", m.overview, m.tagline,
  m.certification, m.studio, m.collection, m.genres, m.tags, m.rating, m.match, m.sources,
  m.locked_fields as "lockedFields"`;

/** The films of a library that files of a batch may be: by what they were, by id, by identity. */
export function loadKnown(
  tx: Tx,
  libraryId: string,
  wanted: {
    itemIds: readonly string[];
    ids: readonly (readonly [source: string, value: string])[];
    identities: readonly string[];
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
      join external_ids e on e.kind = 'movie' and e.source = i.source and e.value = i.value
      union
      select id from movies
      where library_id = ${libraryId} and identity = any (${wanted.identities as string[]}::text[])
    )
    select ${filmColumns(tx)},
      ${externalIdsOf(tx, 'movie', tx`m.id`)} as ids,
      (
        select count(*) from files f
        where f.item_id = m.id and f.role = 'video' and f.missing_since is null
          and f.id <> all (${wanted.videoIds as string[]}::uuid[])
      ) as others
    from movies m join wanted w on w.id = m.id
    where m.library_id = ${libraryId}
    order by m.id
    for no key update of m`;
}

/** A film to write; what is derived from its files counts for a new one only. */
type WrittenFilm = FilmRow & Partial<Pick<Derived, 'resolutions' | 'sizeBytes'>>;

/** Writes films, new and known ones alike. */
export async function saveFilms(
  tx: Tx,
  libraryId: string,
  rows: readonly WrittenFilm[],
): Promise<void> {
  if (rows.length === 0) return;
  await tx`
    insert into movies (
      id, library_id, title, sort_title, original_title, identity, year, release_date, runtime_ms,
      overview, tagline, certification, studio, collection, genres, tags, rating, match, sources,
      resolutions, size_bytes
    )
    select id, ${libraryId}, title, "sortTitle", "originalTitle", identity, year, "releaseDate",
      "runtimeMs", overview, tagline, certification, studio, collection, genres, tags, rating,
      match, sources, coalesce(resolutions, '{}'), coalesce("sizeBytes", 0)
    from jsonb_to_recordset(${tx.json(rows as never)}) as r (
      id uuid, title text, "sortTitle" text, "originalTitle" text, identity text, year smallint,
      "releaseDate" date, "runtimeMs" bigint, overview text, tagline text, certification text,
      studio text, collection text, genres text[], tags text[], rating real, match jsonb,
      sources jsonb, resolutions text[], "sizeBytes" bigint
    )
    order by id
    on conflict (id) do update set
      title = excluded.title, sort_title = excluded.sort_title,
      original_title = excluded.original_title, identity = excluded.identity,
      year = excluded.year, release_date = excluded.release_date,
      runtime_ms = excluded.runtime_ms, overview = excluded.overview, tagline = excluded.tagline,
      certification = excluded.certification, studio = excluded.studio,
      collection = excluded.collection, genres = excluded.genres, tags = excluded.tags,
      rating = excluded.rating, match = excluded.match, sources = excluded.sources,
      revision = movies.revision + 1, updated_at = now()`;
}

/** Ratings as an NFO gives them. */
export async function saveRatings(
  tx: Tx,
  ratings: readonly { itemId: string; source: string; score: number; votes: number | null }[],
): Promise<void> {
  if (ratings.length === 0) return;
  await tx`
    insert into ratings (kind, item_id, source, score, votes)
    select 'movie', "itemId", source, score, votes
    from jsonb_to_recordset(${tx.json(ratings)})
      as r ("itemId" uuid, source text, score real, votes integer)
    on conflict (kind, item_id, source) do update
      set score = excluded.score, votes = excluded.votes`;
}
