/** What the catalogue knows of series and episodes, as NFO files tell it. */
import type { Queryable } from '#storage/postgres/connect.ts';
import type { ProviderIds } from '../../naming/ids.ts';
import { peopleElements, peopleToTell } from '../../nfo/people.ts';
import { element, listed, uniqueIds } from '../../nfo/write.ts';
import { creditsOf } from '../../people/index.ts';
import { externalIdsOf } from '../works.ts';
import type { SeriesRow } from './fields.ts';
import { known } from './known.ts';
import type { NfoEpisode, NfoShow } from './nfo.ts';

/** A series as `tvshow.nfo`: what `readShowNfo` reads again. Pure. */
export const showNfo = (show: NfoShow): string =>
  element('tvshow', {
    title: show.title,
    originaltitle: show.originalTitle,
    sorttitle: show.sortTitle,
    plot: show.overview,
    mpaa: show.certification,
    uniqueid: uniqueIds(show.ids, 'tvdb'),
    genre: show.genres.map(listed),
    year: show.year,
    premiered: show.premiered,
    status: show.status,
    studio: show.studios.map(listed),
    ...peopleElements(show),
  });

/** The episodes of a file, one element each: what `readEpisodeNfo` reads again. Pure. */
export const episodesNfo = (episodes: readonly NfoEpisode[]): string =>
  episodes
    .map(({ title, season, episode, overview, aired }) =>
      element('episodedetails', { title, season, episode, plot: overview, aired }),
    )
    .join('');

interface ShowRow extends Omit<SeriesRow, 'id' | 'identity' | 'match' | 'lockedFields'> {
  readonly ids: ProviderIds;
}

/** What `tvshow.nfo` is to say of a series; undefined: there is none. */
export async function showToTell(sql: Queryable, id: string): Promise<string | undefined> {
  const [[row], credits] = await Promise.all([
    sql<ShowRow[]>`
    select s.title, s.original_title as "originalTitle", s.sort_title as "sortTitle", s.year,
      s.premiered, s.overview, s.status, s.certification, s.genres, s.studios, s.sources,
      ${externalIdsOf(sql, 'series', sql`s.id`)} as ids
    from series s where s.id = ${id}`,
    creditsOf(sql, 'series', [id]),
  ]);
  if (row === undefined) return undefined;
  const isGiven = ['user', 'nfo'].includes(row.sources['sortTitle'] ?? '');
  return showNfo({
    ...{ title: row.title, genres: row.genres, studios: row.studios, ids: row.ids },
    originalTitle: row.originalTitle ?? undefined,
    sortTitle: isGiven ? row.sortTitle : undefined,
    year: row.year ?? undefined,
    premiered: row.premiered ?? undefined,
    overview: row.overview ?? undefined,
    status: row.status ?? undefined,
    certification: row.certification ?? undefined,
    ...peopleToTell(credits),
  });
}

interface EpisodeRow {
  readonly fileId: string;
  readonly title: string | null;
  readonly season: number;
  readonly episode: number | null;
  readonly aired: string | null;
  readonly overview: string | null;
}

/** What NFO files are to say of the episodes of a series, by the file that holds them. */
export async function episodesToTell(sql: Queryable, id: string): Promise<Map<string, string>> {
  const rows = await sql<EpisodeRow[]>`
    select l.file_id as "fileId", ${known(sql, 'title')} as title, n.number as season,
      e.number as episode, ${known(sql, 'air_date')} as aired, ${known(sql, 'overview')} as overview
    from episodes e join seasons n on n.id = e.season_id
    join episode_files l on l.episode_id = e.id
    where e.series_id = ${id} order by l.file_id, l.position`;
  const files = Map.groupBy(rows, ({ fileId }) => fileId);
  // Others count by numbers: an episode that has none has nothing they could find it by.
  const numbered = [...files].filter(([, list]) => list.every(({ episode }) => episode !== null));
  return new Map(
    numbered.map(([fileId, list]) => [
      fileId,
      episodesNfo(
        list.map((row) => ({
          ...{ season: row.season, episode: row.episode ?? undefined },
          title: row.title ?? undefined,
          aired: row.aired ?? undefined,
          overview: row.overview ?? undefined,
        })),
      ),
    ]),
  );
}
