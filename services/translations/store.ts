import type { Queryable } from '#storage/postgres/connect.ts';
import { knownAs } from '../content/series/known.ts';
import { isKnownBySeason } from '../content/series/order.ts';
import { bareLanguage } from '../languages.ts';
import type { Translated } from './choose.ts';

/** A kind of work, or of a part of one, that has translations; `known`: an episode nobody may hold. */
export type TranslatedKind = 'movie' | 'series' | 'season' | 'episode' | 'known';

/** What is asked for: ids of one kind, and in which languages. */
export interface Wanted {
  readonly ids: readonly string[];
  readonly wanted: readonly string[];
}

type Fragment = ReturnType<Queryable>;
type Row = Translated & { readonly id: string };

/** What is told of works in some languages; those of which nothing is are absent. */
export async function translationsOf(
  sql: Queryable,
  kind: TranslatedKind,
  { ids, wanted }: Wanted,
): Promise<Row[]> {
  const bare = [...new Set(wanted.map(bareLanguage))];
  return sql<Row[]>`
    select w.id, l.language, w.sources, w.locked_fields as "lockedFields", t.translations
    from (${tellers[kind](sql, ids)}) w
    join libraries l on l.id = w.library_id
    cross join lateral (
      select jsonb_agg(t.one) as translations
      from jsonb_array_elements(w.translations) as t (one)
      where lower(split_part(t.one ->> 'language', '-', 1)) = any (${bare}::text[])
    ) t
    where t.translations is not null
    order by w.id`;
}

/** A query for ids, libraries, who tells which field, what is locked, and texts in all languages. */
type Teller = (sql: Queryable, ids: readonly string[]) => Fragment;

const ofWorks =
  (kind: string, table: string): Teller =>
  (sql, ids) => sql`
    select w.id::text, w.library_id, w.sources, w.locked_fields,
      m.extras -> 'translations' as translations
    from ${sql(table)} w join metadata_states m on m.kind = ${kind} and m.item_id = w.id
    where w.id = any (${ids as string[]}::uuid[])`;

const tellers: Readonly<Record<TranslatedKind, Teller>> = {
  movie: ofWorks('movie', 'movies'),
  series: ofWorks('series', 'series'),
  season: (sql, ids) => sql`
    select n.id::text, s.library_id, '{}'::jsonb as sources,
      array(select jsonb_object_keys(n.edits)) as locked_fields, k.translations
    from seasons n join series s on s.id = n.series_id
    join known_seasons k on k.series_id = n.series_id and k.number = n.number
      and (n.number = 0 or ${isKnownBySeason(sql, sql`n.series_id`)})
    where n.id = any (${ids as string[]}::uuid[])`,
  episode: (sql, ids) => sql`
    select e.id::text, s.library_id, e.sources,
      array(select jsonb_object_keys(e.edits)) as locked_fields, k.translations
    from episodes e join series s on s.id = e.series_id
    join known_episodes k on ${knownAs(sql)}
    where e.id = any (${ids as string[]}::uuid[])`,
  known: (sql, ids) => sql`
    select p.id, s.library_id, '{}'::jsonb as sources, '{}'::text[] as locked_fields,
      k.translations
    from unnest(${ids as string[]}::text[]) as p (id)
    join known_episodes k on k.series_id = split_part(p.id, ' ', 1)::uuid
      and k.season = split_part(p.id, ' ', 2)::integer
      and k.number = split_part(p.id, ' ', 3)::integer
    join series s on s.id = k.series_id`,
};

/** The languages of all libraries. */
export async function libraryLanguages(sql: Queryable): Promise<readonly string[]> {
  const rows = await sql<{ language: string }[]>`select distinct language from libraries`;
  return rows.map(({ language }) => language);
}
