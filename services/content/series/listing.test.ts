import { expect } from 'chai';
import { GB, nowMs, seriesSuite, type EpisodeCard } from '#test/series.ts';
import { saveAllWatched, saveProgress, saveShelf, saveWatched } from '../../progress/store.ts';

describe('lists of series', () => {
  const suite = seriesSuite();
  const { scan, ask, handlers, list, episodes, one } = suite;

  it('are filtered, counted and sorted by year', async () => {
    await suite.library.put({
      'Dark (2017)/Season 1/Dark S01E01.mkv': GB,
      'Dark (2017)/tvshow.nfo': '<tvshow><title>Dark</title><genre>Mystery</genre></tvshow>',
      'Lost (2004)/Season 1/Lost S01E01.mkv': GB,
      'Undated/Season 1/Undated S01E01.mkv': GB,
    });
    await scan();
    const titles = async (query: object) => (await list(query)).items.map(({ title }) => title);
    for (const order of ['asc', 'desc']) {
      const years = order === 'asc' ? ['Lost', 'Dark'] : ['Dark', 'Lost'];
      expect(await titles({ sort: 'year', order })).to.deep.equal([...years, 'Undated']);
      const first = await list({ sort: 'year', order, limit: 2 });
      const rest = { sort: 'year', order, cursor: first.nextCursor };
      expect(await titles(rest)).to.deep.equal(['Undated']);
    }
    const { items, total } = await list({ offset: 1, limit: 1 });
    expect([items.length, items[0]?.title, total]).to.deep.equal([1, 'Lost', 3]);
    expect(await titles({ genre: ['Mystery', 'Crime'] })).to.deep.equal(['Dark']);
    expect(await titles({ yearFrom: 2000, yearTo: 2009 })).to.deep.equal(['Lost']);
    const lost = items[0]!.id;
    await suite.db.sql`
      update episodes set added_at = now() + interval '1 h' where series_id = ${lost}`;
    const newest = await list({ sort: 'episode', limit: 1 });
    expect(newest.items.map(({ title }) => title)).to.deep.equal(['Lost']);
    expect(await titles({ sort: 'episode', cursor: newest.nextCursor })).to.have.length(2);
    expect((await titles({ sort: 'episode', order: 'asc' })).at(-1)).to.equal('Lost');
    const shelf = { shelf: 'favourite', atMs: nowMs } as const;
    await suite.db.sql.begin((tx) =>
      saveShelf(tx, { userId: suite.userId, kind: 'series', itemId: lost }, shelf),
    );
    expect(await titles({ favourite: true })).to.deep.equal(['Lost']);
    expect(await titles({ favourite: false, watchlist: false })).to.have.length(2);
    expect(await titles({ letter: 'l' })).to.deep.equal(['Lost']);
    expect(await titles({ letter: '#' })).to.deep.equal([]);
    const facets = await ask<'getSeriesFilters', object>(handlers().getSeriesFilters);
    expect(facets).to.deep.equal({
      genres: [{ value: 'Mystery', count: 1 }],
      decades: [
        { value: '2010', count: 1 },
        { value: '2000', count: 1 },
      ],
      letters: ['d', 'l', 'u'].map((value) => ({ value, count: 1 })),
    });
  });

  it('are watched by season and whole, and lead from episode to episode', async () => {
    const names = ['S00E01', 'S01E01', 'S01E02', 'S01E03', 'S02E01'];
    await suite.library.put(Object.fromEntries(names.map((name) => [`Show/Show ${name}.mkv`, GB])));
    await scan();
    const { id } = await one();
    const refresh = () => suite.db.sql.begin((tx) => suite.series.module.refresh(tx, [id]));
    await suite.library.lose('Show/Show S01E02.mkv');
    await refresh();
    const all = await episodes(id);
    const besides = await Promise.all(
      all.map(async ({ id: episodeId }) => {
        type Sides = { previous: EpisodeCard | null; next: EpisodeCard | null };
        const params = { episodeId };
        const sides = await ask<'getEpisode', Sides>(handlers().getEpisode, { params });
        const told = (one: EpisodeCard | null) => one && `${one.season}x${one.number}`;
        return [told(sides.previous), told(sides.next)];
      }),
    );
    expect(besides).to.deep.equal([
      [null, null],
      [null, '1x3'],
      ['1x1', '1x3'],
      ['1x1', '2x1'],
      ['1x3', null],
    ]);
    const upNext = async () => {
      type Whole = { upNext: EpisodeCard | null };
      const params = { seriesId: id };
      const found = (await ask<'getSeries', Whole>(handlers().getSeries, { params })).upNext;
      return found && `${found.season}x${found.number}`;
    };
    const watch = (at: number, isBegun = false) =>
      suite.db.sql.begin(async (tx) => {
        const key = { userId: suite.userId, kind: 'episode', itemId: all[at]!.id };
        const atMs = nowMs - 10_000 + at;
        if (!isBegun) return saveWatched(tx, key, { isWatched: true, atMs });
        const progress = { positionMs: 5, isWatched: false, durationMs: 9, fileId: undefined };
        return saveProgress(tx, key, { ...progress, atMs });
      });
    expect(await upNext()).to.equal('1x1');
    await watch(0);
    expect(await upNext()).to.equal('1x1');
    await watch(1);
    expect(await upNext()).to.equal('1x3');
    await watch(4);
    expect(await upNext()).to.equal('1x3');
    await suite.db.sql`delete from user_items`;
    await watch(4, true);
    expect(await upNext()).to.equal('2x1');
    await suite.db.sql`delete from user_items`;
    const [season, whole] = suite.series.compounds;
    const [second] = await suite.db.sql<{ id: string }[]>`
      select id from seasons where series_id = ${id} and number = 2`;
    expect(await season!.parts(suite.db.sql, second!.id, {})).to.deep.equal([all[4]!.id]);
    expect(await season!.parts(suite.db.sql, id, {})).to.equal(undefined);
    expect(await whole!.parts(suite.db.sql, second!.id, {})).to.equal(undefined);
    const parts = await whole!.parts(suite.db.sql, id, {});
    expect(parts).to.have.members(all.slice(1).map((episode) => episode.id));
    const mark = { isWatched: true, atMs: nowMs };
    const keys = { userId: suite.userId, kind: 'episode', itemIds: parts! };
    await suite.db.sql.begin((tx) => saveAllWatched(tx, keys, mark));
    expect(await one()).to.include({ watchedCount: 4, episodeCount: 4 });
    expect((await list({ watched: true })).items).to.have.length(1);
    expect((await list({ watched: false })).items).to.have.length(0);
    expect(await upNext()).to.equal('1x1');
  });

  it('tell search of episodes that come, change and go', async () => {
    await suite.library.put({
      'Dark (2017)/Season 1/Dark S01E01 Secrets.mkv': GB,
      'Dark (2017)/Season 1/Dark S01E02.mkv': GB,
    });
    const { added } = await scan();
    const [first, second] = await episodes(added[0]!);
    const told = () => suite.noted.splice(0);
    expect(told()).to.have.members([`episode ${first!.id}`, `episode ${second!.id}`]);
    const source = suite.series.searchSources[1]!;
    const found = await source.documents(suite.db.sql, [first!.id, second!.id]);
    expect(found.map(({ id, title, subtitle }) => [id, title, subtitle])).to.deep.equal([
      [first!.id, 'Secrets', 'Dark · S01E01'],
    ]);
    const all = await source.idsAfter(suite.db.sql, undefined, 10);
    expect(all).to.have.members([first!.id, second!.id]);
    const refresh = () => suite.db.sql.begin((tx) => suite.series.module.refresh(tx, added));
    await refresh();
    expect(told()).to.deep.equal([]);
    await suite.db.sql`delete from files where path like '%E02.mkv'`;
    await refresh();
    expect(told()).to.deep.equal([`episode ${second!.id}`]);
    const { module } = suite.series;
    await suite.db.sql.begin((tx) => module.remove!(tx, { libraryId: suite.library.id }));
    expect(told()).to.deep.equal([`episode ${first!.id}`]);
  });
});
