import type { components } from '#api/types.ts';
import type { Queryable } from '#storage/postgres/connect.ts';
import { isOneOf } from '../../visible.ts';
import { countLetters } from '../works.ts';

type Filters = components['schemas']['MovieFilters'];

type Fragment = ReturnType<Queryable>;

const valuesMax = 200;

/** Of which films: of one library, or of all, that a viewer who is limited to some sees. */
export interface FacetsOf {
  readonly library: string | undefined;
  readonly limits: readonly string[] | undefined;
}

function conditionOf(sql: Queryable, { library, limits }: FacetsOf): Fragment {
  const own: Fragment = library === undefined ? sql`true` : sql`library_id = ${library}`;
  return limits === undefined ? own : sql`${own} and ${isOneOf(sql, sql`library_id`, limits)}`;
}

/**
 * How many films have each value that can be filtered by, most frequent first. Reads all films of
 * the library once (combinations are counted, then taken apart), so it is for the cache.
 */
export async function countFacets(sql: Queryable, { library, limits }: FacetsOf): Promise<Filters> {
  const condition = conditionOf(sql, { library, limits });
  const rows = await sql<{ field: keyof Filters; value: string; count: number }[]>`
    with combined as (
      select grouping(genres, resolutions, video_codecs, hdr_kinds, audio_languages,
          year / 10, certification) as bits,
        genres, resolutions, video_codecs, hdr_kinds, audio_languages, year / 10 as decade,
        certification, count(*) as count
      from movies where ${condition}
      group by grouping sets ((genres), (resolutions), (video_codecs), (hdr_kinds),
        (audio_languages), (year / 10), (certification))
    ), counted as (
      select c.field, v.value, sum(c.count)::int8 as count
      from (
        select case bits
            when 63 then 'genres' when 95 then 'resolutions' when 111 then 'videoCodecs'
            when 119 then 'hdr' when 123 then 'languages' when 125 then 'decades'
            else 'certifications'
          end as field,
          case bits
            when 63 then genres when 95 then resolutions when 111 then video_codecs
            when 119 then hdr_kinds when 123 then audio_languages
            when 125 then array[(decade * 10)::text] else array[certification]
          end as options,
          count
        from combined
      ) c, unnest(c.options) v (value)
      where v.value is not null
      group by c.field, v.value
    ), ranked as (
      select *, row_number() over (partition by field order by count desc, value) as place
      from counted
    )
    select field, value, count from ranked where place <= ${valuesMax} order by field, place`;
  const facets: Filters = {
    genres: [],
    resolutions: [],
    videoCodecs: [],
    hdr: [],
    languages: [],
    decades: [],
    certifications: [],
    letters: await countLetters(sql, 'movies', condition),
  };
  for (const { field, value, count } of rows) facets[field].push({ value, count });
  return facets;
}
