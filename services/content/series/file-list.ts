import type { components } from '#api/types.ts';
import { displayName } from '#storage/media/path.ts';
import type { Queryable } from '#storage/postgres/connect.ts';
import { decodeCursor, encodeCursor, isUuid, pageOf } from '../../cursor.ts';
import { problem } from '../../errors.ts';
import type { Limited } from '../../visible.ts';
import { mustExist } from './episode-list.ts';
import { known } from './known.ts';
import { andOfSeen } from './seen.ts';

type Schemas = components['schemas'];

/** The place of a file among the videos of its series: parts of one version are neighbours. */
interface Place {
  /** Of the first episode it holds. */
  readonly place: string;
  readonly versionId: string;
  readonly part: number;
  readonly id: string;
}

interface Row extends Place {
  readonly name: string;
  readonly version: string | null;
  readonly isStacked: boolean;
  readonly sizeBytes: number;
  readonly isAvailable: boolean;
  readonly isMissing: boolean;
  readonly episodes: Schemas['HeldEpisode'][];
}

/** A series, or one season of it. */
interface Of {
  readonly viewer: Limited;
  readonly seriesId: string;
  readonly season: number | undefined;
}

/** What of a series is asked for. */
interface Asked {
  readonly season?: number;
  readonly limit?: number;
  readonly cursor?: string;
  readonly viewer: Limited;
}

/**
 * One page of the videos of a series, those missing too, in the order of the first episode each
 * holds. Throws `not-found` when there is no such series, `invalid-cursor`.
 */
export async function listSeriesFiles(
  sql: Queryable,
  seriesId: string,
  { season, limit = 50, cursor, viewer }: Asked,
): Promise<Schemas['SeriesFilePage']> {
  const scope = `series files ${seriesId} ${season ?? ''}`;
  const after = cursor === undefined ? undefined : readCursor(scope, cursor);
  const asked = { seriesId, season, viewer };
  const [rows, [all]] = await Promise.all([
    readPage(sql, { ...asked, after, limit: limit + 1 }),
    sql<[{ total: number }]>`
      select count(distinct l.file_id)::int as total ${heldIn(sql, asked)}`,
  ]);
  if (rows.length === 0) await mustExist(sql, seriesId, viewer);
  const { page, last } = pageOf(rows, limit);
  return {
    items: page.map(present),
    total: all.total,
    nextCursor: last === undefined ? null : encodeCursor(scope, placeOf(last)),
  };
}

/** Which episodes `e` of the seasons `n` of a series are held by a file, as `l` says. */
const heldIn = (sql: Queryable, { seriesId, season, viewer }: Of) => sql`
  from episode_files l join episodes e on e.id = l.episode_id join seasons n on n.id = e.season_id
  where e.series_id = ${seriesId} ${andOfSeen(sql, viewer, sql`e.series_id`)}
    and ${season === undefined ? sql`true` : sql`n.number = ${season}`}`;

interface Wanted extends Of {
  readonly after: Place | undefined;
  readonly limit: number;
}

const readPage = async (sql: Queryable, { after, limit, ...asked }: Wanted): Promise<Row[]> =>
  await sql<Row[]>`
    with listed as (
      select f.*, h.place, coalesce(f.facts ->> 'stackId', f.id::text) as version_id,
        coalesce(f.part, 0) as place_in_version
      from (select l.file_id, min(e.place) as place ${heldIn(sql, asked)} group by l.file_id) h
      join files f on f.id = h.file_id
    ), page as (
      select * from listed
      where ${
        after === undefined
          ? sql`true`
          : sql`(place, version_id, place_in_version, id) >
              (${after.place}, ${after.versionId}, ${after.part}, ${after.id}::uuid)`
      }
      order by place, version_id, place_in_version, id
      limit ${limit}
    )
    select f.id, f.place, f.version_id as "versionId", f.place_in_version as part, f.name,
      f.version, f.facts ? 'stackId' as "isStacked", f.size_bytes as "sizeBytes",
      f.missing_since is null and r.unavailable_since is null as "isAvailable",
      f.missing_since is not null as "isMissing", (
        select jsonb_agg(jsonb_build_object('id', e.id, 'season', n.number, 'number', e.number,
          'absolute', e.absolute, 'airDate', ${known(sql, 'air_date')},
          'title', ${known(sql, 'title')}) order by l.position, e.place, e.id)
        from episode_files l join episodes e on e.id = l.episode_id
        join seasons n on n.id = e.season_id
        where l.file_id = f.id
      ) as episodes
    from page f join library_roots r on r.id = f.root_id
    order by f.place, f.version_id, f.place_in_version, f.id`;

const present = (row: Row): Schemas['SeriesFile'] => ({
  id: row.id,
  versionId: row.versionId,
  name: displayName(row.name),
  label: row.version,
  ...(row.isStacked ? { part: row.part } : {}),
  sizeBytes: row.sizeBytes,
  isAvailable: row.isAvailable,
  isMissing: row.isMissing,
  episodes: row.episodes,
});

const placeOf = ({ place, versionId, part, id }: Place) => [place, versionId, part, id];

function readCursor(scope: string, cursor: string): Place {
  const [place, versionId, part, id] = decodeCursor(scope, cursor);
  const isOurs =
    typeof place === 'string' && typeof versionId === 'string' && Number.isInteger(part);
  if (!isOurs || !isUuid(id)) {
    throw problem('invalid-cursor', 'The cursor does not belong to this list');
  }
  return { place, versionId, part: part as number, id };
}
