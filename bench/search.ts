import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectPostgres, type Sql } from '#storage/postgres/connect.ts';
import { startEmbedded } from '#storage/postgres/embedded.ts';
import { createMigrator } from '#storage/postgres/migrate.ts';
import type { SearchDocument, SearchEngine, SearchQuery } from '#storage/search/engine.ts';
import { createPostgresSearch } from '#storage/search/postgres.ts';
import { quiet } from '#test/log.ts';

/** Search-as-you-type in PostgreSQL over many films: `node bench/search.ts [documents]`. */
const size = Number(process.argv[2] ?? 200_000);
const rounds = 15;
const schema = { facets: ['genre', 'decade', 'library'], format: 1 };
const signal = new AbortController().signal;

const dataDir = await mkdtemp(join(tmpdir(), 'revenge-bench-search-'));
const embedded = await startEmbedded({ dataDir, log: quiet, durable: false });
const address = { socket: embedded.socket, database: 'postgres', user: embedded.user };
const database = await connectPostgres({ ...address, pool: { max: 4 }, log: quiet });
try {
  const { sql } = database;
  await createMigrator({ sql, dir: join(import.meta.dirname, '../migrations'), log: quiet }).up();
  const engine = createPostgresSearch({ sql, schema });
  await fill(engine);
  await sql`vacuum analyze shared.search_documents`;
  await sql`vacuum analyze shared.search_words`;
  await report(sql);
  await measure(engine, sql);
} finally {
  await database.close();
  await embedded.close();
  await rm(dataDir, { recursive: true, force: true });
}

/** Fixed seed: every run asks the same of the same films. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

async function fill(engine: SearchEngine): Promise<void> {
  const began = performance.now();
  const rebuild = await engine.rebuild(signal);
  const make = filmsFrom(randomFrom(42));
  for (let done = 0; done < size; done += 1_000) {
    const batch = Array.from({ length: Math.min(1_000, size - done) }, (_, at) => make(done + at));
    await rebuild.add(batch, signal);
  }
  await rebuild.add(famous(), signal);
  await rebuild.commit(signal);
  const seconds = (performance.now() - began) / 1_000;
  print('filled', `${size} documents in ${seconds.toFixed(1)} s`);
}

function filmsFrom(random: () => number): (at: number) => SearchDocument {
  const syllables = Array.from('bcdfghklmnprstvwz').flatMap((first) =>
    ['a', 'e', 'i', 'o', 'u', 'ar', 'en', 'il', 'os'].map((rest) => first + rest),
  );
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const word = () =>
    Array.from({ length: 2 + Math.floor(random() * 3) }, () => pick(syllables)).join('');
  const nouns = Array.from({ length: 60_000 }, word);
  const names = Array.from({ length: 60_000 }, word);
  const zipf = <T>(list: readonly T[]): T => list[Math.floor(list.length * random() ** 3)] as T;
  const people = Array.from({ length: 120_000 }, () => `${zipf(names)} ${zipf(names)}`);
  const small = ['of the', 'and the', 'in', 'of', 'the', 'a', '&', "'s"];
  const title = () => {
    const parts = [
      random() < 0.35 ? 'The' : '',
      zipf(nouns),
      random() < 0.5 ? pick(small) : '',
      random() < 0.7 ? zipf(nouns) : '',
    ];
    return parts.filter(Boolean).join(' ');
  };
  const genres = ['Drama', 'Comedy', 'Horror', 'Action', 'Crime', 'Romance', 'War', 'Western'];
  return (at) => {
    const year = 1920 + Math.floor(random() * 105);
    return {
      kind: 'movie',
      id: `019f0000-0000-7000-8000-${at.toString(16).padStart(12, '0')}`,
      audience: 'shared',
      title: title(),
      titles: Array.from({ length: Math.floor(random() * 4) }, title),
      people: Array.from({ length: 12 }, () => zipf(people)),
      keywords: [`tt${at}`],
      year,
      subtitle: undefined,
      facets: {
        genre: [pick(genres), pick(genres)],
        decade: [`${Math.floor(year / 10) * 10}s`],
        library: [pick(['a', 'b', 'c'])],
      },
      rank: random() < 0.5 ? 0 : random() ** 4,
      addedAt: new Date(1_700_000_000_000 + at * 1_000),
    };
  };
}

function famous(): SearchDocument[] {
  const films: [string, string[], string[]][] = [
    ['Le Fabuleux Destin d’Amélie Poulain', ['Amélie'], ['Audrey Tautou']],
    ['The Lord of the Rings: The Fellowship of the Ring', ['Der Herr der Ringe'], ['Elijah Wood']],
    ['Heat', [], ['Al Pacino', 'Robert De Niro']],
    ['千と千尋の神隠し', ['Spirited Away'], ['Hayao Miyazaki']],
  ];
  return films.map(([title, titles, people], at) => ({
    kind: 'movie',
    id: `019f0000-0000-7000-9000-${at.toString(16).padStart(12, '0')}`,
    audience: 'shared',
    title,
    titles,
    people,
    keywords: [],
    year: 1995 + at,
    subtitle: undefined,
    facets: {},
    rank: 0.9,
    addedAt: new Date(1_700_000_000_000),
  }));
}

async function report(sql: Sql): Promise<void> {
  const rows = await sql<{ name: string; size: string }[]>`
    select relname as name, pg_size_pretty(pg_relation_size(oid)) as size from pg_class
    where relname like 'search_%' and relnamespace = 'shared'::regnamespace
      and relkind in ('r', 'i')
    order by pg_relation_size(oid) desc`;
  for (const row of rows) print(row.name, row.size);
  const [words] = await sql<{ count: number }[]>`select count(*) from shared.search_words`;
  print('vocabulary', `${words?.count ?? 0} words`);
}

function ask(text: string, more: Partial<SearchQuery>): SearchQuery {
  const filters = { audiences: ['shared'] };
  return { text, prefix: true, limit: 10, offset: 0, filters, ...more };
}

async function measure(engine: SearchEngine, sql: Sql): Promise<void> {
  const typed = ['heat', 'amelie', 'the mare', 'lord of the rings', 'al pacino', 'marilo tos'];
  const keys = typed.flatMap((text) => Array.from(text, (_, at) => text.slice(0, at + 1)));
  const time = (name: string, texts: readonly string[], more: Partial<SearchQuery> = {}) =>
    timeEach(name, texts, (text) => engine.query(ask(text, more)));
  await time('as you type, all keystrokes', keys);
  for (const length of [1, 2, 3, 4, 5]) {
    const texts = typed.map((text) => text.slice(0, length));
    await time(`as you type, ${length} letters`, texts);
  }
  await time('mistyped', ['amelei', 'lord of the rngs', 'al pacnio', 'sprited away']);
  await time('nothing like it', ['qqqqqq', 'xyzzy plugh']);
  await time('CJK', ['千', '千尋', '千と千尋の']);
  const filters = { audiences: ['shared'], facets: { genre: ['War'] } };
  const few = ['ma', 'the', 'marelo', 'heat'];
  await time('with filter and facets', few, { filters, facets: ['genre', 'decade'] });
  await timeEach('baseline: title ilike', keys.slice(0, 10), (text) => likeBaseline(sql, text));
}

/** What a search without an index of its own would do. */
function likeBaseline(sql: Sql, text: string): PromiseLike<unknown> {
  return sql`
    select item_id, title from shared.search_documents
    where title ilike ${`%${text}%`} order by rank desc limit 10`;
}

async function timeEach(
  name: string,
  texts: readonly string[],
  work: (text: string) => PromiseLike<unknown>,
): Promise<void> {
  const took: { text: string; ms: number }[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    for (const text of texts) {
      const began = performance.now();
      await work(text);
      if (round > 0) took.push({ text, ms: performance.now() - began });
    }
  }
  took.sort((a, b) => a.ms - b.ms);
  const at = (part: number) => took[Math.floor((took.length - 1) * part)] ?? { text: '', ms: 0 };
  const [p50, p95, worst] = [at(0.5), at(0.95), at(1)];
  const text = `p50 ${p50.ms.toFixed(1)} ms, p95 ${p95.ms.toFixed(1)} ms`;
  print(name, `${text}, max ${worst.ms.toFixed(1)} ms ("${worst.text}")`);
}

function print(name: string, value: string): void {
  process.stdout.write(`${name.padEnd(34)}${value}\n`);
}
