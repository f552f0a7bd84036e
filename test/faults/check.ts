import { expect } from 'chai';
import type { components } from '#api/types.ts';
import { until, type FaultNode } from './node.ts';
import type { Film, Tree } from './tree.ts';

type Schemas = components['schemas'];

/** All films the API lists, page by page. */
export async function listFilms(node: FaultNode): Promise<Schemas['MovieCard'][]> {
  const films: Schemas['MovieCard'][] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: Schemas['MoviePage'] = await node.read(
      `/api/v1/movies?limit=200${cursor === '' ? '' : `&cursor=${cursor}`}`,
    );
    films.push(...page.items);
    cursor = page.nextCursor;
  }
  return films;
}

/** Makes a library of a folder; the scan that comes with it runs from then on. */
export async function addLibrary(node: FaultNode, folder: string): Promise<string> {
  const json = { kind: 'movie', name: 'Films', paths: [folder], scanIntervalMinutes: 0 };
  const made = await node.read<Schemas['Library']>('/api/v1/libraries', { method: 'POST', json });
  return made.id;
}

/** Scans a library, and waits until that scan and all that follows from it is done. */
export async function rescan(node: FaultNode, libraryId: string): Promise<Schemas['LibraryScan']> {
  const path = `/api/v1/libraries/${libraryId}/scans`;
  const { id } = await node.read<Schemas['LibraryScan']>(path, { method: 'POST', json: {} });
  await settled(node, 240_000);
  return node.read(`/api/v1/scans/${id}`);
}

/** Resolves when no scan is active and no job waits or runs, those of the clock left aside. */
export async function settled(node: FaultNode, maxMs: number): Promise<void> {
  await until('nothing left to do', maxMs, async () => {
    expectRunning(node);
    return (await leftToDo(node)) === 0;
  });
}

/** Fails, with the node's last words, when its process has ended by itself. */
export function expectRunning(node: FaultNode): void {
  if (!node.isRunning()) throw new Error(`the node ended:\n${node.log().slice(-20).join('\n')}`);
}

async function leftToDo({ sql }: FaultNode): Promise<number> {
  const [row] = await sql<[{ count: number }]>`
    select (select count(*) from library_scans where state in ('queued', 'running'))
      + (select count(*) from shared.jobs where state in ('waiting', 'running') and not (
          -- looks again some seconds after each change, whether there is any or not
          name like 'search.%' and state = 'waiting' and run_at > now()))
      + (select count(*) from shared.search_pending) as count`;
  return row.count;
}

/** Fails unless the catalogue is what the tree says, by the API's lists and row by row. */
export async function expectWhole(node: FaultNode, tree: Tree): Promise<void> {
  const scans = await node.sql`select state, error from library_scans where state <> 'completed'`;
  expect([...scans], 'scans that did not complete').to.deep.equal([]);
  const dead = await node.sql`select name, errors from shared.jobs where state = 'dead'`;
  expect([...dead], 'dead jobs').to.deep.equal([]);
  await expectFilms(node, tree.films);
  await expectRows(node, tree);
}

const keyOf = ({ title, year }: { title: string; year: number | null }) => `${title} (${year})`;

async function expectFilms(node: FaultNode, films: readonly Film[]): Promise<void> {
  const listed = await listFilms(node);
  const expected = films.map(keyOf).sort();
  expect(listed.map(keyOf).sort(), 'films by title and year').to.deep.equal(expected);
  expect(new Set(listed.map(({ id }) => id)), 'ids').to.have.lengthOf(listed.length);
  const away = listed.filter(({ isAvailable }) => !isAvailable);
  expect(away.map(keyOf), 'films that are not available').to.deep.equal([]);
  const blank = listed.filter(({ images }) => !images['poster'] || !images['backdrop']);
  expect(blank.map(keyOf), 'films without pictures').to.deep.equal([]);
  await expectVersions(node, films, listed);
  const { total } = await node.read<Schemas['MoviePage']>('/api/v1/movies?limit=1&offset=0');
  expect(total, 'the count of the list').to.equal(films.length);
}

async function expectVersions(
  node: FaultNode,
  films: readonly Film[],
  listed: readonly Schemas['MovieCard'][],
): Promise<void> {
  const ids = new Map(listed.map((card) => [keyOf(card), card.id]));
  for (const film of films.filter(({ videos }) => videos.length > 1).slice(0, 20)) {
    const movie = await node.read<Schemas['Movie']>(`/api/v1/movies/${ids.get(keyOf(film))}`);
    const names = movie.versions.flatMap(({ files }) => files.map(({ name }) => name));
    const expected = film.videos.map((path) => path.split('/').at(-1));
    expect(names.sort(), keyOf(film)).to.deep.equal(expected.sort());
  }
}

/** One row for each file of the tree, present, of an available film, and looked into. */
async function expectRows({ sql }: FaultNode, { films, videos }: Tree): Promise<void> {
  const rows = await sql<{ path: string; role: string; film: string | null; state: string }[]>`
    select f.path, f.role, f.probe_state as state,
      case when m.is_available then m.title || ' (' || m.year || ')' end as film
    from files f left join movies m on m.id = f.item_id
    where f.missing_since is null`;
  const expected = films.flatMap((film) => [
    ...film.videos.map((path) => `${path} video ${keyOf(film)} done`),
    ...film.pictures.map((path) => `${path} image ${keyOf(film)} none`),
  ]);
  const found = rows.map(({ path, role, film, state }) => `${path} ${role} ${film} ${state}`);
  expect(found.sort(), 'files').to.deep.equal(expected.sort());
  const [counts] = await sql`
    select (select count(*) from movies) as movies,
      (select count(*) from files where missing_since is not null) as missing,
      (select count(*) from directories where is_due or not is_settled or gone_since is not null)
        as "unfinished directories",
      (select count(*) from files where is_refresh_due) as "due for refresh",
      (select count(*) from shared.search_documents) as searchable,
      (select count(distinct item_id) from images where is_chosen) as "with pictures",
      (select count(*) from files where probe_state = 'done' and probe is null) as "half probed"`;
  expect(counts).to.deep.equal({
    movies: films.length,
    missing: 0,
    'unfinished directories': 0,
    'due for refresh': 0,
    searchable: films.length,
    'with pictures': films.length,
    'half probed': 0,
  });
  expect(rows.filter(({ role }) => role === 'video')).to.have.lengthOf(videos);
}
