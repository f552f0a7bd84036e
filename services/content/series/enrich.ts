import { isDeepStrictEqual } from 'node:util';
import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import type { Applied, EnrichedKind, Verdict } from '../../metadata/kind.ts';
import type { WorkFacts } from '../../metadata/match.ts';
import { ownIdsObject, ownIdsText } from '../../metadata/own-ids.ts';
import type { EpisodeRecord, SeriesRecord } from '../../metadata/provider.ts';
import type { ProviderIds } from '../../naming/ids.ts';
import { changesOf, noteChanges } from '../history.ts';
import { fieldNames, type SeriesRow } from './fields.ts';
import { saveSeries, seriesColumns } from './identify-store.ts';
import type { Match } from './plan.ts';
import { applyRecord } from './record.ts';
import { itemTag, listTag, works } from './series.ts';

const { kind } = works;

/** How series are looked up elsewhere, and what becomes of what is found. */
export const enrichedSeries: EnrichedKind<SeriesRecord> = {
  kind,
  tags: (id) => [itemTag(id), listTag],
  evidence: (sql, ids) => sql`
    select s.id, concat_ws('|', s.identity, s.match ->> 'nfoPath',
      ${ownIdsText(sql, kind, sql`s.id`)}), null
    from series s where s.id = any (${ids as string[]}::uuid[])`,
  facts: factsOf,
  apply,
  async lockIds(tx, id) {
    await tx`
      update series set locked_fields = locked_fields || '{ids}', revision = revision + 1
      where id = ${id} and not locked_fields @> '{ids}'`;
  },
};

interface FactsRow extends Pick<SeriesRow, 'title' | 'year' | 'sources' | 'match'> {
  readonly ids: ProviderIds;
  readonly language: string;
}

async function factsOf(sql: Queryable, id: string): Promise<WorkFacts | undefined> {
  const [row] = await sql<FactsRow[]>`
    select s.title, s.year, s.sources, s.match, l.language,
      ${ownIdsObject(sql, kind, sql`s.id`)} as ids
    from series s join libraries l on l.id = s.library_id where s.id = ${id}`;
  if (row === undefined) return undefined;
  const { sources, ids, language } = row;
  const match = row.match as Partial<Match>;
  const isOwn = ['user', 'nfo', 'name'].includes(sources['title'] ?? 'name');
  const titles = [isOwn ? row.title : undefined, match.title, match.runnerUp?.title];
  const known = titles.filter((title) => title !== undefined && title !== '') as string[];
  return {
    titles: [...new Set(known.length === 0 ? [row.title] : known)],
    year: match.year ?? (isOwn ? (row.year ?? undefined) : undefined),
    ...{ ids, language },
  };
}

type Locked = SeriesRow & { readonly libraryId: string; readonly language: string };

async function apply(
  tx: Tx,
  id: string,
  verdict: Verdict<SeriesRecord>,
): Promise<Applied | undefined> {
  const [found] = await tx<Locked[]>`
    select ${seriesColumns(tx)}, s.library_id as "libraryId", l.language
    from series s join libraries l on l.id = s.library_id
    where s.id = ${id} for no key update of s`;
  if (found === undefined) return undefined;
  const { libraryId, language, ...row } = found;
  const next = applyRecord(row, verdict, language);
  const isOther = !isDeepStrictEqual(next, { ...row });
  if (isOther) await saveSeries(tx, libraryId, [next]);
  const fields = changesOf(row, next, fieldNames);
  if (fields !== undefined) {
    await noteChanges(tx, kind, [{ itemId: id, source: verdict.provider, fields }]);
  }
  const isMore = await saveKnown(tx, id, verdict.record?.episodes ?? []);
  const held = await tx<{ id: string }[]>`select id from episodes where series_id = ${id}`;
  const parts = { kind: 'episode', ids: held.map((episode) => episode.id) };
  const isIdLocked = row.lockedFields.includes('ids');
  return { libraryId, isChanged: isOther || isMore, isIdLocked, parts };
}

/** Makes these the episodes that are known of a series; true when they were others before. */
async function saveKnown(
  tx: Tx,
  seriesId: string,
  episodes: readonly EpisodeRecord[],
): Promise<boolean> {
  const byPlace = new Map(episodes.map((one) => [`${one.season} ${one.number}`, one]));
  const rows = counted([...byPlace.values()]).map(({ season, number, absolute, ...rest }) => ({
    ...{ season, number, absolute, title: rest.title ?? null, overview: rest.overview ?? null },
    ...{ airDate: rest.airDate ?? null, runtimeMs: rest.runtimeMs ?? null },
  }));
  const changed = await tx`
    with given as (
      select * from jsonb_to_recordset(${tx.json(rows)}) as r (
        season integer, number integer, absolute integer, title text, overview text,
        "airDate" date, "runtimeMs" bigint)
    ), gone as (
      delete from known_episodes k where k.series_id = ${seriesId} and not exists (
        select from given g where g.season = k.season and g.number = k.number)
      returning k.number
    ), come as (
      insert into known_episodes as k (
        series_id, season, number, absolute, title, overview, air_date, runtime_ms)
      select ${seriesId}, season, number, absolute, title, overview, "airDate", "runtimeMs"
      from given
      on conflict (series_id, season, number) do update set absolute = excluded.absolute,
        title = excluded.title, overview = excluded.overview, air_date = excluded.air_date,
        runtime_ms = excluded.runtime_ms
      where (k.absolute, k.title, k.overview, k.air_date, k.runtime_ms) is distinct from (
        excluded.absolute, excluded.title, excluded.overview, excluded.air_date,
        excluded.runtime_ms)
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
