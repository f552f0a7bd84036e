import { expect } from 'chai';
import type { components } from '#api/types.ts';
import { GB, nowMs, seriesSuite } from '#test/series.ts';
import type { EpisodeOrder, EpisodeRecord, SeriesRecord } from '../../metadata/provider.ts';
import { saveWatched } from '../../progress/store.ts';

type Schemas = components['schemas'];
const locale = { language: 'en', country: 'US' };

/** As shown: two seasons of three; on discs the last of the first opens the second. */
const aired = [
  [0, 1, 'Making of'],
  [1, 1, 'A'],
  [1, 2, 'B'],
  [1, 3, 'C'],
  [2, 1, 'D'],
  [2, 2, 'E'],
  [2, 3, 'F'],
] as const;
const discs = [
  [1, 1, 1, 1],
  [1, 2, 1, 2],
  [2, 1, 1, 3],
  [2, 2, 2, 1],
  [2, 3, 2, 2],
  [2, 4, 2, 3],
] as const;

const record = (id: string, order?: EpisodeOrder): SeriesRecord => ({
  ...{ id, ids: { tvdb: id }, title: 'Show', otherTitles: [], translations: [] },
  ...{ certifications: {}, studios: [], genres: [], tags: [], credits: [], trailers: [] },
  ...{ images: [], seasons: [{ number: 2, title: 'The second' }] },
  episodes: aired.map(([season, number, title]): EpisodeRecord => ({
    ...{ season, number, title, airDate: '2001-01-01' },
  })),
  ordered:
    order !== 'dvd'
      ? undefined
      : {
          order,
          places: discs.map(([season, number, of, at]) => ({
            ...{ season, number, known: { season: of, number: at } },
          })),
        },
});

describe('the order in which episodes count', () => {
  const suite = seriesSuite();
  const { scan, ask, handlers, one } = suite;

  const tell = async (id: string, told: SeriesRecord, provider = 'tvdb') => {
    await suite.db.sql.begin((tx) =>
      suite.series.enriched.apply(tx, id, { provider, record: told, locale }),
    );
    await suite.db.sql`
      insert into metadata_states (kind, item_id, provider, provider_id)
      values ('series', ${id}, ${provider}, ${told.id})
      on conflict (kind, item_id) do update
        set provider = excluded.provider, provider_id = excluded.provider_id`;
  };
  const choose = (seriesId: string, episodeOrder: EpisodeOrder | null) =>
    ask<'updateSeries', Schemas['Series']>(handlers().updateSeries, {
      params: { seriesId },
      body: { episodeOrder },
    });
  const shown = async (seriesId: string) =>
    (await suite.episodes(seriesId)).map(
      ({ season, number, absolute, title }) => `${season}x${number ?? `#${absolute}`} ${title}`,
    );
  const missing = async (seriesId: string) => {
    type Missing = Schemas['MissingEpisodes'];
    const params = { seriesId };
    const { items } = await ask<'listMissingEpisodes', Missing>(handlers().listMissingEpisodes, {
      params,
    });
    return items.map(({ season, number, title }) => `${season}x${number} ${title}`);
  };
  const made = async (...names: string[]) => {
    await suite.library.put(Object.fromEntries(names.map((name) => [`Show/${name}.mkv`, GB])));
    await scan();
    const { id } = await one();
    await tell(id, record('7', 'dvd'));
    return id;
  };

  const seasons = ['Show S00E01', 'Show S01E03', 'Show S02E01', 'Show S02E04'];
  const counted = ['[Group] Show - 004 [1080p]', '[Group] Show - 006 [1080p]'];
  for (const [names, order, wanted] of [
    [seasons, null, ['0x1 Making of', '1x3 C', '2x1 D', '2x4 null']],
    [seasons, 'aired', ['0x1 Making of', '1x3 C', '2x1 D', '2x4 null']],
    [seasons, 'dvd', ['0x1 Making of', '1x3 C', '2x1 C', '2x4 F']],
    [seasons, 'absolute', ['0x1 Making of', '1x3 C', '2x1 D', '2x4 null']],
    [counted, null, ['1x4 D', '1x6 F']],
    [counted, 'dvd', ['1x4 D', '1x6 F']],
    [counted, 'absolute', ['1x4 D', '1x6 F']],
    [['Show S01E02', 'Show S01E05'], null, ['1x2 B', '1x5 E']],
    [['Show S01E02', 'Show S01E05'], 'absolute', ['1x2 B', '1x5 E']],
    [['Show S01E02', 'Show S01E05'], 'dvd', ['1x2 B', '1x5 E']],
  ] as const) {
    it(`${order ?? 'of the provider'} makes ${names.join(', ')}: ${wanted.join(', ')}`, async () => {
      const id = await made(...names);
      expect((await choose(id, order)).episodeOrder).to.equal(order);
      expect(await shown(id)).to.deep.equal(wanted);
    });
  }

  it('numbers what is missing, and names seasons only in their own order', async () => {
    const id = await made('Show S01E01', 'Show S02E02');
    expect(await missing(id)).to.deep.equal(['1x2 B', '1x3 C', '2x1 D', '2x3 F']);
    const named = async (order: EpisodeOrder | null) =>
      (await choose(id, order)).seasons.map(({ title }) => title);
    expect(await named('dvd')).to.deep.equal([null, null]);
    expect(await missing(id)).to.deep.equal(['1x2 B', '2x1 C', '2x3 E', '2x4 F']);
    expect(await named(null)).to.deep.equal([null, 'The second']);
    expect(await named('absolute')).to.deep.equal([null, null]);
    expect(await missing(id)).to.deep.equal(['1x2 B', '1x3 C', '1x4 D', '1x6 F']);
  });

  it('is kept through scans and refreshes, and loses nothing when it changes', async () => {
    const id = await made('Show S01E01', 'Show S02E01');
    const [first, second] = await suite.episodes(id);
    const ids = [first!.id, second!.id];
    await suite.db.sql.begin((tx) =>
      saveWatched(
        tx,
        { userId: suite.userId, kind: 'episode', itemId: ids[1]! },
        { isWatched: true, atMs: nowMs },
      ),
    );
    const body = { overview: 'By me' };
    await ask<'updateEpisode', unknown>(handlers().updateEpisode, {
      ...{ params: { episodeId: ids[1]! }, body },
    });
    const before = await shown(id);
    await suite.library.put({ 'Show/Show S02E03.mkv': GB });
    const orders = ['dvd', 'aired', 'absolute', 'dvd', null, 'dvd'] as const;
    for (const order of orders) {
      await choose(id, order);
      await tell(id, record('7', order ?? undefined));
      await scan();
      const all = await suite.episodes(id);
      expect(all.map((one) => one.id)).to.include.members(ids);
      const page = await ask<'getEpisode', Schemas['Episode']>(handlers().getEpisode, {
        params: { episodeId: ids[1]! },
      });
      expect(page).to.include({ overview: 'By me', title: order === 'dvd' ? 'C' : 'D' });
      expect(page.userState.watchedAt).to.be.a('string');
      expect(all.at(-1)!.title).to.equal(order === 'dvd' ? 'E' : 'F');
    }
    await choose(id, null);
    expect((await shown(id)).slice(0, 2)).to.deep.equal(before);
  });

  it('is forgotten with the record it was of, and stays chosen', async () => {
    const id = await made('Show S02E01');
    await choose(id, 'dvd');
    expect(await shown(id)).to.deep.equal(['2x1 C']);
    await tell(id, record('8'));
    expect(await shown(id)).to.deep.equal(['2x1 D']);
    await tell(id, record('8', 'dvd'));
    expect(await shown(id)).to.deep.equal(['2x1 C']);
  });
});
