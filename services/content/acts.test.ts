import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import sharp from 'sharp';
import type { components } from '#api/types.ts';
import { startTmdb, type FakeTmdb } from '#test/fakes/tmdb.ts';
import { enriched } from '#test/metadata.ts';
import { startServer, type TestServer } from '#test/server.ts';

type Schemas = components['schemas'];
interface Work {
  readonly id: string;
  readonly title: string;
}

const files = [
  'movie/Heat (1995)/Heat (1995).mkv',
  'movie/Hitze/Hitze.mkv',
  'series/Dark (2017)/Season 1/Dark S01E01.mkv',
  'series/Finster/Season 1/Finster S01E02.mkv',
];

describe('what a person does to works', function () {
  this.timeout(180_000);
  let tmdb: FakeTmdb;
  let server: TestServer;
  let picture: Uint8Array<ArrayBuffer>;

  before(async () => {
    tmdb = await startTmdb([{ title: 'Heat', date: '1995-12-15', minutes: 170, id: 949 }]);
    tmdb.series.push({ title: 'Dark', date: '2017-12-01', seasons: { 1: ['A', 'B'] }, id: 70523 });
    server = await startServer({
      config: { 'metadata.tmdb.url': `${tmdb.url}/3`, 'metadata.tmdb.api_key': 'key' },
    });
    for (const file of files) {
      await mkdir(dirname(join(server.films, file)), { recursive: true });
      await writeFile(join(server.films, file), file);
    }
    await server.library('Films', 'movie', 'movie');
    await server.library('Series', 'series', 'series');
    await enriched(server);
    const create = { width: 200, height: 300, channels: 3, background: '#a33' } as const;
    picture = new Uint8Array(await sharp({ create }).png().toBuffer());
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await tmdb[Symbol.asyncDispose]();
  });

  const send = async (method: string, path: string, json?: unknown): Promise<number> => {
    const token = server.adminToken;
    const body = json === undefined ? {} : { json };
    const { status } = await server.fetch(`/api/v1${path}`, { method, token, ...body });
    await enriched(server);
    return status;
  };
  const named = async (list: 'movies' | 'series', title: string) => {
    const { items } = await server.read<{ items: Work[] }>(`/api/v1/${list}`);
    return items.find((one) => one.title === title)!.id;
  };
  const episode = async () => {
    const [row] = await server.db.sql<{ id: string; seasonId: string }[]>`
      select e.id, e.season_id as "seasonId" from episodes e join series s on s.id = e.series_id
      where s.title = 'Dark' order by e.id limit 1`;
    return row!;
  };
  const images = async (id: string) => {
    const path = `/api/v1/items/movie/${id}/images`;
    const { items } = await server.read<{ items: Schemas['ArtworkImage'][] }>(path);
    return items.find(({ source }) => source === 'upload')!.id;
  };
  const film = () => named('movies', 'Heat');
  const show = () => named('series', 'Dark');
  const videosOf = async (itemId: string) => {
    const rows = await server.db.sql<{ id: string }[]>`
      select id from files where item_id = ${itemId} and role = 'video' order by path`;
    return rows.map(({ id }) => id);
  };

  /** Each is done where those before it were; what it tells in the log. */
  const acts: readonly [what: string, does: () => Promise<number>, told: () => Promise<object>][] =
    [
      [
        'edits and locks a film',
        async () =>
          send('PATCH', `/movies/${await film()}`, {
            ...{ overview: 'x'.repeat(5_000), lockedFields: ['genres'] },
          }),
        async () => ({
          ...{ action: 'work.edited', resourceType: 'movie', resourceId: await film() },
          details: { name: 'Heat (1995)', fields: ['overview'], lockedFields: ['genres'] },
        }),
      ],
      [
        'edits a series',
        async () => send('PATCH', `/series/${await show()}`, { genres: ['Mystery'] }),
        async () => ({
          ...{ action: 'work.edited', resourceType: 'series', resourceId: await show() },
          details: { name: 'Dark (2017)', fields: ['genres'] },
        }),
      ],
      [
        'edits a season',
        async () => send('PATCH', `/seasons/${(await episode()).seasonId}`, { title: 'One' }),
        async () => ({
          ...{ action: 'work.edited', resourceType: 'season' },
          ...{ resourceId: (await episode()).seasonId },
          details: { name: 'Dark S01', fields: ['title'] },
        }),
      ],
      [
        'edits an episode',
        async () => send('PATCH', `/episodes/${(await episode()).id}`, { title: 'First' }),
        async () => ({
          ...{ action: 'work.edited', resourceType: 'episode', resourceId: (await episode()).id },
          details: { name: 'Dark S01E01', fields: ['title'] },
        }),
      ],
      [
        'says which record a film is',
        async () => send('POST', `/movies/${await film()}/match`, { provider: 'tmdb', id: '949' }),
        async () => ({
          ...{ action: 'work.matched', resourceType: 'movie', resourceId: await film() },
          details: { name: 'Heat', provider: 'tmdb', id: '949' },
        }),
      ],
      [
        'uploads a picture',
        async () => {
          const path = `/api/v1/items/movie/${await film()}/images?type=poster`;
          const headers = { 'content-type': 'image/png' };
          const asked = { method: 'POST', token: server.adminToken, headers, body: picture };
          return (await server.fetch(path, asked)).status;
        },
        async () => ({
          ...{ action: 'work.image-uploaded', resourceType: 'movie', resourceId: await film() },
          details: { name: 'Heat (1995)', type: 'poster', imageId: await images(await film()) },
        }),
      ],
      ...(['DELETE', 'PUT'] as const).map((method): (typeof acts)[number] => [
        method === 'PUT' ? 'chooses a picture' : 'takes the choice of a picture back',
        async () => {
          const id = await film();
          return send(method, `/items/movie/${id}/images/${await images(id)}/chosen`);
        },
        async () => ({
          action: method === 'PUT' ? 'work.image-chosen' : 'work.image-released',
          ...{ resourceType: 'movie', resourceId: await film() },
          details: { name: 'Heat (1995)', type: 'poster', imageId: await images(await film()) },
        }),
      ]),
      [
        'removes a picture',
        async () => {
          const id = await film();
          return send('DELETE', `/items/movie/${id}/images/${await images(id)}`);
        },
        async () => ({ action: 'work.image-deleted', resourceId: await film() }),
      ],
      ...(
        [
          ['movie', 'movies', 'Hitze', film, 'Heat (1995)', 'movieIds'],
          ['series', 'series', 'Finster', show, 'Dark (2017)', 'seriesIds'],
        ] as const
      ).flatMap(([kind, list, other, main, name, ids]): (typeof acts)[number][] => [
        [
          `merges works: ${kind}`,
          async () =>
            send('POST', `/${list}/${await main()}/merge`, { [ids]: [await named(list, other)] }),
          async () => ({
            ...{ action: 'work.merged', resourceType: kind, resourceId: await main() },
            details: { name, merged: [other] },
          }),
        ],
        [
          `splits a work: ${kind}`,
          async () => {
            const fileIds = (await videosOf(await main())).slice(1);
            return send('POST', `/${list}/${await main()}/split`, { fileIds });
          },
          async () => ({
            ...{ action: 'work.split', resourceType: kind, resourceId: await main() },
            details: { name, newName: other, newId: await named(list, other) },
          }),
        ],
      ]),
    ];

  const log = () =>
    server.read<Schemas['ActivityPage']>('/api/v1/admin/activity?action=work&limit=100');
  const state = () => server.db.sql`
    select (select jsonb_agg(to_jsonb(m) order by id) from movies m) as movies,
      (select jsonb_agg(to_jsonb(s) order by id) from series s) as series,
      (select jsonb_agg(to_jsonb(n) order by id) from seasons n) as seasons,
      (select jsonb_agg(to_jsonb(e) order by id) from episodes e) as episodes,
      (select jsonb_agg(jsonb_build_array(id, chosen_by_user) order by id) from images) as images,
      (select jsonb_agg(jsonb_build_array(id, item_id) order by id) from files) as files,
      (select jsonb_agg(to_jsonb(c) order by id) from work_changes c) as changes`;
  /** As if the log could not be written. */
  const withoutLog = async <T>(work: () => Promise<T>): Promise<T> => {
    const { sql } = server.db;
    await sql`
      alter table shared.activity add constraint closed check (action not like 'work.%') not valid`;
    try {
      return await work();
    } finally {
      await sql`alter table shared.activity drop constraint closed`;
    }
  };

  for (const [what, does, told] of acts) {
    it(`is in the log of activity exactly if it was done: ${what}`, async () => {
      const before = await log();
      const was = await state();
      expect(await withoutLog(does), 'while nothing can be logged').to.be.at.least(400);
      expect(await state()).to.deep.equal(was);
      expect(await log()).to.deep.equal(before);
      expect(await does()).to.be.below(300);
      const { items } = await log();
      expect(items).to.have.length(before.items.length + 1);
      const { action, resourceId, ...rest } = (await told()) as Partial<Schemas['ActivityEntry']>;
      expect(items[0]).to.deep.include({ action, resourceId, ...rest, success: true });
      expect(items[0]?.username).to.equal(server.admin.username);
    });
  }
});
