import type postgres from 'postgres';
import type { Queryable } from '../postgres/connect.ts';
import { codeOf } from '../postgres/errors.ts';
import { DocumentRefusedError } from './engine.ts';
import { limits, type SearchDocument, type SearchFilters, type SearchHit } from './engine.ts';
import { indexed, type Lookups } from './postgres-lexemes.ts';

/** More matches than this are not all looked at; see `findProminent`. */
export const matchesMax = 1_000;
const prominentMax = 2_500;
const startsMax = 300;
const firstMax = 1_000;
const facetRowsMax = 3_000;
const similarMax = 400;

type Fragment = postgres.PendingQuery<postgres.Row[]>;

/** A hit, how many there are in all, and what it is ordered by. */
export type FoundRow = SearchHit & {
  readonly total: number;
  readonly tier: number;
  readonly rank: number;
  readonly length: number;
};

/** Whether a row's own title is or begins with what was asked for. */
export const isNamedSo = ({ tier }: FoundRow): boolean => tier >= 7;

/** The order of every answer: how it matches, then how prominent it is, then short before long. */
export const byMerit = (a: FoundRow, b: FoundRow): number =>
  b.tier - a.tier || b.rank - a.rank || a.length - b.length || (a.id < b.id ? -1 : 1);

/** Stores documents and the words in them, in one statement each. */
export async function upsertDocuments(
  sql: Queryable,
  documents: readonly SearchDocument[],
  fields: readonly string[],
): Promise<void> {
  const vocabulary = new Set<string>();
  const rows = documents.map((document) => {
    const { vocabulary: found, ...stored } = indexed(document);
    for (const word of found) vocabulary.add(word);
    return { ...rowOf(document, fields), ...stored };
  });
  try {
    await insertDocuments(sql, rows);
  } catch (error) {
    const code = codeOf(error);
    // Class 22: a value PostgreSQL cannot hold (a NUL, a number out of range).
    if (!code?.startsWith('22')) throw error;
    throw new DocumentRefusedError('postgres', (error as Error).message);
  }
  await insertWords(sql, [...vocabulary].sort());
}

const rowOf = (document: SearchDocument, fields: readonly string[]) => ({
  kind: document.kind,
  item_id: document.id,
  audience: document.audience,
  title: document.title,
  titles: document.titles.slice(0, limits.titles),
  people: document.people.slice(0, limits.people),
  year: document.year ?? null,
  subtitle: document.subtitle ?? null,
  facets: fields.flatMap((field) =>
    (document.facets[field] ?? []).map((value) => `${field}=${value}`),
  ),
  rank: document.rank,
  added_at: document.addedAt.toISOString(),
});

async function insertDocuments(sql: Queryable, rows: readonly object[]): Promise<void> {
  // Ordered by the key, so that two writers lock rows in the same order.
  await sql`
    insert into shared.search_documents
      (kind, item_id, audience, title, titles, people, year, subtitle,
       phrases, words, facets, rank, added_at, generation)
    select kind, item_id, audience, title, titles, people, year, subtitle,
      phrases, words, facets, rank, added_at, (select last_value from shared.search_generation)
    from jsonb_to_recordset(${sql.json(rows as postgres.JSONValue)}) as row (
      kind text, item_id uuid, audience text, title text, titles text[], people text[],
      year smallint, subtitle text, phrases text, words tsvector, facets text[],
      rank real, added_at timestamptz)
    order by kind, item_id
    on conflict (kind, item_id) do update set
      audience = excluded.audience, title = excluded.title, titles = excluded.titles,
      people = excluded.people, year = excluded.year, subtitle = excluded.subtitle,
      phrases = excluded.phrases, words = excluded.words, facets = excluded.facets,
      rank = excluded.rank, added_at = excluded.added_at, generation = excluded.generation`;
}

async function insertWords(sql: Queryable, words: readonly string[]): Promise<void> {
  await sql`
    insert into shared.search_words (word, generation)
    select word, (select last_value from shared.search_generation)
    from unnest(${words as string[]}::text[]) as word
    on conflict (word) do update set generation = excluded.generation
      where search_words.generation < excluded.generation`;
}

export async function deleteDocuments(
  sql: Queryable,
  kind: string,
  ids: readonly string[],
): Promise<void> {
  await sql`
    delete from shared.search_documents
    where kind = ${kind} and item_id = any(${ids as string[]}::uuid[])`;
}

/** Begins a generation: what is written from now on carries at least its number. */
export async function nextGeneration(sql: Queryable): Promise<number> {
  const [row] = await sql<{ generation: number }[]>`
    select nextval('shared.search_generation') as generation`;
  return row?.generation ?? 0;
}

/** Deletes up to `max` documents older than a generation; resolves to how many. */
export async function sweepDocuments(
  sql: Queryable,
  generation: number,
  max: number,
): Promise<number> {
  const { count } = await sql`
    delete from shared.search_documents where ctid = any(array(
      select ctid from shared.search_documents where generation < ${generation} limit ${max}))`;
  return count;
}

/** Deletes the words no document of this generation has. */
export async function sweepWords(sql: Queryable, generation: number): Promise<void> {
  await sql`delete from shared.search_words where generation < ${generation}`;
}

function matching(sql: Queryable, filters: SearchFilters): Fragment {
  const parts = [sql`audience = any(${filters.audiences as string[]}::text[])`];
  if (filters.kinds) parts.push(sql`kind = any(${filters.kinds as string[]}::text[])`);
  if (filters.yearFrom !== undefined) parts.push(sql`year >= ${filters.yearFrom}`);
  if (filters.yearTo !== undefined) parts.push(sql`year <= ${filters.yearTo}`);
  for (const [field, values] of Object.entries(filters.facets ?? {})) {
    const tokens = values.map((value) => `${field}=${value}`);
    parts.push(sql`facets && ${tokens}::text[]`);
  }
  return parts.reduce((all, part) => sql`${all} and ${part}`);
}

/** What a question needs in SQL. */
export interface Ask {
  readonly lookups: Lookups;
  readonly filters: SearchFilters;
  /** Rows wanted, from the first. */
  readonly limit: number;
}

/** Exact name, name begins so, words in title, in other titles, among people, all over. */
function tier(sql: Queryable, { phrase, inTitle, inTitles, inPeople }: Lookups): Fragment {
  return sql`case
    when starts_with(phrases, ${`\n${phrase}\n`}) then 9
    when strpos(phrases, ${`\n${phrase}\n`}) > 0 then 8
    when starts_with(phrases, ${`\n${phrase}`}) then 7
    when strpos(phrases, ${`\n${phrase}`}) > 0 then 6
    when words @@ ${inTitle}::tsquery then 5
    when words @@ ${inTitles}::tsquery then 4
    when words @@ ${inPeople}::tsquery then 3
    else 2 end`;
}

/** Up to `max` matches in no order; what the index cannot tell cheaply is checked by row. */
function matches(sql: Queryable, { lookups, filters }: Omit<Ask, 'limit'>, max: number): Fragment {
  const { index, all } = lookups;
  const base = sql`
    select * from shared.search_documents
    where words @@ ${index}::tsquery and ${matching(sql, filters)} limit ${max}`;
  return index === all ? base : sql`select * from (${base}) as base where words @@ ${all}::tsquery`;
}

/** The best of what a statement has `found`, with what is shown of them. */
const page = (sql: Queryable, limit: number): Fragment => sql`
  best as (
    select *, (count(*) over ())::integer as total
    from found order by tier desc, rank desc, length, item_id limit ${limit})
  select kind, item_id as id, title, titles, people, year, subtitle,
    total, tier, best.rank as rank, length
  from best join shared.search_documents as document using (kind, item_id)
  order by tier desc, best.rank desc, length, item_id`;

const scored = (sql: Queryable, lookups: Lookups): Fragment =>
  sql`kind, item_id, rank, char_length(title) as length, ${tier(sql, lookups)} as tier`;

/**
 * Finds up to one more than `matchesMax` matches and orders them. A `total` beyond `matchesMax`
 * says that there are more, and the best perhaps not among them: see `findProminent`.
 */
export function findSome(sql: Queryable, ask: Ask): postgres.PendingQuery<FoundRow[]> {
  return sql<FoundRow[]>`
    with found as materialized (
      select ${scored(sql, ask.lookups)} from (${matches(sql, ask, matchesMax + 1)}) as few),
    ${page(sql, ask.limit)}`;
}

/**
 * For vague questions, before anything else: exact names and the most prominent titles that begin
 * so. When these fill the page nothing can come before them, and nothing else need be looked at.
 */
export function findFirst(sql: Queryable, ask: Ask): postgres.PendingQuery<FoundRow[]> {
  const { lookups, filters, limit } = ask;
  const where = matching(sql, filters);
  return sql<FoundRow[]>`
    with candidates as (
      (select * from shared.search_documents
       where words @@ ${lookups.exact}::tsquery and ${where} limit ${limit})
      union all
      (select * from (
        select * from shared.search_documents order by rank desc, item_id limit ${firstMax}
       ) as prominent
       where starts_with(phrases, ${`\n${lookups.phrase}`}) and ${where} limit ${limit})),
    found as (
      select distinct on (kind, item_id) ${scored(sql, lookups)}
      from candidates order by kind, item_id),
    ${page(sql, limit)}`;
}

/**
 * For questions that match too much to look at all of it: exact names, names that begin so, and
 * what is most prominent of the rest, found by walking the documents in the order of their rank
 * as far as needed, at most `prominentMax`.
 */
export function findProminent(sql: Queryable, ask: Ask): postgres.PendingQuery<FoundRow[]> {
  const { lookups, filters, limit } = ask;
  const where = matching(sql, filters);
  const named = (query: string, max: number) =>
    sql`(select * from shared.search_documents
      where words @@ ${query}::tsquery and ${where} limit ${max})`;
  const walk = (query: string) =>
    sql`(select * from prominent where words @@ ${query}::tsquery and ${where} limit ${limit})`;
  return sql<FoundRow[]>`
    with prominent as materialized (
      select * from shared.search_documents order by rank desc, item_id limit ${prominentMax}),
    candidates as (
      ${named(lookups.exact, limit)}
      union all ${named(lookups.starts, startsMax)}
      union all ${walk(lookups.starts)}
      union all ${walk(lookups.inTitles)}
      union all ${walk(lookups.all)}),
    found as (
      select distinct on (kind, item_id) ${scored(sql, lookups)}
      from candidates order by kind, item_id),
    ${page(sql, limit)}`;
}

/** How often each value of the fields occurs among the first `facetRowsMax` matches. */
export function countFacets(
  sql: Queryable,
  ask: Omit<Ask, 'limit'> & { fields: readonly string[] },
): postgres.PendingQuery<{ facet: string; count: number }[]> {
  return sql<{ facet: string; count: number }[]>`
    select facet, count(*)::integer as count
    from (${matches(sql, ask, facetRowsMax)}) as found, unnest(found.facets) as facet
    where split_part(facet, '=', 1) = any(${ask.fields as string[]}::text[])
    group by facet order by 2 desc, 1 limit 5000`;
}

/** Words of the vocabulary that resemble `typed`, for the caller to count the mistakes. */
export function similarWords(
  sql: Queryable,
  typed: string,
  isPrefix: boolean,
): postgres.PendingQuery<{ word: string }[]> {
  return sql<{ word: string }[]>`
    select word from shared.search_similar_words(${typed}, ${isPrefix}, ${similarMax}) as word`;
}
