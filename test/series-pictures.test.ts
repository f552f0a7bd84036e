import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import sharp from 'sharp';
import type { components } from '#api/types.ts';
import { needs } from './needs.ts';
import { startServer, tinyFilm, writeFiles, type TestServer } from './server.ts';

type Schemas = components['schemas'];
type Kind = 'series' | 'season' | 'episode';

/** Pictures by path, told apart by their widths. */
const pictures = {
  'poster.jpg': [200, 300],
  'season02-poster.jpg': [210, 300],
  'Season 1/poster.jpg': [220, 300],
  'Season 1/fanart.jpg': [640, 360],
  'Season 1/Dark S01E01.jpg': [320, 180],
  'Season 1/Dark S01E01-thumb.jpg': [330, 180],
  'Season 2/Dark S02E01-S02E02-thumb.jpg': [340, 180],
} as const;

describe('the pictures of a series, its seasons and episodes', function () {
  needs('ffmpeg', 'ffprobe');
  let server: TestServer;
  let library: Schemas['Library'];
  let series: Schemas['Series'];
  let dir: string;

  const films = ['Season 1/Dark S01E01', 'Season 1/Dark S01E02', 'Season 2/Dark S02E01-S02E02'];

  before(async () => {
    server = await startServer();
    dir = join(server.films, 'Series', 'Dark (2017)');
    const film = await tinyFilm();
    await writeFiles(dir, Object.fromEntries(films.map((name) => [`${name}.mp4`, film])));
    for (const path of Object.keys(pictures)) await paint(path as keyof typeof pictures);
    library = await server.library('Series', 'Series', 'series');
    await look();
  });
  after(() => server?.[Symbol.asyncDispose]());

  const paint = (path: keyof typeof pictures) => paintAs(path, pictures[path]);
  async function paintAs(path: string, [width, height]: readonly [number, number]) {
    const target = join(dir, path);
    await mkdir(dirname(target), { recursive: true });
    const background = `#${width}`;
    await sharp({ create: { width, height, channels: 3, background } }).toFile(target);
  }
  async function look() {
    await server.settled();
    const { items } = await server.read<Schemas['SeriesPage']>('/api/v1/series');
    series = await server.read<Schemas['Series']>(`/api/v1/series/${items[0]?.id}`);
  }
  async function scan(mode: 'quick' | 'full' = 'full') {
    const path = `/api/v1/libraries/${library.id}/scans`;
    await server.read(path, { method: 'POST', json: { mode } });
    await look();
  }
  const widths = (images: Readonly<Record<string, { width: number }>>) =>
    Object.fromEntries(Object.entries(images).map(([type, { width }]) => [type, width]));
  const season = (number: number) => series.seasons.find((one) => one.number === number)!;
  const episodes = async (number: number) => {
    const path = `/api/v1/series/${series.id}/episodes?season=${number}`;
    return (await server.read<Schemas['EpisodeList']>(path)).items;
  };
  const episode = async (number: number, nth: number) => (await episodes(number))[nth]!;
  const imagesOf = async (kind: Kind, id: string) =>
    (await server.read<Schemas['ArtworkImageList']>(`/api/v1/items/${kind}/${id}/images`)).items;
  const choose = (
    kind: Kind,
    id: string,
    { imageId, method }: { imageId: string; method: string },
  ) => server.read(`/api/v1/items/${kind}/${id}/images/${imageId}/chosen`, { method });

  it('are told apart by name and folder', async () => {
    expect(widths(series.images)).to.deep.include({ poster: 200 });
    expect(widths(season(1).images)).to.deep.equal({ poster: 220, backdrop: 640 });
    expect(widths(season(2).images)).to.deep.equal({ poster: 210 });
    expect(await imagesOf('series', series.id).then((all) => all.map(({ width }) => width)))
      .to.include(200)
      .and.not.include.members([210, 220, 320, 330]);
  });

  it('stand in for each other: an episode has those of its series beside its own', async () => {
    const own = await episode(1, 0);
    expect(widths(own.images)).to.include({ poster: 200, thumb: 330 });
    expect(widths((await episode(1, 1)).images)).to.not.have.property('thumb');
    for (const nth of [0, 1]) {
      expect(widths((await episode(2, nth)).images), 'of both that a file holds').to.include({
        thumb: 340,
      });
    }
  });

  it('are chosen by a person, through scans, until that is taken back', async () => {
    const { id } = await episode(1, 0);
    const all = await imagesOf('episode', id);
    expect(all.map(({ type, width }) => [type, width])).to.have.deep.members([
      ['thumb', 330],
      ['thumb', 320],
    ]);
    const imageId = all.find(({ width }) => width === 320)!.id;
    await choose('episode', id, { imageId, method: 'PUT' });
    expect(widths((await episode(1, 0)).images)['thumb']).to.equal(320);
    await scan();
    expect(widths((await episode(1, 0)).images)['thumb']).to.equal(320);
    await choose('episode', id, { imageId, method: 'DELETE' });
    expect(widths((await episode(1, 0)).images)['thumb']).to.equal(330);
    const [poster] = await imagesOf('season', season(2).id);
    await choose('season', season(2).id, { imageId: poster!.id, method: 'PUT' });
    expect((await imagesOf('season', season(2).id))[0]).to.include({ isChosenByUser: true });
    const other = choose('season', season(1).id, { imageId: poster!.id, method: 'PUT' });
    expect(await other.catch(String)).to.include('no such picture');
  });

  it('come and go with their files', async () => {
    await rm(join(dir, 'Season 1/Dark S01E01-thumb.jpg'));
    await rm(join(dir, 'Season 1/poster.jpg'));
    await scan();
    expect(widths((await episode(1, 0)).images)['thumb']).to.equal(320);
    expect(widths(season(1).images)).to.not.have.property('poster');
    await paint('Season 1/poster.jpg');
    await scan();
    expect(widths(season(1).images)['poster']).to.equal(220);
  });

  describe('in a tree in which nothing else changes', () => {
    /** Of a season, or of the nth of its episodes. */
    const places: readonly {
      path: string;
      type: string;
      of: () => Promise<Readonly<Record<string, { width: number }>>>;
    }[] = [
      { path: 'season01-poster.jpg', type: 'poster', of: async () => season(1).images },
      { path: 'season02-banner.jpg', type: 'banner', of: async () => season(2).images },
      { path: 'Season 2/folder.jpg', type: 'poster', of: async () => season(2).images },
      {
        path: 'Season 1/Dark S01E02-thumb.jpg',
        type: 'thumb',
        of: async () => (await episode(1, 1)).images,
      },
      {
        path: 'Season 2/Dark S02E01-S02E02.jpg',
        type: 'thumb',
        of: async () => (await episode(2, 1)).images,
      },
    ];
    before(async () => {
      for (const path of Object.keys(pictures).filter((one) => one !== 'poster.jpg')) {
        await rm(join(dir, path), { force: true });
      }
      await scan();
    });

    for (const mode of ['quick', 'full'] as const) {
      for (const { path, type, of } of places) {
        it(`${path} comes${mode === 'full' ? ', is replaced' : ''} and goes in a ${mode} scan`, async () => {
          const without = widths(await of());
          expect(without, 'before').to.not.have.property(type, 510);
          await paintAs(path, [510, 400]);
          await scan(mode);
          expect(widths(await of()), 'it came').to.include({ [type]: 510 });
          if (mode === 'full') {
            // Written in place, so that the time of the folder tells nothing.
            await paintAs(path, [520, 400]);
            await scan(mode);
            expect(widths(await of()), 'another in its place').to.include({ [type]: 520 });
          }
          await rm(join(dir, path));
          await scan(mode);
          expect(widths(await of()), 'it went').to.deep.equal(without);
        });
      }
    }
  });

  describe('in the end', () => {
    it('go with what they are of', async () => {
      await server.read(`/api/v1/libraries/${library.id}`, { method: 'DELETE' });
      await server.settled();
      const [left] = await server.db.sql<{ count: number }[]>`
        select count(*)::int as count from images`;
      expect(left?.count).to.equal(0);
    });
  });
});
