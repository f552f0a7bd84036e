import type { Queryable } from '#storage/postgres/connect.ts';
import { countOf, type EpisodePlaceRow } from './summaries.ts';

/** What tells people which season or episode it is: `Dark S01`, `Dark S01E02`. */
export async function nameOfPart(
  sql: Queryable,
  label: 'season' | 'episode',
  id: string,
): Promise<string | undefined> {
  if (label === 'season') {
    const [season] = await sql<{ title: string; number: number }[]>`
      select s.title, n.number from seasons n join series s on s.id = n.series_id
      where n.id = ${id}`;
    return season && `${season.title} S${String(season.number).padStart(2, '0')}`;
  }
  const [episode] = await sql<(EpisodePlaceRow & { title: string })[]>`
    select s.title, n.number as season, e.number, e.absolute, e.air_date as "airDate"
    from episodes e join seasons n on n.id = e.season_id join series s on s.id = e.series_id
    where e.id = ${id}`;
  return episode && [episode.title, countOf(episode)].filter(Boolean).join(' ');
}
