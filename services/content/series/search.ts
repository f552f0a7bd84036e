import type { Tx } from '#storage/postgres/connect.ts';
import { otherTitles } from '../../metadata/other-titles.ts';
import type { SearchSource, SourceDocument } from '../../search/source.ts';
import { sharedAudience } from '../../search/source.ts';
import { idsAfter } from '../works.ts';
import { known, titlesElsewhere } from './known.ts';
import { works } from './series.ts';
import { countOf, type EpisodePlaceRow } from './summaries.ts';

interface Row {
  readonly id: string;
  readonly libraryId: string;
  readonly title: string;
  readonly originalTitle: string | null;
  readonly runnerUp: string | null;
  readonly otherTitles: string[];
  readonly year: number | null;
  readonly genres: string[];
  readonly certification: string | null;
  readonly studios: string[];
  readonly addedAt: Date;
  readonly people: string[];
  readonly ids: string[];
}

const some = (value: string | null): string[] => (value === null ? [] : [value]);

function toDocument(row: Row): SourceDocument {
  const year = row.year ?? undefined;
  const titles = [...some(row.originalTitle), ...some(row.runnerUp), ...row.otherTitles];
  return {
    id: row.id,
    audience: sharedAudience,
    title: row.title,
    titles: [...new Set(titles)].filter((title) => title !== row.title),
    people: row.people,
    keywords: row.ids,
    year,
    subtitle: undefined,
    facets: {
      library: [row.libraryId],
      genre: row.genres,
      decade: year === undefined ? [] : [String(Math.floor(year / 10) * 10)],
      certification: some(row.certification),
      studio: row.studios,
    },
    rank: 0.3,
    addedAt: row.addedAt,
  };
}

/** How series are found. */
export const seriesSearch: SearchSource = {
  kind: 'series',
  permission: 'series:read',
  async documents(sql, ids) {
    const rows = await sql<Row[]>`
      select s.id, s.library_id as "libraryId", s.title, s.original_title as "originalTitle",
        s.match #>> '{runnerUp,title}' as "runnerUp",
        ${otherTitles(sql, works.kind, sql`s.id`)} as "otherTitles", s.year, s.genres, s.certification, s.studios,
        s.added_at as "addedAt",
        array(
          select p.name from credits c join people p on p.id = c.person_id
          where c.kind = 'series' and c.item_id = s.id
          order by c.role <> 'writer', c.role <> 'actor', c.position limit 30
        ) as people,
        array(
          select e.value from external_ids e where e.kind = 'series' and e.item_id = s.id
        ) as ids
      from series s where s.id = any (${ids as string[]}::uuid[])`;
    return rows.map(toDocument);
  },
  idsAfter: (sql, afterId, limit) => idsAfter(sql, works, { afterId, limit }),
};

interface EpisodeDocument extends EpisodePlaceRow {
  readonly id: string;
  readonly libraryId: string;
  readonly seriesTitle: string;
  readonly title: string;
  /** In other languages. */
  readonly titles: string[];
  readonly genres: string[];
  readonly addedAt: Date;
}

/** How episodes are found: by a title of their own; what has none is found by its series. */
export const episodeSearch: SearchSource = {
  kind: 'episode',
  permission: 'series:read',
  async documents(sql, ids) {
    const rows = await sql<EpisodeDocument[]>`
      select e.id, s.library_id as "libraryId", s.title as "seriesTitle",
        ${known(sql, 'title')} as title, ${titlesElsewhere(sql)} as titles, s.genres,
        n.number as season, e.number, e.absolute,
        ${known(sql, 'air_date')} as "airDate", e.added_at as "addedAt"
      from episodes e join seasons n on n.id = e.season_id join series s on s.id = e.series_id
      where e.id = any (${ids as string[]}::uuid[]) and ${known(sql, 'title')} <> ''`;
    return rows.map((row): SourceDocument => ({
      ...{ id: row.id, audience: sharedAudience, title: row.title, addedAt: row.addedAt },
      titles: row.titles.filter((title) => title !== row.title),
      ...{ people: [], keywords: [], year: undefined, rank: 0.1 },
      subtitle: [row.seriesTitle, countOf(row)].filter(Boolean).join(' · '),
      facets: { library: [row.libraryId], genre: row.genres },
    }));
  },
  async idsAfter(sql, afterId, limit) {
    const rows = await sql<{ id: string }[]>`
      select id from episodes ${afterId === undefined ? sql`` : sql`where id > ${afterId}`}
      order by id limit ${limit}`;
    return rows.map(({ id }) => id);
  },
};

/** Episodes whose document this transaction changed: all of a series that it changed itself. */
export async function episodesChangedIn(tx: Tx, seriesIds: readonly string[]): Promise<string[]> {
  if (seriesIds.length === 0) return [];
  // Whatever a transaction writes bears the time it began, which is what it calls now.
  const rows = await tx<{ id: string }[]>`
    select e.id from episodes e join series s on s.id = e.series_id
    where s.id = any (${seriesIds as string[]}::uuid[])
      and (e.updated_at = now() or s.updated_at = now())`;
  return rows.map(({ id }) => id);
}
