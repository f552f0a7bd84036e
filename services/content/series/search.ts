import type { SearchSource, SourceDocument } from '../../search/source.ts';
import { sharedAudience } from '../../search/source.ts';
import { idsAfter } from '../works.ts';
import { works } from './series.ts';

interface Row {
  readonly id: string;
  readonly libraryId: string;
  readonly title: string;
  readonly originalTitle: string | null;
  readonly runnerUp: string | null;
  readonly year: number | null;
  readonly genres: string[];
  readonly certification: string | null;
  readonly studios: string[];
  readonly addedAt: Date;
  readonly ids: string[];
}

const some = (value: string | null): string[] => (value === null ? [] : [value]);

function toDocument(row: Row): SourceDocument {
  const year = row.year ?? undefined;
  const titles = [...some(row.originalTitle), ...some(row.runnerUp)];
  return {
    id: row.id,
    audience: sharedAudience,
    title: row.title,
    titles: [...new Set(titles)].filter((title) => title !== row.title),
    people: [],
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
        s.match #>> '{runnerUp,title}' as "runnerUp", s.year, s.genres, s.certification, s.studios,
        s.added_at as "addedAt",
        array(
          select e.value from external_ids e where e.kind = 'series' and e.item_id = s.id
        ) as ids
      from series s where s.id = any (${ids as string[]}::uuid[])`;
    return rows.map(toDocument);
  },
  idsAfter: (sql, afterId, limit) => idsAfter(sql, works, { afterId, limit }),
};
