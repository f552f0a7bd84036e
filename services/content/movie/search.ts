import type { Queryable } from '#storage/postgres/connect.ts';
import { otherTitles } from '../../metadata/other-titles.ts';
import type { SearchSource, SourceDocument } from '../../search/source.ts';
import { sharedAudience } from '../../search/source.ts';
import { idsAfter } from '../works.ts';
import { works } from './movie.ts';

interface Row {
  readonly id: string;
  readonly libraryId: string;
  readonly title: string;
  readonly originalTitle: string | null;
  readonly sortTitle: string;
  readonly collection: string | null;
  readonly year: number | null;
  readonly genres: string[];
  readonly tags: string[];
  readonly certification: string | null;
  readonly studio: string | null;
  readonly resolutions: string[];
  readonly videoCodecs: string[];
  readonly hdrKinds: string[];
  readonly audioLanguages: string[];
  readonly rating: number | null;
  readonly votes: number | null;
  readonly addedAt: Date;
  readonly runnerUp: string | null;
  readonly otherTitles: string[];
  readonly people: string[];
  readonly ids: string[];
}

function readRows(sql: Queryable, ids: readonly string[]): Promise<Row[]> {
  return sql<Row[]>`
    select m.id, m.library_id as "libraryId", m.title, m.original_title as "originalTitle",
      m.sort_title as "sortTitle", m.collection, m.year, m.genres, m.tags, m.certification,
      m.studio, m.resolutions, m.video_codecs as "videoCodecs", m.hdr_kinds as "hdrKinds",
      m.audio_languages as "audioLanguages", m.rating, m.added_at as "addedAt",
      m.match #>> '{runnerUp,title}' as "runnerUp",
      ${otherTitles(sql, works.kind, sql`m.id`)} as "otherTitles",
      (
        select max(votes) from ratings r where r.kind = 'movie' and r.item_id = m.id
      ) as votes,
      array(
        select p.name from credits c join people p on p.id = c.person_id
        where c.kind = 'movie' and c.item_id = m.id
        order by c.role <> 'director', c.role <> 'actor', c.position limit 30
      ) as people,
      array(
        select e.value from external_ids e where e.kind = 'movie' and e.item_id = m.id
      ) as ids
    from movies m where m.id = any (${ids as string[]}::uuid[])`;
}

/** How prominent a film is: by its rating, weighed by how many gave one. */
function rankOf({ rating, votes }: Row): number {
  if (rating === null) return 0.3;
  const weight = votes === null ? 0.5 : Math.min(Math.log10(votes + 1) / 6, 1);
  return Math.round((0.3 + 0.7 * (rating / 10) * weight) * 1_000) / 1_000;
}

const some = (value: string | null): string[] => (value === null ? [] : [value]);

function toDocument(row: Row): SourceDocument {
  const year = row.year ?? undefined;
  const known = [...some(row.originalTitle), ...some(row.collection), ...some(row.runnerUp)];
  const titles = [...known, ...row.otherTitles];
  return {
    id: row.id,
    audience: sharedAudience,
    title: row.title,
    titles: [...new Set(titles)].filter((title) => title !== row.title),
    people: row.people,
    keywords: [...row.ids, ...row.tags].slice(0, 50),
    year,
    subtitle: row.people[0],
    facets: {
      library: [row.libraryId],
      genre: row.genres,
      tag: row.tags,
      decade: year === undefined ? [] : [String(Math.floor(year / 10) * 10)],
      certification: some(row.certification),
      studio: some(row.studio),
      resolution: row.resolutions,
      videoCodec: row.videoCodecs,
      hdr: row.hdrKinds,
      audioLanguage: row.audioLanguages,
    },
    rank: rankOf(row),
    addedAt: row.addedAt,
  };
}

/** How films are found. */
export const movieSearch: SearchSource = {
  kind: 'movie',
  permission: 'movies:read',
  async documents(sql, ids) {
    return (await readRows(sql, ids)).map(toDocument);
  },
  idsAfter: (sql, afterId, limit) => idsAfter(sql, works, { afterId, limit }),
};
