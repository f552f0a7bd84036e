/** Which pictures beside the videos of a series are those of its seasons and episodes. */
import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import { readImageName } from '../../artwork/names.ts';
import type { PictureParts } from '../../artwork/parts.ts';
import { seasonOfFolder } from '../../naming/season-folder.ts';
import { isKnownBySeason } from './order.ts';

const words = 'thumb|landscape|poster|cover|fanart|backdrop|background|art|banner|logo|clearlogo';
const suffix = `[-._ ](${words})[-._ ]?[0-9]{0,2}$`;

type LookUp = Pick<PictureParts, 'partsOf' | 'worksOf' | 'offers'>;

/** `known`: from-clause, what joins a `part` with what a provider knows of it, the table `k`. */
const lookUp = (
  table: 'seasons' | 'episodes',
  known: (sql: Queryable) => ReturnType<Queryable>,
): LookUp => ({
  async partsOf(sql, ids) {
    const rows = await sql<{ id: string }[]>`
      select id from ${sql(table)} where series_id = any (${ids as string[]}::uuid[])`;
    return rows.map(({ id }) => id);
  },
  async worksOf(sql, ids) {
    const rows = await sql<{ id: string }[]>`
      select distinct series_id as id from ${sql(table)}
      where id = any (${ids as string[]}::uuid[])`;
    return rows.map(({ id }) => id);
  },
  offers: (sql, ids) => sql`
    select part.id as "itemId", o.one ->> 'type' as type, o.one ->> 'url' as url,
      o.one ->> 'language' as language, o.place::int as place
    from ${known(sql)}
    cross join lateral jsonb_array_elements(k.images) with ordinality as o (one, place)
    where part.id = any (${ids as string[]}::uuid[])
    order by part.id, type, place`,
});

const knownEpisodes = (sql: Queryable): ReturnType<Queryable> => sql`
  episodes part join known_episodes k on k.series_id = part.series_id
    and k.season = part.known_season and k.number = part.known_number`;

const knownSeasons = (sql: Queryable): ReturnType<Queryable> => sql`
  seasons part join known_seasons k on k.series_id = part.series_id and k.number = part.number
    and (part.number = 0 or ${isKnownBySeason(sql, sql`part.series_id`)})`;

/** Episodes: what has the name of their video, and what lies within it. */
export const episodePictures: PictureParts = {
  kind: 'episode',
  of: 'series',
  ...lookUp('episodes', knownEpisodes),
  claims: (sql, ids) => sql`
    with video as (
      select l.episode_id, f.id, f.root_id, f.probe,
        lower(regexp_replace(f.path, '[.][^./]*$', '')) as stem
      from files f join episode_files l on l.file_id = f.id
      where f.item_id = any (${ids as string[]}::uuid[]) and f.role = 'video'
        and f.missing_since is null
    ), image as (
      select id, root_id, lower(regexp_replace(path, '[.][^./]*$', '')) as stem from files
      where item_id = any (${ids as string[]}::uuid[]) and role = 'image'
        and missing_since is null
    ), beside as (
      select id, root_id, stem from image
      union select id, root_id, regexp_replace(stem, ${suffix}, '') from image
    ), claim as (
      select v.episode_id, b.id from video v join beside b using (root_id, stem)
    )
    select episode_id as "partId", id as "fileId" from claim
    union
    select episode_id, id from video
    where episode_id in (select episode_id from claim) or jsonb_path_exists(probe,
      '$.streams[*] ? (@.type == "attachment" && @.role == "picture")')`,
  readName(path, stems) {
    const named = readImageName(path, stems);
    const stem = stemOf(path);
    // What is named as the video is a picture of what happens in it, and lies as that does.
    const isPlain = stems.some((one) => one.toLowerCase() === stem);
    return named && isPlain ? { ...named, type: 'thumb' } : named;
  },
};

const named = /^season[-._ ]?(\d{1,4}|specials?)(?:[-._ ]|$)/;
const general = `^(${words}|folder|season)`;

/** Seasons: `season01-poster.jpg`, and what lies in the folder of a season under a general name. */
export const seasonPictures: PictureParts = {
  kind: 'season',
  of: 'series',
  ...lookUp('seasons', knownSeasons),
  async claims(sql, ids) {
    const images = await sql<{ id: string; path: string; seriesId: string }[]>`
      select id, path, item_id as "seriesId" from files
      where item_id = any (${ids as string[]}::uuid[]) and role = 'image'
        and missing_since is null and lower(name) ~ ${general}`;
    const seasons = await sql<{ id: string; number: number; seriesId: string }[]>`
      select id, number, series_id as "seriesId" from seasons
      where series_id = any (${ids as string[]}::uuid[])`;
    const byNumber = new Map(seasons.map((one) => [`${one.seriesId} ${one.number}`, one.id]));
    return images.flatMap(({ id: fileId, path, seriesId }) => {
      const number = seasonOfPicture(path);
      const partId = number === undefined ? undefined : byNumber.get(`${seriesId} ${number}`);
      return partId === undefined ? [] : [{ partId, fileId }];
    });
  },
  readName(path) {
    const rest = stemOf(path).replace(named, '');
    return readImageName(rest === '' ? 'poster.jpg' : `${rest}.jpg`, []);
  },
};

/** The season that a picture is of, by its name or its folder; undefined: of none. Pure. */
export function seasonOfPicture(path: string): number | undefined {
  const [, told] = named.exec(stemOf(path)) ?? [];
  if (told !== undefined) return told.startsWith('special') ? 0 : Number(told);
  if (readImageName(path, []) === undefined) return undefined;
  const [, folder, parent] = path.split('/').reverse();
  return folder === undefined ? undefined : seasonOfFolder(folder, parent);
}

const stemOf = (path: string): string =>
  (path.toLowerCase().split('/').at(-1) ?? '').replace(/\.[^.]*$/, '');

/**
 * The pictures of parts go with them. Called once they are deleted: a picture that was being added
 * to one has held it until then.
 */
export async function forgetPictures(
  tx: Tx,
  kind: 'season' | 'episode',
  ids: readonly string[],
): Promise<void> {
  await tx`delete from images where kind = ${kind} and item_id = any (${ids as string[]}::uuid[])`;
}
