/** A whole node on a library whose truth is known, with a vendor on a bad day: what it makes of it. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { components } from '#api/types.ts';
import { startServer, type TestServer } from '../server.ts';
import { episodeTitle, type Work } from './catalogue.ts';
import { createLengths } from './lengths.ts';
import { filmLibrary, seriesLibrary, writeLibrary, type Placed } from './library.ts';
import { createTrouble, type Trouble, type TroubleOptions } from './trouble.ts';
import { startCatalogue } from './vendor.ts';

export interface RunOptions {
  readonly films: number;
  readonly series: number;
  readonly trouble: TroubleOptions;
  /** Milliseconds until all has to be decided. */
  readonly patienceMs: number;
  /** Told now and then how far it is. */
  readonly onProgress?: (left: object) => void;
}

export type Verdict =
  | 'right'
  /** Left to a person. */
  | 'open'
  /** Taken for another work. */
  | 'wrong'
  /** Taken for no work at all. */
  | 'unread';

/** What became of one work. */
export interface Judged {
  readonly truth: Work;
  readonly form: string;
  readonly path: string;
  readonly verdict: Verdict;
  readonly basis: string | null;
  readonly score: number | null;
  /** The record it was taken for, and the others, the likeliest first. */
  readonly takenFor: string | null;
  readonly candidates: readonly { readonly title: string; readonly year?: number; score: number }[];
}

/** What became of one episode. */
export interface JudgedEpisode {
  readonly path: string;
  readonly form: string;
  readonly isRight: boolean;
  readonly takenFor: string;
}

export interface RunResult {
  readonly films: readonly Judged[];
  readonly series: readonly Judged[];
  readonly episodes: readonly JudgedEpisode[];
  readonly trouble: ReadonlyMap<Trouble, number>;
  readonly questions: number;
  readonly seconds: number;
}

/** Runs it from an empty database to the last answer. */
export async function runIdentification(options: RunOptions): Promise<RunResult> {
  await using stack = new AsyncDisposableStack();
  const trouble = createTrouble(options.trouble);
  const vendor = stack.use(await startCatalogue(trouble));
  const config = { 'metadata.tmdb.url': `${vendor.url}/3`, 'metadata.tmdb.api_key': 'key' };
  const server = stack.use(await startServer({ config }));
  const films = filmLibrary(options.films);
  const series = seriesLibrary(options.series);
  const lengths = createLengths(join(server.films, '.lengths'));
  await writeLibrary(join(server.films, 'films'), films, lengths);
  await writeLibrary(join(server.films, 'series'), series, lengths);
  const startedAt = performance.now();
  await addLibrary(server, 'movie', 'films');
  await addLibrary(server, 'series', 'series');
  await decided(server, options);
  return {
    films: judgeAll(films, await rowsOf(server, 'movie')),
    series: judgeAll(series, await rowsOf(server, 'series')),
    episodes: judgeEpisodes(series, await episodeRows(server), await titlesOf(server)),
    trouble: trouble.counts,
    questions: vendor.asked.length,
    seconds: (performance.now() - startedAt) / 1_000,
  };
}

async function addLibrary(
  server: TestServer,
  kind: components['schemas']['LibraryKind'],
  folder: string,
): Promise<void> {
  const json = { kind, name: folder, paths: [join(server.films, folder)] };
  await server.read('/api/v1/libraries', { method: 'POST', json });
}

const pollMs = 500;

/** Resolves once every work has been asked about, and nothing has been put off. */
async function decided({ db }: TestServer, { patienceMs, onProgress }: RunOptions): Promise<void> {
  for (const until = performance.now() + patienceMs; ; await pause(pollMs)) {
    const [left] = await db.sql<{ scans: number; jobs: number; works: number; why: string }[]>`
      select (select count(*)::int from library_scans where finished_at is null) as scans,
        (select count(*)::int from shared.jobs where state in ('waiting', 'running')
          and name in ('library.probe', 'metadata.enrich')) as jobs,
        count(*)::int as works, coalesce(min(problem), '') as why
      from metadata_states
      where checked_at is null or problem is not null or next_at <= now()`;
    onProgress?.(left!);
    if (left!.scans + left!.jobs + left!.works === 0) return;
    if (performance.now() > until) throw new Error(`not decided: ${JSON.stringify(left)}`);
  }
}

interface Row {
  readonly path: string;
  readonly itemId: string | null;
  readonly providerId: string | null;
  readonly takenFor: string | null;
  readonly basis: string | null;
  readonly score: number | null;
  readonly candidates: Judged['candidates'];
}

const rowsOf = ({ db: { sql } }: TestServer, kind: 'movie' | 'series'): Promise<Row[]> => sql<
  Row[]
>`
  select f.path, f.item_id as "itemId", s.provider_id as "providerId", s.basis, s.score,
    coalesce(s.candidates, '[]') as candidates,
    (select w.title || ' (' || coalesce(w.year::text, '?') || ')'
      from ${sql(kind === 'movie' ? 'movies' : 'series')} w where w.id = f.item_id) as "takenFor"
  from files f join libraries l on l.id = f.library_id and l.kind = ${kind}
    left join metadata_states s on s.kind = ${kind} and s.item_id = f.item_id
  where f.role = 'video' order by f.path`;

/** One verdict a work; the worst of its files' counts. */
function judgeAll(placed: readonly Placed[], rows: readonly Row[]): Judged[] {
  const byPath = new Map(rows.map((row) => [row.path, row]));
  const videos = placed.filter(({ text }) => text === undefined);
  return [...Map.groupBy(videos, ({ truth }) => truth.key).values()].map((files) => {
    const judged = files.map((file) => judge(file, byPath.get(file.path)));
    return judged.reduce((a, b) => (order.indexOf(b.verdict) > order.indexOf(a.verdict) ? b : a));
  });
}

const order: readonly Verdict[] = ['right', 'open', 'wrong', 'unread'];

function judge({ path, truth, form }: Placed, row: Row | undefined): Judged {
  const { providerId = null, basis = null, score = null } = row ?? {};
  const known = { basis, score, takenFor: row?.takenFor ?? null };
  const candidates = row?.candidates ?? [];
  const verdict = verdictOf(row, `${truth.id}`);
  return { ...{ path, truth, form, verdict }, ...known, candidates: providerId ? [] : candidates };
}

function verdictOf(row: Row | undefined, id: string): Verdict {
  if (row === undefined || row.itemId === null) return 'unread';
  if (row.providerId === null) return 'open';
  return row.providerId === id ? 'right' : 'wrong';
}

interface EpisodeRow {
  readonly path: string;
  readonly id: string;
  readonly season: number;
  readonly number: number | null;
  readonly absolute: number | null;
  readonly airDate: string | null;
}

const episodeRows = ({ db: { sql } }: TestServer): Promise<EpisodeRow[]> => sql<EpisodeRow[]>`
  select f.path, e.id, n.number as season, e.number, e.absolute, e.air_date::text as "airDate"
  from files f join episode_files ef on ef.file_id = f.id
    join episodes e on e.id = ef.episode_id join seasons n on n.id = e.season_id
  order by f.path`;

/** What the API calls episodes, by their ids. */
async function titlesOf(server: TestServer): Promise<Map<string, string | null>> {
  const rows = await server.db.sql<{ id: string }[]>`select id from series`;
  const titles = new Map<string, string | null>();
  for (const { id } of rows) {
    const path = `/api/v1/series/${id}/episodes?limit=200`;
    const { items } = await server.read<components['schemas']['EpisodePage']>(path);
    for (const one of items) titles.set(one.id, one.title);
  }
  return titles;
}

/** An episode is right by its season and number, its day, or the title it is shown by. */
function judgeEpisodes(
  placed: readonly Placed[],
  rows: readonly EpisodeRow[],
  titles: ReadonlyMap<string, string | null>,
): JudgedEpisode[] {
  const byPath = new Map(rows.map((row) => [row.path, row]));
  return placed.flatMap(({ path, form, episode }) => {
    if (episode === undefined) return [];
    const { season, number, day } = episode;
    const row = byPath.get(path);
    const isCounted = row?.season === season && row.number === number;
    const isShownSo = titles.get(row?.id ?? '') === episodeTitle(season, number);
    const isRight = isCounted || row?.airDate === day || isShownSo;
    return [{ path, form, isRight, takenFor: JSON.stringify(row ?? null) }];
  });
}
