import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import type { components } from '#api/types.ts';
import { readTwice } from '#test/backup.ts';
import { startTmdb, type FakeTmdb } from '#test/fakes/tmdb.ts';
import { enriched } from '#test/metadata.ts';
import { startServer, type TestServer } from '#test/server.ts';
import type { Sql } from '#storage/postgres/connect.ts';

type Schemas = components['schemas'];
type Kind = 'movie' | 'series';
interface Work {
  readonly id: string;
  readonly title: string;
  readonly externalIds: Readonly<Record<string, string>>;
}

const lists = { movie: '/api/v1/movies', series: '/api/v1/series' } as const;
const files = {
  movie: ['Heat (1995)/Heat (1995).mkv', 'Hitze/Hitze.mkv'],
  series: ['Dark (2017)/Season 1/Dark S01E01.mkv', 'Finster/Season 1/Finster S01E02.mkv'],
} as const;
const moved = { movie: 'Renamed (1950)', series: 'Renamed' } as const;

describe('works that a person made one, or took apart', function () {
  this.timeout(180_000);
  let tmdb: FakeTmdb;
  let server: TestServer;
  const libraries = {} as Record<Kind, Schemas['Library']>;
  const at = (kind: Kind, path: string) => join(server.films, kind, path);
  const send = async <Body>(path: string, method: string, json?: unknown): Promise<Body> => {
    const body = await server.read<Body>(path, { method, ...(json === undefined ? {} : { json }) });
    await enriched(server);
    return body;
  };
  const scan = (kind: Kind) =>
    send(`/api/v1/libraries/${libraries[kind].id}/scans`, 'POST', { mode: 'full' });
  const works = async (kind: Kind) => (await server.read<{ items: Work[] }>(lists[kind])).items;
  const show = (kind: Kind, id: string) => server.read<Work>(`${lists[kind]}/${id}`);
  const named = async (kind: Kind, title: string) =>
    (await works(kind)).find((work) => work.title === title)!.id;
  const videosBelow = async (kind: Kind, folder: string) => {
    const rows = await server.db.sql<{ id: string; itemId: string }[]>`
      select id, item_id as "itemId" from files where library_id = ${libraries[kind].id}
        and path like ${`${folder}/%`} and role = 'video' and missing_since is null`;
    return rows;
  };

  before(async () => {
    tmdb = await startTmdb([
      { title: 'Heat', date: '1995-12-15', minutes: 170, id: 949 },
      { title: 'Another', date: '1986-03-14', minutes: 90, id: 950 },
    ]);
    const seasons = { 1: ['Secrets', 'Lies'] };
    tmdb.series.push(
      { title: 'Dark', date: '2017-12-01', seasons, id: 70523 },
      { title: 'Another', date: '2001-01-01', seasons, id: 2 },
    );
    server = await startServer({
      config: { 'metadata.tmdb.url': `${tmdb.url}/3`, 'metadata.tmdb.api_key': 'key' },
    });
    for (const kind of ['movie', 'series'] as const) {
      for (const path of files[kind]) {
        await mkdir(dirname(at(kind, path)), { recursive: true });
        await writeFile(at(kind, path), path);
      }
      libraries[kind] = await server.library(kind, kind, kind);
      await enriched(server);
    }
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await tmdb[Symbol.asyncDispose]();
  });

  const stateIn = async (sql: Sql) => ({
    files: await sql`select id, item_id from files where role = 'video' order by id`,
    pins: await sql`select * from file_pins order by file_id`,
    changes: await sql`select * from work_changes order by id`,
  });
  async function expectRestored(): Promise<void> {
    const { before, after } = await readTwice(server.db.sql, stateIn);
    expect(after).to.deep.equal(before);
  }

  for (const kind of ['movie', 'series'] as const) {
    const [main, title, id] =
      kind === 'movie' ? ['Heat (1995)', 'Heat', '949'] : ['Dark (2017)', 'Dark', '70523'];
    const bodyOf = (ids: string[]) => (kind === 'movie' ? { movieIds: ids } : { seriesIds: ids });

    it(`of the kind ${kind} stay one through refresh, rescan, rename and restore`, async () => {
      const other = kind === 'movie' ? 'Hitze' : 'Finster';
      const into = await named(kind, title);
      const path = `${lists[kind]}/${into}`;
      await send(`${path}/merge`, 'POST', bodyOf([await named(kind, other)]));
      const expectOne = async () => {
        expect((await works(kind)).map((work) => work.id)).to.deep.equal([into]);
        expect(await show(kind, into)).to.deep.include({ title, externalIds: { tmdb: id } });
      };
      await expectOne();
      await send(`${path}/refresh`, 'POST');
      await scan(kind);
      await expectOne();
      await rename(at(kind, other), at(kind, moved[kind]));
      await scan(kind);
      await expectOne();
      await expectRestored();
    });

    it(`of the kind ${kind} are taken apart, and the new one is given a record`, async () => {
      const from = await named(kind, title);
      const fileIds = (await videosBelow(kind, moved[kind])).map((file) => file.id);
      const made = await send<Work>(`${lists[kind]}/${from}/split`, 'POST', { fileIds });
      const another = kind === 'movie' ? '950' : '2';
      const choice = { provider: 'tmdb', id: another };
      await send(`${lists[kind]}/${made.id}/match`, 'POST', choice);
      await scan(kind);
      await send(`${lists[kind]}/${made.id}/refresh`, 'POST');
      expect((await show(kind, made.id)).externalIds).to.deep.equal({ tmdb: another });
      expect(await show(kind, from)).to.deep.include({ title, externalIds: { tmdb: id } });
      await rename(at(kind, main), at(kind, 'Main'));
      await scan(kind);
      const owners = [
        ...(await videosBelow(kind, 'Main')),
        ...(await videosBelow(kind, moved[kind])),
      ];
      expect(owners.map(({ itemId }) => itemId)).to.deep.equal([from, made.id]);
      await expectRestored();
    });
  }
});
