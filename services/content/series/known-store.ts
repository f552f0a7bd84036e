/** What a provider knows of the parts of a series, had or not. */
import type { Tx } from '#storage/postgres/connect.ts';
import type { EpisodeRecord, SeasonRecord, SeriesRecord } from '../../metadata/provider.ts';
import { saveOrder } from './order.ts';

/** Parts as a record has them. */
type Parts = Pick<SeriesRecord, 'seasons' | 'episodes' | 'ordered'>;

/** Makes these what is known of the parts of a series; true when it was something else before. */
export async function saveKnown(tx: Tx, seriesId: string, parts: Parts): Promise<boolean> {
  const areSeasonsOther = await saveSeasons(tx, seriesId, parts.seasons);
  const areEpisodesOther = await saveEpisodes(tx, seriesId, parts.episodes);
  const isOrderOther =
    parts.ordered !== undefined && (await saveOrder(tx, seriesId, parts.ordered));
  return areSeasonsOther || areEpisodesOther || isOrderOther;
}

async function saveSeasons(
  tx: Tx,
  seriesId: string,
  seasons: readonly SeasonRecord[],
): Promise<boolean> {
  const byNumber = new Map(seasons.map((one) => [one.number, one]));
  const rows = [...byNumber.values()].map((one) => ({
    ...{ number: one.number, title: one.title ?? null, overview: one.overview ?? null },
    ...{ translations: one.translations ?? [], images: one.images ?? [] },
  }));
  const changed = await tx`
    with given as (
      select * from jsonb_to_recordset(${tx.json(rows as never)}) as r (
        number integer, title text, overview text, translations jsonb, images jsonb)
    ), gone as (
      delete from known_seasons k where k.series_id = ${seriesId} and not exists (
        select from given g where g.number = k.number)
      returning k.number
    ), come as (
      insert into known_seasons as k (series_id, number, title, overview, translations, images)
      select ${seriesId}, number, title, overview, translations, images from given
      on conflict (series_id, number) do update set title = excluded.title,
        overview = excluded.overview, translations = excluded.translations,
        images = excluded.images
      where (k.title, k.overview, k.translations, k.images) is distinct from (
        excluded.title, excluded.overview, excluded.translations, excluded.images)
      returning k.number
    )
    select number from gone union all select number from come`;
  return changed.length > 0;
}

async function saveEpisodes(
  tx: Tx,
  seriesId: string,
  episodes: readonly EpisodeRecord[],
): Promise<boolean> {
  const byPlace = new Map(episodes.map((one) => [`${one.season} ${one.number}`, one]));
  const rows = counted([...byPlace.values()]).map(({ season, number, absolute, ...rest }) => ({
    ...{ season, number, absolute, title: rest.title ?? null, overview: rest.overview ?? null },
    ...{ airDate: rest.airDate ?? null, runtimeMs: rest.runtimeMs ?? null },
    ...{ translations: rest.translations ?? [], images: rest.images ?? [] },
  }));
  const changed = await tx`
    with given as (
      select * from jsonb_to_recordset(${tx.json(rows as never)}) as r (
        season integer, number integer, absolute integer, title text, overview text,
        "airDate" date, "runtimeMs" bigint, translations jsonb, images jsonb)
    ), gone as (
      delete from known_episodes k where k.series_id = ${seriesId} and not exists (
        select from given g where g.season = k.season and g.number = k.number)
      returning k.number
    ), come as (
      insert into known_episodes as k (
        series_id, season, number, absolute, title, overview, air_date, runtime_ms, translations,
        images)
      select ${seriesId}, season, number, absolute, title, overview, "airDate", "runtimeMs",
        translations, images
      from given
      on conflict (series_id, season, number) do update set absolute = excluded.absolute,
        title = excluded.title, overview = excluded.overview, air_date = excluded.air_date,
        runtime_ms = excluded.runtime_ms, translations = excluded.translations,
        images = excluded.images
      where (k.absolute, k.title, k.overview, k.air_date, k.runtime_ms, k.translations, k.images)
        is distinct from (
          excluded.absolute, excluded.title, excluded.overview, excluded.air_date,
          excluded.runtime_ms, excluded.translations, excluded.images)
      returning k.number
    )
    select number from gone union all select number from come`;
  return changed.length > 0;
}

/** Each with its number through all seasons: the provider's, else by its place; specials have none. */
function counted(episodes: readonly EpisodeRecord[]) {
  const order = episodes.toSorted((a, b) => a.season - b.season || a.number - b.number);
  const regular = order.filter(({ season }) => season > 0);
  const isTold = regular.every(({ absolute }) => absolute !== undefined);
  const places = new Map(regular.map((one, index) => [one, isTold ? one.absolute : index + 1]));
  return order.map((one) => ({ ...one, absolute: places.get(one) ?? null }));
}
