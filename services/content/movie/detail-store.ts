import type { Queryable } from '#storage/postgres/connect.ts';
import { readItemFiles, type ItemFile } from '../item-files.ts';
import { externalIdsOf } from '../works.ts';
import type { Match } from './fields.ts';
import { cardColumns, type CardRow } from './list.ts';

/** A film's whole row. */
export interface FilmDetail extends CardRow {
  readonly sortTitle: string;
  readonly originalTitle: string | null;
  readonly overview: string | null;
  readonly tagline: string | null;
  readonly studio: string | null;
  readonly collection: string | null;
  readonly runtimeMs: number | null;
  readonly tags: string[];
  readonly match: Match | Record<never, never>;
  readonly sources: Record<string, string>;
  readonly lockedFields: string[];
  readonly revision: number;
  readonly updatedAt: Date;
  readonly externalIds: Record<string, string>;
  readonly ratings: { source: string; score: number; votes: number | null }[];
}

/** One film with its ids and ratings; undefined: there is none. */
export async function readFilm(sql: Queryable, id: string): Promise<FilmDetail | undefined> {
  const [row] = await sql<FilmDetail[]>`
    select ${cardColumns(sql)},
      m.sort_title as "sortTitle", m.original_title as "originalTitle", m.overview, m.tagline,
      m.studio, m.collection, m.runtime_ms as "runtimeMs", m.tags, m.match, m.sources,
      m.locked_fields as "lockedFields", m.revision, m.updated_at as "updatedAt",
      ${externalIdsOf(sql, 'movie', sql`m.id`)} as "externalIds",
      coalesce((
        select jsonb_agg(jsonb_build_object('source', r.source, 'score', r.score, 'votes', r.votes)
          order by r.source)
        from ratings r where r.kind = 'movie' and r.item_id = m.id
      ), '[]') as ratings
    from movies m where m.id = ${id}`;
  return row;
}

/** The files of a film that matter to a viewer. */
export const readFiles = (sql: Queryable, filmId: string): Promise<ItemFile[]> =>
  readItemFiles(
    sql,
    sql`f.item_id = ${filmId} and f.role in ('video', 'subtitle', 'extra', 'audio')
      and not coalesce((f.facts ->> 'auxiliary')::boolean, false)`,
  );
