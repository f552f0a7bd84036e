import type { Queryable } from '#storage/postgres/connect.ts';
import { presentExtra, presentSubtitle, presentVersions } from '../files-view.ts';
import type { EpisodeOrder } from '../../metadata/provider.ts';
import { creditsOf, presentCredits } from '../../people/index.ts';
import { readItemFiles, shownFiles } from '../item-files.ts';
import { andSeen, type Viewer } from '../../visible.ts';
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
import { known, seasonShown, seasonTold, toldElsewhere } from './known.ts';
import type { Match } from './plan.ts';
import { andOfSeen } from './seen.ts';
import type { EpisodeView, SeasonView, SeriesDeps, SeriesView } from './series.ts';

interface SeriesDetail extends CardRow {
  readonly sortTitle: string;
  readonly originalTitle: string | null;
  readonly premiered: string | null;
  readonly overview: string | null;
  readonly status: string | null;
  readonly certification: string | null;
  readonly studios: string[];
  readonly episodeOrder: EpisodeOrder | null;
  readonly match: Match | Record<never, never>;
  readonly sources: Record<string, string>;
  readonly lockedFields: string[];
  readonly revision: number;
  readonly updatedAt: Date;
  readonly externalIds: Record<string, string>;
}

/** What one viewer sees of a work, and the revision it is at. */
export interface Seen<View> {
  readonly view: View;
  readonly revision: number;
}

/** A series with its seasons, for one viewer; undefined: there is none. */
export async function readSeries(
  deps: SeriesDeps,
  id: string,
  viewer: Viewer,
): Promise<Seen<SeriesView> | undefined> {
  const { userId } = viewer;
  const { sql, images } = deps;
  const [[row], seasons, extras, credits, pictures, next] = await Promise.all([
    sql<SeriesDetail[]>`
      select ${cardColumns(sql)}, s.sort_title as "sortTitle",
        s.original_title as "originalTitle", s.premiered, s.overview, s.status, s.certification,
        s.studios, s.episode_order as "episodeOrder", s.match, s.sources,
        s.locked_fields as "lockedFields", s.revision, s.updated_at as "updatedAt",
        ${externalIdsOf(sql, 'series', sql`s.id`)} as "externalIds"
      from series s ${counts(sql, userId)} where s.id = ${id}
        ${andSeen(sql, viewer, sql`s.library_id`)}`,
    seasonsOf(deps, sql`n.series_id = ${id}`, userId),
    readItemFiles(sql, sql`f.item_id = ${id} and f.role = 'extra'`),
    creditsOf(sql, 'series', [id]),
    images.forItems(sql, 'series', [id]),
    findUpNext(sql, id, userId),
  ]);
  if (row === undefined) return undefined;
  const [upNext] = await presentEpisodes(deps, next === undefined ? [] : [next], userId);
  const view: SeriesView = {
    ...presentCard(row, pictures.get(id) ?? {}),
    sortTitle: row.sortTitle,
    originalTitle: row.originalTitle,
    premiered: row.premiered,
    overview: row.overview,
    status: row.status,
    certification: row.certification,
    studios: row.studios,
    episodeOrder: row.episodeOrder,
    people: presentCredits(credits),
    externalIds: row.externalIds,
    seasons: seasons.map((season) => season.view),
    extras: extras.filter(({ isMissing }) => !isMissing).map(presentExtra),
    upNext: upNext ?? null,
    match: presentMatch(row.match, (row.match as Partial<Match>).nfoPath),
    sources: row.sources,
    lockedFields: row.lockedFields,
    updatedAt: row.updatedAt.toISOString(),
  };
  return { view, revision: row.revision };
}

/** A season, for one viewer; undefined: there is none. */
export async function readSeason(
  deps: SeriesDeps,
  id: string,
  viewer: Viewer,
): Promise<Seen<SeasonView> | undefined> {
  const { sql } = deps;
  const condition: ReturnType<Queryable> = sql`n.id = ${id} ${andOfSeen(sql, viewer, sql`n.series_id`)}`;
  const [season] = await seasonsOf(deps, condition, viewer.userId);
  return season;
}

interface SeasonRow extends Omit<SeasonView, 'sources' | 'lockedFields' | 'images'> {
  readonly edited: string[];
  readonly provided: Record<string, string>;
  readonly revision: number;
}

/** The seasons `n` that fulfil a condition, in order. */
async function seasonsOf(
  { sql, images }: SeriesDeps,
  condition: ReturnType<Queryable>,
  userId: string,
): Promise<Seen<SeasonView>[]> {
  const rows = await sql<SeasonRow[]>`
    select n.id, n.number, ${seasonShown(sql, 'title')} as title,
      ${seasonShown(sql, 'overview')} as overview, ${editedOf(sql, sql`n`)} as edited, n.revision,
      ${providedBy(sql, [
        ['title', seasonTold(sql, 'title')],
        ['overview', seasonTold(sql, 'overview')],
      ])} as provided,
      count(*)::int as "episodeCount", count(u.item_id)::int as "watchedCount",
      bool_or(e.is_available) as "isAvailable"
    from seasons n join episodes e on e.season_id = n.id
    left join user_items u on u.user_id = ${userId} and u.kind = 'episode' and u.item_id = e.id
      and u.watched_at is not null
    where ${condition}
    group by n.id order by n.number`;
  const ids = rows.map(({ id }) => id);
  const pictures = await images.forItems(sql, 'season', ids);
  return rows.map(({ edited, provided, revision, ...view }) => ({
    view: {
      ...view,
      images: { ...pictures.get(view.id) },
      sources: { ...provided, ...sourcesOf(edited) },
      lockedFields: edited,
    },
    revision,
  }));
}

/** A column: the provider of the series of the season `n`, by field of which there is a text. */
function providedBy(
  sql: Queryable,
  fields: readonly (readonly [name: string, text: ReturnType<Queryable>])[],
): ReturnType<Queryable> {
  const pairs = fields.map(
    ([name, text], at) =>
      sql`${at === 0 ? sql`` : sql`, `}${name}::text, case when ${text} is not null then m.provider end`,
  );
  const object = pairs.reduce((all, one) => sql`${all}${one}`, sql``);
  return sql`
    jsonb_strip_nulls((
      select jsonb_build_object(${object})
      from (select 1) one
      left join metadata_states m on m.kind = 'series' and m.item_id = n.series_id))`;
}

/** A column: the fields of a part of a series that a person has set, sorted. */
const editedOf = (sql: Queryable, table: ReturnType<Queryable>): ReturnType<Queryable> =>
  sql`array(select jsonb_object_keys(${table}.edits) order by 1)`;

const sourcesOf = (edited: readonly string[]): Record<string, string> =>
  Object.fromEntries(edited.map((name) => [name, 'user']));

interface EpisodeDetail extends EpisodeRow {
  readonly overview: string | null;
  readonly revision: number;
  /** What of the files tells each field, for those that they tell. */
  readonly told: Record<string, string>;
  readonly edited: string[];
  /** Who else tells a field that files may leave open. */
  readonly provided: Record<string, string>;
}

/** A column: what of the files tells the fields of the episode `e` that they tell. */
const toldOf = (sql: Queryable): ReturnType<Queryable> => sql`
  jsonb_strip_nulls(jsonb_build_object(
    'title', case when e.title is not null then 'name' end,
    'overview', case when e.overview is not null then 'name' end,
    'airDate', case when e.air_date is not null then 'name' end)) || e.sources`;

/** A column: the provider, by field it knows of the episode `e` of the season `n`. */
const providedOf = (sql: Queryable): ReturnType<Queryable> =>
  providedBy(sql, [
    ['title', toldElsewhere(sql, 'title')],
    ['overview', toldElsewhere(sql, 'overview')],
    ['airDate', toldElsewhere(sql, 'air_date')],
  ]);

/** An episode with its files, for one viewer; undefined: there is none. */
export async function readEpisode(
  deps: SeriesDeps,
  id: string,
  viewer: Viewer,
): Promise<Seen<EpisodeView> | undefined> {
  const { sql } = deps;
  const [rows, videos] = await Promise.all([
    sql<EpisodeDetail[]>`
      select ${episodeColumns(sql)}, ${known(sql, 'overview')} as overview, e.revision,
        ${toldOf(sql)} as told, ${editedOf(sql, sql`e`)} as edited, ${providedOf(sql)} as provided
      from episodes e join seasons n on n.id = e.season_id join series s on s.id = e.series_id
      where e.id = ${id} ${andSeen(sql, viewer, sql`s.library_id`)}`,
    readItemFiles(
      sql,
      sql`f.id in (select l.file_id from episode_files l where l.episode_id = ${id})`,
    ),
  ]);
  const [row] = rows;
  if (row === undefined) return undefined;
  const { previous, next } = await findNeighbours(sql, row);
  const shownRows = [row, previous, next].filter((one) => one !== undefined);
  const cards = await presentEpisodes(deps, shownRows, viewer.userId);
  const cardOf = (one: EpisodeRow | undefined) => cards.find((card) => card.id === one?.id) ?? null;
  const card = cards[0]!;
  const shown = shownFiles(videos);
  const ids = shown.map((file) => file.id);
  const subtitles = await readItemFiles(
    sql,
    sql`f.item_id = ${row.seriesId} and f.role = 'subtitle' and f.missing_since is null
      and f.facts ->> 'forFileId' = any (${ids}::text[])`,
  );
  const view: EpisodeView = {
    ...card,
    overview: row.overview,
    sources: { ...row.provided, ...row.told, ...sourcesOf(row.edited) },
    lockedFields: row.edited,
    versions: presentVersions(shown),
    subtitles: subtitles.map(presentSubtitle),
    previous: cardOf(previous),
    next: cardOf(next),
  };
  return { view, revision: row.revision };
}
