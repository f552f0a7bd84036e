import { isDeepStrictEqual } from 'node:util';
import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import type { Applied, EnrichedKind, Verdict } from '../../metadata/kind.ts';
import type { WorkFacts } from '../../metadata/match.ts';
import { ownIdsObject, ownIdsText } from '../../metadata/own-ids.ts';
import type { EpisodeOrder, SeriesRecord } from '../../metadata/provider.ts';
import type { ProviderIds } from '../../naming/ids.ts';
import { applyCast, withCastSource } from '../cast.ts';
import { changesOf, noteChanges } from '../history.ts';
import { fieldNames, type SeriesRow } from './fields.ts';
import { saveSeries, seriesColumns } from './identify-store.ts';
import { saveKnown } from './known-store.ts';
import { forgetOrders, matchKnown } from './order.ts';
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
  readonly order: EpisodeOrder | null;
}

async function factsOf(sql: Queryable, id: string): Promise<WorkFacts | undefined> {
  const [row] = await sql<FactsRow[]>`
    select s.title, s.year, s.sources, s.match, l.language, s.episode_order as "order",
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
    ...{ ids, language, order: row.order ?? undefined },
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
  const told = applyRecord(row, verdict, language);
  const cast = await applyCast(tx, { kind, row: told }, verdict);
  const next = { ...told, sources: withCastSource(told.sources, cast.source) };
  const isOther = cast.isChanged || !isDeepStrictEqual(next, { ...row });
  if (isOther) await saveSeries(tx, libraryId, [next]);
  const fields = changesOf(row, next, fieldNames);
  if (fields !== undefined) {
    await noteChanges(tx, kind, [{ itemId: id, source: verdict.provider, fields }]);
  }
  await forgetOrders(tx, id, { provider: verdict.provider, recordId: verdict.record?.id });
  const isMore = await saveKnown(tx, id, verdict.record ?? { seasons: [], episodes: [] });
  await matchKnown(tx, [id]);
  const held = await tx<{ id: string }[]>`select id from episodes where series_id = ${id}`;
  const parts = { kind: 'episode', ids: held.map((episode) => episode.id) };
  const isIdLocked = row.lockedFields.includes('ids');
  return { libraryId, isChanged: isOther || isMore, isIdLocked, parts };
}
