import { expect } from 'chai';
import type { components } from '#api/types.ts';
import { GB, nowMs, seriesSuite, type EpisodeCard, type SeriesPage } from '#test/series.ts';
import { saveWatched } from '../../progress/store.ts';

type Schemas = components['schemas'];

const counted = (cards: readonly EpisodeCard[]) =>
  cards.map(({ season, number, absolute, airDate, title }) =>
    [season, number ?? absolute ?? airDate, title].join(' '),
  );

describe('series', () => {
  const suite = seriesSuite();
  const { scan, ask, handlers, list, episodes, one } = suite;

  it('come with their seasons and episodes out of names', async () => {
    await suite.library.put({
      'The Wire (2002)/Season 1/The Wire - S01E02 - The Detail.mkv': GB,
      'The Wire (2002)/Season 1/The Wire - S01E01 - The Target.mkv': GB,
      'The Wire (2002)/Season 02/The.Wire.S02E01E02.1080p.WEB-DL-GRP.mkv': GB,
      'The Wire (2002)/Specials/The Wire - S00E01 - Prequel.mkv': GB,
    });
    const { added, updated } = await scan();
    expect([added.length, updated.length]).to.deep.equal([1, 0]);
    const wire = await one();
    expect(wire).to.include({ id: added[0], title: 'The Wire', year: 2002, episodeCount: 4 });
    expect(counted(await episodes(wire.id))).to.deep.equal([
      '0 1 Prequel',
      '1 1 The Target',
      '1 2 The Detail',
      '2 1 ',
      '2 2 ',
    ]);
    expect(await episodes(wire.id, { season: 2 })).to.have.length(2);
    const whole = await ask<'getSeries', { seasons: object[] }>(handlers().getSeries, {
      params: { seriesId: wire.id },
    });
    expect(whole.seasons.map((season) => ({ ...season, id: '' }))).to.deep.equal(
      [0, 1, 2].map((number) => ({
        ...{ id: '', number, episodeCount: number === 0 ? 1 : 2, watchedCount: 0 },
        ...{ isAvailable: true, title: null, overview: null, sources: {}, lockedFields: [] },
        images: {},
      })),
    );
    expect(await scan()).to.deep.equal({ added: [], updated: [] });
  });

  it('are one, whichever folder comes first and whatever lies beside', async () => {
    await suite.library.put({
      'Lost/Season 2/Lost S02E01.mkv': GB,
      'Lost/Season 1/Lost.2004.S01E01.720p.mkv': GB,
      'Lost/poster.jpg': 1000,
      'Lost/tvshow.nfo':
        '<tvshow><title>Lost: Reise ins Ungewisse</title><year>2004</year><plot>Island.</plot>' +
        '<uniqueid type="tvdb">73739</uniqueid><genre>Mystery</genre></tvshow>',
    });
    await scan(['Lost/Season 2']);
    await scan(['Lost/Season 1']);
    await scan(['Lost']);
    const lost = await one();
    expect(lost).to.include({ title: 'Lost: Reise ins Ungewisse', year: 2004, episodeCount: 2 });
    const files = await suite.db.sql<{ itemId: string }[]>`
      select distinct item_id as "itemId" from files where library_id = ${suite.library.id}`;
    expect(files).to.deep.equal([{ itemId: lost.id }]);
    const detail = await ask<'getSeries', { externalIds: object; overview: string }>(
      handlers().getSeries,
      { params: { seriesId: lost.id } },
    );
    expect(detail.externalIds).to.deep.equal({ tvdb: '73739' });
    expect(detail.overview).to.equal('Island.');
    await suite.library.put({ 'Lost/Season 3/Lost S03E01.mkv': GB });
    await scan(['Lost/Season 3']);
    expect(await one()).to.include({ id: lost.id, title: 'Lost: Reise ins Ungewisse' });
  });

  it('begin with the NFO of a folder whose videos come later', async () => {
    await suite.library.put({
      'Xan/tvshow.nfo': '<tvshow><title>Xanadu</title></tvshow>',
      'Xan/Season 1/Xan S01E01.mkv': GB,
    });
    await scan(['Xan']);
    expect(await one()).to.include({ title: 'Xanadu', isAvailable: false });
    await scan(['Xan/Season 1']);
    expect(await one()).to.include({ title: 'Xanadu', isAvailable: true, episodeCount: 1 });
  });

  it('have episodes by day and by numbers through all seasons', async () => {
    await suite.library.put({
      'Daily/Daily.2019.12.31.Guest.mkv': GB,
      'Daily/Daily.2020.01.02.Other.mkv': GB,
      'Naruto/[Group] Naruto - 013 [1080p].mkv': GB,
      'Naruto/[Group] Naruto - 002 [1080p].mkv': GB,
    });
    await scan();
    const { items } = await list();
    expect(items.map(({ title }) => title)).to.deep.equal(['Daily', 'Naruto']);
    const daily = await episodes(items[0]!.id);
    expect(daily.map(({ season, airDate }) => [season, airDate])).to.deep.equal([
      [2019, '2019-12-31'],
      [2020, '2020-01-02'],
    ]);
    const naruto = await episodes(items[1]!.id);
    expect(naruto.map((episode) => episode.number ?? episode.absolute)).to.deep.equal([2, 13]);
  });

  it('have episodes as their own NFO files say', async () => {
    await suite.library.put({
      'Show/Season 1/Show S01E01.mkv': GB,
      'Show/Season 1/Show S01E01.nfo':
        '<episodedetails><title>Begin</title><season>1</season><episode>1</episode>' +
        '<aired>2001-02-03</aired></episodedetails>' +
        '<episodedetails><title>Go on</title><season>1</season><episode>2</episode></episodedetails>',
    });
    await scan();
    const { id } = await one();
    expect(counted(await episodes(id))).to.deep.equal(['1 1 Begin', '1 2 Go on']);
  });

  it('are what the hint file of their folder says, and so are its files', async () => {
    await suite.library.put({
      'shw/.plexmatch': 'show: The Show\nyear: 2001\ntvdbid: 77\nseason: 3\nep: S02E05: odd.mkv\n',
      'shw/tvshow.nfo': '<tvshow><title>Shw</title><plot>Of it</plot></tvshow>',
      'shw/Season 1/odd.mkv': GB,
      'shw/Season 1/Shw S01E01.mkv': GB,
      'shw/Shw - E04.mkv': GB,
    });
    await scan();
    const found = await one();
    expect(found).to.include({ title: 'The Show', year: 2001 });
    const whole = await ask<'getSeries', { overview: string; match: object }>(
      handlers().getSeries,
      { params: { seriesId: found.id } },
    );
    expect(whole).to.deep.include({ overview: 'Of it', externalIds: { tvdb: '77' } });
    expect(whole.match).to.deep.nested.include({ 'chosen.from': 'hint' });
    const numbers = (await episodes(found.id)).map(({ season, number }) => [season, number]);
    expect(numbers).to.deep.equal([
      [1, 1],
      [2, 5],
      [3, 4],
    ]);
    expect(await scan()).to.deep.equal({ added: [], updated: [] });
  });

  it('show an episode with versions, parts and subtitles', async () => {
    await suite.library.put({
      'Show/Season 1/Show S01E01 720p.mkv': GB,
      'Show/Season 1/Show S01E01 1080p.mkv': 2 * GB,
      'Show/Season 1/Show S01E01 1080p.de.forced.srt': 100,
      'Show/Season 1/Show S01E02 cd1.avi': GB,
      'Show/Season 1/Show S01E02 cd2.avi': GB,
      'Show/Season 1/Subs/Show S01E02 cd1/2_English.srt': 100,
      'Show/Extras/Making of.mkv': GB,
    });
    await scan();
    const { id } = await one();
    const [first, second] = await episodes(id);
    const read = (episodeId: string) =>
      ask<
        'getEpisode',
        {
          versions: { label: string | null; files: { id: string; name: string }[] }[];
          subtitles: { language?: string; isForced: boolean; forFileId: string }[];
        }
      >(handlers().getEpisode, { params: { episodeId } });
    const one1 = await read(first!.id);
    expect(one1.versions.map(({ label }) => label)).to.have.members(['1080p', '720p']);
    expect(one1.subtitles.map(({ language, isForced }) => [language, isForced])).to.deep.equal([
      ['de', true],
    ]);
    const two = await read(second!.id);
    expect(two.versions).to.have.length(1);
    expect(two.versions[0]!.files.map(({ name }) => name)).to.deep.equal([
      'Show S01E02 cd1.avi',
      'Show S01E02 cd2.avi',
    ]);
    expect(two.subtitles.map(({ language }) => language)).to.deep.equal(['en']);
    const whole = await ask<'getSeries', { extras: { name: string }[] }>(handlers().getSeries, {
      params: { seriesId: id },
    });
    expect(whole.extras.map(({ name }) => name)).to.deep.equal(['Making of.mkv']);
  });

  it('take a file along that gets another number, with what people did', async () => {
    await suite.library.put({ 'Show/Show S01E01.mkv': GB, 'Show/Show S01E05.mkv': GB });
    await scan();
    const { id } = await one();
    const [first] = await episodes(id);
    const key = { userId: suite.userId, kind: 'episode', itemId: first!.id };
    await suite.db.sql.begin((tx) => saveWatched(tx, key, { isWatched: true, atMs: nowMs }));
    await suite.library.move('Show/Show S01E01.mkv', 'Show/Show S01E03.mkv');
    await scan();
    expect(counted(await episodes(id))).to.deep.equal(['1 3 ', '1 5 ']);
    const next = await ask<'listNextUp', { items: EpisodeCard[] }>(handlers().listNextUp);
    expect(next.items.map(({ number }) => number)).to.deep.equal([5]);
    expect(await one()).to.include({ watchedCount: 1 });
  });

  it('keep what is missing, unavailable, and let go of what is deleted', async () => {
    await suite.library.put({ 'Show/Show S01E01.mkv': GB, 'Show/Show S02E01.mkv': GB });
    await scan();
    const { id } = await one();
    const refresh = () => suite.db.sql.begin((tx) => suite.series.module.refresh(tx, [id]));
    await suite.library.lose('Show/Show S02E01.mkv');
    await refresh();
    expect((await episodes(id)).map(({ isAvailable }) => isAvailable)).to.deep.equal([true, false]);
    await suite.db.sql`delete from files where path = 'Show/Show S02E01.mkv'`;
    await refresh();
    expect(await episodes(id)).to.have.length(1);
    await suite.db.sql`
      update files set probe = '{"durationMs": 1500.4, "streams": [], "chapters": []}'
      where library_id = ${suite.library.id}`;
    await suite.library.lose('Show/Show S01E01.mkv');
    await refresh();
    expect(await one()).to.include({ isAvailable: false });
    await suite.db.sql.begin((tx) =>
      suite.series.module.remove!(tx, { libraryId: suite.library.id }),
    );
    expect((await list()).items).to.have.length(0);
  });

  it('follow a folder that is renamed', async () => {
    await suite.library.put({ 'Shw/Season 1/Shw S01E01.mkv': GB });
    await scan();
    const { id } = await one();
    await suite.library.move('Shw/Season 1/Shw S01E01.mkv', 'Show (2001)/Season 1/Show S01E01.mkv');
    await scan(['Show (2001)/Season 1']);
    expect(await one()).to.include({ id, title: 'Show', year: 2001 });
  });

  it('are listed page by page', async () => {
    const names = ['The Bear', 'Andor', 'Chernobyl', 'Dark', 'Dark Matter'];
    await suite.library.put(
      Object.fromEntries(names.map((name) => [`${name}/Season 1/${name} S01E01.mkv`, GB])),
    );
    await scan();
    const sorted = ['Andor', 'The Bear', 'Chernobyl', 'Dark', 'Dark Matter'];
    for (const sort of ['title', 'added']) {
      const found: string[] = [];
      let cursor: string | null | undefined;
      do {
        const page: SeriesPage = await list({ sort, limit: 2, ...(cursor && { cursor }) });
        found.push(...page.items.map(({ title }) => title));
        cursor = page.nextCursor;
      } while (cursor !== null);
      expect(found).to.have.members(sorted);
      if (sort === 'title') expect(found).to.deep.equal(sorted);
    }
    expect((await list({ titlePrefix: 'dark' })).items).to.have.length(2);
    const { items } = await list();
    const page = await ask<'listEpisodes', { nextCursor: null }>(handlers().listEpisodes, {
      params: { seriesId: items[0]!.id },
    });
    expect(page.nextCursor).to.equal(null);
  });

  it('list their files page by page, each with what it holds, and those missing too', async () => {
    await suite.library.put({
      'Dark (2017)/Season 1/Dark S01E01.mkv': GB,
      'Dark (2017)/Season 1/Dark S01E02-E03.mkv': GB,
      'Dark (2017)/Season 1/Dark S01E04 cd1.mkv': GB,
      'Dark (2017)/Season 1/Dark S01E04 cd2.mkv': GB,
      'Dark (2017)/Season 2/Dark S02E01.mkv': GB,
    });
    const { added } = await scan();
    await suite.db.sql`update files set missing_since = now() where name like '%S01E01%'`;
    const files = async (query: object) => {
      const found: Schemas['SeriesFile'][] = [];
      let cursor: string | null | undefined;
      do {
        const page: Schemas['SeriesFilePage'] = await ask<
          'listSeriesFiles',
          Schemas['SeriesFilePage']
        >(handlers().listSeriesFiles, {
          ...{ params: { seriesId: added[0] }, query: { ...query, ...(cursor && { cursor }) } },
        });
        found.push(...page.items);
        cursor = page.nextCursor;
        expect(page.total).to.equal('season' in query ? 4 : 5);
      } while (cursor !== null);
      return found.map(({ name, episodes: held, isMissing, part }) =>
        [name.slice(5, -4), held.map(({ number }) => number), isMissing, part].join(' '),
      );
    };
    const first = ['S01E01 1 true ', 'S01E02-E03 2,3 false ', 'S01E04 cd1 4 false 1'];
    const all = [...first, 'S01E04 cd2 4 false 2', 'S02E01 1 false '];
    for (const limit of [1, 2, 5]) expect(await files({ limit })).to.deep.equal(all);
    expect(await files({ season: 1, limit: 3 })).to.deep.equal(all.slice(0, 4));
  });

  it('are found and summed up', async () => {
    await suite.library.put({ 'Dark (2017)/Season 1/Dark S01E01 Secrets.mkv': GB });
    const { added } = await scan();
    const documents = await suite.series.searchSources[0]!.documents(suite.db.sql, added);
    expect(documents.map(({ title, year }) => [title, year])).to.deep.equal([['Dark', 2017]]);
    expect(
      await suite.series.searchSources[0]!.idsAfter(suite.db.sql, undefined, 10),
    ).to.deep.equal(added);
    const [first] = await episodes(added[0]!);
    expect(await suite.series.progressKinds[0]!.exists(suite.db.sql, first!.id, {})).to.equal(true);
    const [summary] = await suite.series.progressKinds[0]!.summaries(suite.db.sql, [first!.id], {});
    expect(summary?.title).to.equal('Dark · S01E01 · Secrets');
  });
});
