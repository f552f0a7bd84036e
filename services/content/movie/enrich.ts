import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import type { Applied, EnrichedKind, Verdict } from '../../metadata/kind.ts';
import type { WorkFacts } from '../../metadata/match.ts';
import { ownIdsObject, ownIdsText } from '../../metadata/own-ids.ts';
import type { ProviderIds } from '../../naming/ids.ts';
import { applyCast, withCastSource } from '../cast.ts';
import { changesOf, noteChanges } from '../history.ts';
import { fieldNames, sameRow, type FilmRow, type Match } from './fields.ts';
import { filmColumns, saveFilms } from './identify-store.ts';
import { itemTag, listTag, works } from './movie.ts';
import { applyRecord } from './record.ts';

const { kind } = works;

/** How films are looked up elsewhere, and what becomes of what is found. */
export const enrichedFilms: EnrichedKind = {
  kind,
  tags: (id) => [itemTag(id), listTag],
  evidence: (sql, ids) => sql`
    select m.id, concat_ws('|', m.identity, m.match #>> '{nfo,digest}',
      ${ownIdsText(sql, kind, sql`m.id`)}), m.duration_ms::text
    from movies m where m.id = any (${ids as string[]}::uuid[])`,
  facts: factsOf,
  apply,
  async lockIds(tx, id) {
    await tx`
      update movies set locked_fields = locked_fields || '{ids}', revision = revision + 1
      where id = ${id} and not locked_fields @> '{ids}'`;
  },
};

interface FactsRow {
  readonly title: string;
  readonly originalTitle: string | null;
  readonly year: number | null;
  readonly sources: FilmRow['sources'];
  readonly match: Match | Record<never, never>;
  readonly durationMs: number | null;
  readonly ids: ProviderIds;
  readonly language: string;
}

async function factsOf(sql: Queryable, id: string): Promise<WorkFacts | undefined> {
  const [row] = await sql<FactsRow[]>`
    select m.title, m.original_title as "originalTitle", m.year, m.sources, m.match,
      m.duration_ms as "durationMs", l.language, ${ownIdsObject(sql, kind, sql`m.id`)} as ids
    from movies m join libraries l on l.id = m.library_id where m.id = ${id}`;
  if (row === undefined) return undefined;
  const match = row.match as Partial<Match>;
  const own = (name: 'title' | 'originalTitle' | 'year') =>
    ['user', 'nfo', 'name'].includes(row.sources[name] ?? '') ? row[name] : undefined;
  const titles = [own('title'), match.title, own('originalTitle'), match.runnerUp?.title];
  const known = titles.filter((title) => typeof title === 'string' && title !== '') as string[];
  return {
    titles: [...new Set(known.length === 0 ? [row.title] : known)],
    year: (own('year') as number | null | undefined) ?? match.year ?? undefined,
    runtimeMs: row.durationMs ?? undefined,
    ids: row.ids,
    language: row.language,
  };
}

type Locked = FilmRow & { readonly libraryId: string; readonly language: string };

async function apply(tx: Tx, id: string, verdict: Verdict): Promise<Applied | undefined> {
  const [found] = await tx<Locked[]>`
    select ${filmColumns(tx)}, m.library_id as "libraryId", l.language
    from movies m join libraries l on l.id = m.library_id
    where m.id = ${id} for no key update of m`;
  if (found === undefined) return undefined;
  const { libraryId, language, ...row } = found;
  const told = applyRecord(row, verdict, language);
  const cast = await applyCast(tx, { kind, row: told }, verdict);
  const next = { ...told, sources: withCastSource(told.sources, cast.source) };
  const isChanged = cast.isChanged || !sameRow(row, next);
  if (isChanged) await saveFilms(tx, libraryId, [next]);
  const fields = changesOf(row, next, fieldNames);
  if (fields !== undefined) {
    await noteChanges(tx, kind, [{ itemId: id, source: verdict.provider, fields }]);
  }
  return { libraryId, isChanged, isIdLocked: row.lockedFields.includes('ids') };
}
