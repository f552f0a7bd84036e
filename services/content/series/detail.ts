import type { Queryable } from '#storage/postgres/connect.ts';
import { presentExtra, presentSubtitle, presentVersions } from '../files-view.ts';
import { readItemFiles, shownFiles } from '../item-files.ts';
import { presentMatch } from '../match.ts';
import { externalIdsOf } from '../works.ts';
import {
  episodeColumns,
  findNeighbours,
  findUpNext,
  presentEpisodes,
  type EpisodeRow,
} from './episode-list.ts';
import { cardColumns, counts, presentCard, type CardRow } from './list.ts';
import { known } from './known.ts';
import type { Match } from './plan.ts';
import type { EpisodeView, SeriesDeps, SeriesView } from './series.ts';

interface SeriesDetail extends CardRow {
  readonly sortTitle: string;
  readonly originalTitle: string | null;
  readonly premiered: string | null;
  readonly overview: string | null;
  readonly status: string | null;
  readonly certification: string | null;
  readonly studios: string[];
  readonly match: Match | Record<never, never>;
  readonly sources: Record<string, string>;
  readonly updatedAt: Date;
  readonly externalIds: Record<string, string>;
}

/** A series with its seasons, for one viewer; undefined: there is none. */
export async function readSeries(
  deps: SeriesDeps,
  id: string,
  userId: string,
): Promise<SeriesView | undefined> {
  const { sql, images } = deps;
  const [[row], seasons, extras, pictures, next] = await Promise.all([
    sql<SeriesDetail[]>`
      select ${cardColumns(sql)}, s.sort_title as "sortTitle",
        s.original_title as "originalTitle", s.premiered, s.overview, s.status, s.certification,
        s.studios, s.match, s.sources, s.updated_at as "updatedAt",
        ${externalIdsOf(sql, 'series', sql`s.id`)} as "externalIds"
      from series s ${counts(sql, userId)} where s.id = ${id}`,
    seasonsOf(sql, id, userId),
    readItemFiles(sql, sql`f.item_id = ${id} and f.role = 'extra'`),
    images.forItems(sql, 'series', [id]),
    findUpNext(sql, id, userId),
  ]);
  if (row === undefined) return undefined;
  const [upNext] = await presentEpisodes(deps, next === undefined ? [] : [next], userId);
  return {
    ...presentCard(row, pictures.get(id) ?? {}),
    sortTitle: row.sortTitle,
    originalTitle: row.originalTitle,
    premiered: row.premiered,
    overview: row.overview,
    status: row.status,
    certification: row.certification,
    studios: row.studios,
    externalIds: row.externalIds,
    seasons,
    extras: extras.filter(({ isMissing }) => !isMissing).map(presentExtra),
    upNext: upNext ?? null,
    match: presentMatch(row.match, (row.match as Partial<Match>).nfoPath),
    sources: row.sources,
    updatedAt: row.updatedAt.toISOString(),
  };
}

const seasonsOf = async (
  sql: Queryable,
  seriesId: string,
  userId: string,
): Promise<SeriesView['seasons']> => [
  ...(await sql<SeriesView['seasons']>`
    select n.id, n.number, count(*)::int as "episodeCount", count(u.item_id)::int as "watchedCount",
      bool_or(e.is_available) as "isAvailable"
    from seasons n join episodes e on e.season_id = n.id
    left join user_items u on u.user_id = ${userId} and u.kind = 'episode' and u.item_id = e.id
      and u.watched_at is not null
    where n.series_id = ${seriesId}
    group by n.id order by n.number`),
];

/** An episode with its files, for one viewer; undefined: there is none. */
export async function readEpisode(
  deps: SeriesDeps,
  id: string,
  userId: string,
): Promise<EpisodeView | undefined> {
  const { sql } = deps;
  const [rows, videos] = await Promise.all([
    sql<(EpisodeRow & { overview: string | null })[]>`
      select ${episodeColumns(sql)}, ${known(sql, 'overview')} as overview
      from episodes e join seasons n on n.id = e.season_id join series s on s.id = e.series_id
      where e.id = ${id}`,
    readItemFiles(
      sql,
      sql`f.id in (select l.file_id from episode_files l where l.episode_id = ${id})`,
    ),
  ]);
  const [row] = rows;
  if (row === undefined) return undefined;
  const { previous, next } = await findNeighbours(sql, row);
  const shownRows = [row, previous, next].filter((one) => one !== undefined);
  const cards = await presentEpisodes(deps, shownRows, userId);
  const cardOf = (one: EpisodeRow | undefined) => cards.find((card) => card.id === one?.id) ?? null;
  const card = cards[0]!;
  const shown = shownFiles(videos);
  const ids = shown.map((file) => file.id);
  const subtitles = await readItemFiles(
    sql,
    sql`f.item_id = ${row.seriesId} and f.role = 'subtitle' and f.missing_since is null
      and f.facts ->> 'forFileId' = any (${ids}::text[])`,
  );
  return {
    ...card,
    overview: row.overview,
    versions: presentVersions(shown),
    subtitles: subtitles.map(presentSubtitle),
    previous: cardOf(previous),
    next: cardOf(next),
  };
}
