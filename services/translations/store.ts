import type { Queryable } from '#storage/postgres/connect.ts';
import { bareLanguage } from '../languages.ts';
import type { Translated } from './choose.ts';

/** Works that have translations, by the table they are kept in. */
const tables = { movie: 'movies', series: 'series' } as const;

/** A kind of work that has translations. */
export type TranslatedKind = keyof typeof tables;

/** What is told of works in some languages; works of which nothing is are absent. */
export async function translationsOf(
  sql: Queryable,
  kind: TranslatedKind,
  { ids, wanted }: { readonly ids: readonly string[]; readonly wanted: readonly string[] },
): Promise<(Translated & { readonly id: string })[]> {
  const bare = [...new Set(wanted.map(bareLanguage))];
  return sql<(Translated & { readonly id: string })[]>`
    select w.id, l.language, w.sources, w.locked_fields as "lockedFields", t.translations
    from ${sql(tables[kind])} w
    join libraries l on l.id = w.library_id
    join metadata_states m on m.kind = ${kind} and m.item_id = w.id
    cross join lateral (
      select jsonb_agg(t.one) as translations
      from jsonb_array_elements(m.extras -> 'translations') as t (one)
      where lower(split_part(t.one ->> 'language', '-', 1)) = any (${bare}::text[])
    ) t
    where w.id = any (${ids as string[]}::uuid[]) and t.translations is not null
    order by w.id`;
}

/** The languages of all libraries. */
export async function libraryLanguages(sql: Queryable): Promise<readonly string[]> {
  const rows = await sql<{ language: string }[]>`select distinct language from libraries`;
  return rows.map(({ language }) => language);
}
