import { expect } from 'chai';
import type { components } from '#api/types.ts';
import { GB, nowMs, seriesSuite } from '#test/series.ts';
import { saveProgress, saveShelf, saveWatched, statesOf } from '../../progress/store.ts';
import { historyOf } from '../history.ts';

type Schemas = components['schemas'];

describe('series that a person makes one, and takes apart', () => {
  const suite = seriesSuite();
  const { scan, ask, handlers, list, episodes } = suite;
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => undefined,
      (error: { code?: string }) => error.code,
    );
  const merge = (seriesId: string, ...seriesIds: string[]) =>
    ask<'mergeSeries', Schemas['Series']>(handlers().mergeSeries, {
      ...{ params: { seriesId }, body: { seriesIds } },
    });
  const split = (seriesId: string, ...fileIds: string[]) =>
    ask<'splitSeries', Schemas['Series']>(handlers().splitSeries, {
      ...{ params: { seriesId }, body: { fileIds } },
    });
  const idOf = async (title: string) => (await list()).items.find((one) => one.title === title)!.id;
  const filesBelow = async (folder: string) => {
    const rows = await suite.db.sql<{ id: string }[]>`
      select id from files where path like ${`${folder}/%`} and role = 'video' order by path`;
    return rows.map(({ id }) => id);
  };
  /** The series, each with its episodes as `season x number`, and how many files each has. */
  const shown = async () => {
    const rows = await suite.db.sql<{ text: string }[]>`
      select s.title || ': ' || string_agg(n.number || 'x' || e.number || ' ' || (
          select count(*) from episode_files l where l.episode_id = e.id
        ), ', ' order by e.place) as text
      from series s join seasons n on n.series_id = s.id join episodes e on e.season_id = n.id
      group by s.id order by s.title, min(e.place), count(*)`;
    return rows.map(({ text }) => text);
  };
  const two = async () => {
    await suite.library.put({
      'Dark (2017) [tvdbid-1]/Season 1/Dark S01E01.mkv': GB,
      'Dark (2017) [tvdbid-1]/Season 1/Dark S01E02.mkv': GB,
      'Dark German [tvdbid-2]/Season 1/Dark German S01E02.mkv': GB,
      'Dark German [tvdbid-2]/Season 2/Dark German S02E01.mkv': GB,
    });
    await scan();
    return { dark: await idOf('Dark'), german: await idOf('Dark German') };
  };
  const asOne = ['Dark: 1x1 1, 1x2 2, 2x1 1'];

  it('are one with the episodes of both, and stay so through scans', async () => {
    const { dark, german } = await two();
    const series = await merge(dark, german);
    expect(series).to.deep.include({ id: dark, title: 'Dark', externalIds: { tvdb: '1' } });
    expect(series.seasons.map(({ number }) => number)).to.deep.equal([1, 2]);
    expect(suite.told.map(({ name }) => name)).to.deep.equal(['item.updated', 'item.updated']);
    for (const directories of [undefined, ['Dark German [tvdbid-2]/Season 2']]) {
      await scan(directories);
      expect(await shown()).to.deep.equal(asOne);
    }
    await suite.library.put({ 'Dark German [tvdbid-2]/Season 2/Dark German S02E02.mkv': GB });
    await scan(['Dark German [tvdbid-2]/Season 2']);
    expect(await shown()).to.deep.equal(['Dark: 1x1 1, 1x2 2, 2x1 1, 2x2 1']);
    const [row] = await suite.db.sql`select value from external_ids`;
    expect(row).to.deep.equal({ value: '1' });
    const [last] = await historyOf(suite.db.sql, 'series', dark);
    expect(last!.fields).to.deep.equal({ merged: [null, 'Dark German'] });
    expect((await merge(dark, german)).id, 'asked again').to.equal(dark);
  });

  it('have the order that was chosen for one, which is asked for of what they are now', async () => {
    const { dark, german } = await two();
    await ask<'updateSeries', Schemas['Series']>(handlers().updateSeries, {
      ...{ params: { seriesId: german }, body: { episodeOrder: 'dvd' } },
    });
    expect(suite.ordered).to.deep.equal([german]);
    expect(await merge(dark, german)).to.have.property('episodeOrder', 'dvd');
    expect(suite.ordered).to.deep.equal([german, dark]);
  });

  it('stay one when their folders are renamed', async () => {
    const { dark, german } = await two();
    await merge(dark, german);
    const names = ['Dark German S01E02.mkv', 'Dark German S02E01.mkv'];
    await suite.library.move(
      `Dark German [tvdbid-2]/Season 1/${names[0]}`,
      `Other/Season 1/${names[0]}`,
    );
    await suite.library.move(
      `Dark German [tvdbid-2]/Season 2/${names[1]}`,
      `Other/Season 2/${names[1]}`,
    );
    await suite.db.sql`delete from directories where path like 'Dark German%'`;
    await scan();
    expect(await shown()).to.deep.equal(asOne);
  });

  it('stay one in a folder of many when better files replace some, and others come', async () => {
    await suite.library.put({
      'TV/Dark (2017) S01E01.mkv': GB,
      'TV/Dark German S01E01.mkv': GB,
      'TV/Dark German S01E02.mkv': GB,
      'TV/Ozark (2017) S01E01.mkv': GB,
    });
    await scan();
    const dark = await idOf('Dark');
    await merge(dark, await idOf('Dark German'));
    const ozark = 'Ozark: 1x1 1';
    expect(await shown()).to.deep.equal(['Dark: 1x1 2, 1x2 1', ozark]);
    await suite.library.put({ 'TV/Dark German S01E03.mkv': GB });
    await scan();
    expect(await shown()).to.deep.equal(['Dark: 1x1 2, 1x2 1, 1x3 1', ozark]);
    for (const number of [1, 2, 3]) {
      await suite.library.lose(`TV/Dark German S01E0${number}.mkv`);
      await suite.library.put({ [`TV/Dark.German.S01E0${number}.2160p.mkv`]: 9 * GB });
    }
    await scan();
    await suite.db.sql`delete from files where missing_since is not null`;
    await scan();
    expect(await shown()).to.deep.equal(['Dark: 1x1 2, 1x2 1, 1x3 1', ozark]);
    expect((await list()).items.map(({ title }) => title)).to.have.members(['Dark', 'Ozark']);
  });

  it('stay apart when a better file replaces an episode of one', async () => {
    await suite.library.put({
      'Show (2001)/Show S01E01.mkv': GB,
      'Show (2001)/Show S01E01 Extended Cut.mkv': GB,
    });
    await scan();
    const id = await idOf('Show');
    const [cut] = await filesBelow('Show (2001)');
    const other = await split(id, cut!);
    await suite.library.lose('Show (2001)/Show S01E01 Extended Cut.mkv');
    await suite.library.put({ 'Show (2001)/Show.S01E01.Extended.Cut.2160p.mkv': 9 * GB });
    await scan();
    expect(await shown()).to.have.length(2);
    const files = await suite.db.sql`
      select name from files where item_id = ${other.id} and missing_since is null`;
    expect([...files]).to.deep.equal([{ name: 'Show.S01E01.Extended.Cut.2160p.mkv' }]);
  });

  it('keep what people did with either, and what was set of the one that stays', async () => {
    const { dark, german } = await two();
    const [theirs, later] = await episodes(german);
    const mine = (await episodes(dark))[1]!;
    const { userId, db } = suite;
    const key = (kind: string, itemId: string) => ({ userId, kind, itemId });
    await db.sql.begin(async (tx) => {
      const far = { positionMs: 900_000, atMs: nowMs, isWatched: false };
      const near = { ...far, positionMs: 5_000, atMs: nowMs + 1_000 };
      const beside = { durationMs: undefined, fileId: undefined };
      await saveProgress(tx, key('episode', theirs!.id), { ...far, ...beside });
      await saveProgress(tx, key('episode', mine.id), { ...near, ...beside });
      const mark = { isWatched: true, atMs: nowMs };
      await saveWatched(tx, key('episode', later!.id), mark);
      await saveShelf(tx, key('series', german), { shelf: 'watchlist', atMs: nowMs });
    });
    await ask<'updateEpisode', unknown>(handlers().updateEpisode, {
      ...{ params: { episodeId: theirs!.id }, body: { title: 'By me' } },
    });
    await ask<'updateSeries', unknown>(handlers().updateSeries, {
      ...{ params: { seriesId: german }, body: { overview: 'By me' } },
    });
    const series = await merge(dark, german);
    expect(series).to.deep.include({ overview: 'By me', lockedFields: ['overview'] });
    const [, second, third] = await episodes(dark);
    expect(second).to.deep.include({ id: mine.id, title: 'By me' });
    expect(third!.id).to.equal(later!.id);
    const states = await statesOf(db.sql, userId, {
      ...{ kind: 'episode', itemIds: [second!.id, third!.id] },
    });
    expect(states.get(second!.id)).to.include({ positionMs: 900_000 });
    expect(states.get(third!.id)!.watchedAt).to.be.an.instanceOf(Date);
    const shelf = await statesOf(db.sql, userId, { kind: 'series', itemIds: [dark] });
    expect(shelf.get(dark)!.watchlistAt).to.be.an.instanceOf(Date);
  });

  it('are taken apart again, and new files go where those beside them went', async () => {
    const { dark, german } = await two();
    await merge(dark, german);
    const series = await split(dark, ...(await filesBelow('Dark German [tvdbid-2]')));
    expect(series).to.deep.include({ title: 'Dark German', externalIds: { tvdb: '2' } });
    const apart = ['Dark: 1x1 1, 1x2 1', 'Dark German: 1x2 1, 2x1 1'];
    expect(await shown()).to.deep.equal(apart);
    await suite.library.put({ 'Dark German [tvdbid-2]/Season 2/Dark German S02E02.mkv': GB });
    await scan();
    expect(await shown()).to.deep.equal([apart[0], `${apart[1]!}, 2x2 1`]);
  });

  it('wrongly taken for one are taken apart, with what people did, and stay so', async () => {
    await suite.library.put({
      'A/Galactica/Season 1/Galactica S01E01.mkv': GB,
      'A/Galactica/Season 1/Galactica S01E03.mkv': GB,
      'B/Galactica/Season 1/Galactica S01E01.mkv': GB,
      'B/Galactica/Season 1/Galactica S01E02.mkv': GB,
    });
    await scan();
    expect(await shown()).to.deep.equal(['Galactica: 1x1 2, 1x2 1, 1x3 1']);
    const id = await idOf('Galactica');
    const second = (await episodes(id))[1]!;
    const { userId, db } = suite;
    const mark = { isWatched: true, atMs: nowMs };
    const watched = { userId, kind: 'episode', itemId: second.id };
    await db.sql.begin((tx) => saveWatched(tx, watched, mark));
    const fileIds = await filesBelow('B');
    const other = await split(id, ...fileIds);
    const apart = ['Galactica: 1x1 1, 1x2 1', 'Galactica: 1x1 1, 1x3 1'];
    for (const directories of [undefined, ['B/Galactica/Season 1'], ['A/Galactica/Season 1']]) {
      expect((await shown()).toSorted()).to.deep.equal(apart);
      await scan(directories);
    }
    const [, moved] = await episodes(other.id);
    const states = await statesOf(db.sql, userId, { kind: 'episode', itemIds: [moved!.id] });
    expect(states.get(moved!.id)!.watchedAt).to.be.an.instanceOf(Date);
    await suite.library.put({ 'B/Galactica/Season 1/Galactica S01E05.mkv': GB });
    await scan(['B/Galactica/Season 1']);
    expect(await episodes(other.id)).to.have.length(3);
    expect((await split(id, ...fileIds)).id, 'asked again').to.equal(other.id);
    await merge(id, other.id);
    await scan();
    expect(await shown()).to.deep.equal(['Galactica: 1x1 2, 1x2 1, 1x3 1, 1x5 1']);
  });

  it('give single files away, and keep their folder', async () => {
    await suite.library.put({
      'Show (2001) [tvdbid-7]/Show S01E01.mkv': GB,
      'Show (2001) [tvdbid-7]/Show S01E01 Fan Cut.mkv': GB,
      'Show (2001) [tvdbid-7]/tvshow.nfo': '<tvshow><title>Show</title><plot>P</plot></tvshow>',
    });
    await scan();
    const id = await idOf('Show');
    const [cut, whole] = await filesBelow('Show (2001) [tvdbid-7]');
    const other = await split(id, cut!);
    expect(other.externalIds).to.deep.equal({});
    await scan();
    expect(await shown()).to.deep.equal(['Show: 1x1 1', 'Show: 1x1 1']);
    const { overview } = await ask<'getSeries', Schemas['Series']>(handlers().getSeries, {
      params: { seriesId: other.id },
    });
    expect(overview).to.equal(null);
    expect(await failure(split(id, whole!))).to.equal('unprocessable');
    expect(await failure(split(other.id, whole!))).to.equal('not-found');
  });
});
