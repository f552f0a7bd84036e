import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import sharp from 'sharp';
import type { components } from '#api/types.ts';
import { startTmdb, type FakeSeries, type FakeTmdb } from '#test/fakes/tmdb.ts';
import { enriched, startSeriesServer } from '#test/metadata.ts';
import type { TestServer } from '#test/server.ts';
import type { ItemOffer } from './offers.ts';
import { partsOfferedOtherwise } from './parts.ts';

type Schemas = components['schemas'];
type Known = Parameters<typeof partsOfferedOtherwise>[0][number];

const dark: FakeSeries = {
  ...{ id: 70523, title: 'Dark', date: '2017-12-01', pictures: 'old' },
  seasons: { 1: ['Secrets', 'Lies'], 2: ['Beginnings', 'Dark Matter'] },
  groupings: {
    3: {
      1: [
        [1, 2],
        [1, 1],
      ],
      2: [
        [2, 1],
        [2, 2],
      ],
    },
  },
};

describe('pictures that a provider has of seasons and episodes', function () {
  this.timeout(240_000);
  let tmdb: FakeTmdb;
  let server: TestServer;
  let library: Schemas['Library'];
  let path: string;
  let dir: string;

  const put = async (name: string) => {
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, name), name);
  };

  before(async () => {
    tmdb = await startTmdb();
    tmdb.series.push(dark);
    ({ server, library, path } = await startSeriesServer(tmdb, async (folder) => {
      dir = join(folder, 'Dark (2017)');
      for (const name of ['Dark S01E01.mkv', 'Dark S01E02.mkv', 'Dark S02E01.mkv']) await put(name);
      const create = { width: 200, height: 300, channels: 3, background: '#fff' } as const;
      await sharp({ create }).toFile(join(dir, 'season01-poster.jpg'));
    }));
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await tmdb[Symbol.asyncDispose]();
  });

  const seasons = async () => (await server.read<Schemas['Series']>(path)).seasons;
  const episodes = async () =>
    (await server.read<Schemas['EpisodePage']>(`${path}/episodes`)).items;
  const send = async (to: string, method: string, json: unknown = {}) => {
    await server.fetch(to, { method, token: server.adminToken, json });
    await enriched(server);
  };
  /** What is shown of each episode, by the name of the vendor's picture. */
  const stills = async () => {
    const ids = (await episodes()).map(({ id }) => id);
    const rows = await server.db.sql<{ id: string; url: string }[]>`
      select item_id as id, source_url as url from images
      where kind = 'episode' and type = 'thumb' and is_chosen`;
    const byId = new Map(rows.map(({ id, url }) => [id, url.replace(/^.*\/still\//, '')]));
    return ids.map((id) => byId.get(id));
  };

  it('are shown where files have none, and are among what can be chosen', async () => {
    const widths = (await seasons()).map(({ images }) => images['poster']?.width);
    expect(widths).to.deep.equal([200, 780]);
    const shown = (await episodes()).map(({ images }) => images['thumb']?.width);
    expect(shown).to.deep.equal([300, 300, 300]);
    expect(await stills()).to.deep.equal(['old-1x1.jpg', 'old-1x2.jpg', 'old-2x1.jpg']);
    const [first] = await episodes();
    const { items } = await server.read<Schemas['ArtworkImageList']>(
      `/api/v1/items/episode/${first!.id}/images`,
    );
    expect(items.map(({ type, source }) => [type, source])).to.deep.equal([['thumb', 'provider']]);
  });

  it('come with an episode that comes later', async () => {
    await put('Dark S02E02.mkv');
    await send(`/api/v1/libraries/${library.id}/scans`, 'POST');
    expect((await stills()).at(-1)).to.equal('old-2x2.jpg');
  });

  it('follow the order in which episodes count', async () => {
    await send(path, 'PATCH', { episodeOrder: 'dvd' });
    expect((await stills()).slice(0, 2)).to.deep.equal(['old-1x2.jpg', 'old-1x1.jpg']);
    await send(path, 'PATCH', { episodeOrder: null });
    expect((await stills()).slice(0, 2)).to.deep.equal(['old-1x1.jpg', 'old-1x2.jpg']);
  });

  it('give way to others that are offered, but for those that a person has chosen', async () => {
    const [first] = await episodes();
    const images = `/api/v1/items/episode/${first!.id}/images`;
    const { items } = await server.read<Schemas['ArtworkImageList']>(images);
    await send(`${images}/${items[0]!.id}/chosen`, 'PUT');
    tmdb.series.splice(0, 1, { ...dark, pictures: 'new' });
    await send(`${path}/refresh`, 'POST');
    expect((await stills()).slice(0, 2)).to.deep.equal(['old-1x1.jpg', 'new-1x2.jpg']);
    const posters = await server.db.sql<{ url: string }[]>`
      select source_url as url from images where kind = 'season' and source = 'provider'`;
    expect(posters.map(({ url }) => url.split('/').at(-1))).to.deep.equal(['new-2-en.jpg']);
  });
});

describe('parts whose pictures are to be fetched', () => {
  const offer = { itemId: 'a', type: 'thumb', url: 'u', place: 1 } as const;
  const image: Known = {
    ...{ itemId: 'a', type: 'thumb', source: 'provider', sourceUrl: 'u', isChosenByUser: false },
  };
  const cases: readonly (readonly [string, readonly Known[], readonly ItemOffer[], string[]])[] = [
    ['none where nothing is offered', [], [], []],
    ['one that has none', [], [offer], ['a']],
    ['none that has what is offered', [image], [offer], []],
    ['one that has another of the type', [{ ...image, sourceUrl: 'v' }], [offer], ['a']],
    ['one that has what nobody offers any more', [image], [], ['a']],
    ['none whose own was chosen', [{ ...image, sourceUrl: 'v', isChosenByUser: true }], [], []],
    ['none that has one of a file', [{ ...image, source: 'local', sourceUrl: null }], [offer], []],
    ['one that has one out of its video', [{ ...image, source: 'frame' }], [offer], ['a']],
    ['one that has another type', [{ ...image, type: 'poster', source: 'local' }], [offer], ['a']],
  ];
  for (const [what, known, offers, wanted] of cases) {
    it(`are ${what}`, () => {
      expect(partsOfferedOtherwise(known, offers)).to.deep.equal(wanted);
    });
  }
});
