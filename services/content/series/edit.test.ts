import { expect } from 'chai';
import type { components } from '#api/types.ts';
import { GB, nowMs, seriesSuite } from '#test/series.ts';
import { saveShelf } from '../../progress/store.ts';
import { historyOf } from '../history.ts';

type Schemas = components['schemas'];

describe('series that a person edits', () => {
  const suite = seriesSuite();
  const { scan, ask, handlers, list, episodes, one } = suite;
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => undefined,
      (error: unknown) => error,
    );
  const series = (seriesId: string) =>
    ask<'getSeries', Schemas['Series']>(handlers().getSeries, { params: { seriesId } });
  const episode = (episodeId: string) =>
    ask<'getEpisode', Schemas['Episode']>(handlers().getEpisode, { params: { episodeId } });
  const editSeries = (seriesId: string, body: Schemas['SeriesUpdate'], match?: string) =>
    ask<'updateSeries', Schemas['Series']>(handlers().updateSeries, {
      ...{ params: { seriesId }, body },
      headers: match === undefined ? {} : { 'if-match': match },
    });
  const editSeason = (seasonId: string, body: Schemas['SeasonUpdate']) =>
    ask<'updateSeason', Schemas['Season']>(handlers().updateSeason, {
      ...{ params: { seasonId }, body },
    });
  const editEpisode = (episodeId: string, body: Schemas['EpisodeUpdate'], match?: string) =>
    ask<'updateEpisode', Schemas['Episode']>(handlers().updateEpisode, {
      ...{ params: { episodeId }, body },
      headers: match === undefined ? {} : { 'if-match': match },
    });

  /** The titles there have been of a part, as its history tells. */
  const told = async (kind: 'season' | 'episode', id: string) =>
    (await historyOf(suite.db.sql, kind, id)).map(({ fields }) => fields['title']?.[1]);

  const nfo = '<tvshow><title>Of the file</title><plot>Told</plot><genre>War</genre></tvshow>';

  it('keep what is set, whatever names and NFO files say, until it is unlocked', async () => {
    await suite.library.put({ 'Show (2001)/Show S01E01.mkv': GB });
    await scan();
    const { id } = await one();
    const set = { title: 'The Mine', overview: 'By me', genres: ['Drama'], year: 1999 };
    const edited = await editSeries(id, { ...set, externalIds: { tvdb: '7' } });
    expect(edited).to.deep.include({
      ...{ ...set, sortTitle: 'mine', externalIds: { tvdb: '7' } },
      lockedFields: ['genres', 'ids', 'overview', 'title', 'year'],
    });
    expect(edited.sources).to.include({ title: 'user', overview: 'user' });
    expect(suite.told.map(({ name }) => name)).to.deep.equal(['item.updated']);
    expect(suite.noted).to.include(`series ${id}`);

    await suite.library.put({ 'Show (2001)/tvshow.nfo': nfo });
    await scan();
    expect(await series(id)).to.deep.include({ ...set, sortTitle: 'mine' });

    await editSeries(id, { lockedFields: ['ids', 'title'] });
    await suite.library.put({ 'Show (2001)/Show S01E02.mkv': GB });
    await scan();
    expect(await series(id)).to.deep.include({
      ...{ title: 'The Mine', sortTitle: 'mine', overview: 'Told', genres: ['War'], year: 2001 },
      lockedFields: ['ids', 'title'],
    });
  });

  it('are one still when what names them says other ids', async () => {
    const ids = (tvdb: number) => `<tvshow><uniqueid type="tvdb">${tvdb}</uniqueid></tvshow>`;
    await suite.library.put({ 'Show/tvshow.nfo': ids(1), 'Show/Season 1/Show S01E01.mkv': GB });
    await scan();
    const { id } = await one();
    await editSeries(id, { overview: 'By me' });
    await suite.library.lose('Show/tvshow.nfo');
    await suite.library.put({ 'Show/tvshow.nfo': ids(2) });
    await scan(['Show']);
    expect(await series((await one()).id)).to.deep.include({
      ...{ id, overview: 'By me', externalIds: { tvdb: '2' } },
    });
    await scan();
    expect(await one()).to.include({ id, episodeCount: 1 });
  });

  it('take all a person did along when they are renamed in two steps', async () => {
    await suite.library.put({
      ...{ 'Show/Season 1/Show S01E01.mkv': GB, 'Show/Season 1/Show S01E02E03.mkv': GB },
      'Show/Season 2/Show S02E01.mkv': GB,
    });
    await scan();
    const before = await one();
    await editSeries(before.id, { title: 'Mine', overview: 'By me' });
    const [season] = (await series(before.id)).seasons;
    await editSeason(season!.id, { title: 'Beginnings' });
    const [, second] = await episodes(before.id);
    await editEpisode(second!.id, { title: 'Second' });
    const key = { userId: suite.userId, kind: 'series', itemId: before.id };
    const mark = { shelf: 'favourite', atMs: nowMs } as const;
    await suite.db.sql.begin((tx) => saveShelf(tx, key, mark));

    for (const file of ['Season 1/Show S01E01.mkv', 'Season 1/Show S01E02E03.mkv']) {
      await suite.library.move(`Show/${file}`, `Other/${file.replace('Show', 'Other')}`);
    }
    await scan(['Other/Season 1']);
    await suite.library.move('Show/Season 2/Show S02E01.mkv', 'Other/Season 2/Other S02E01.mkv');
    await scan(['Other/Season 2']);
    const after = await one();
    expect(after).to.deep.include({ title: 'Mine', episodeCount: 4, isFavourite: true });
    const whole = await series(after.id);
    expect(whole).to.deep.include({ overview: 'By me', lockedFields: ['overview', 'title'] });
    expect(whole.seasons.map(({ title }) => title)).to.deep.equal(['Beginnings', null]);
    const titles = (await episodes(after.id)).map(({ title }) => title);
    expect(titles).to.deep.equal([null, 'Second', null, null]);
    expect(await told('season', whole.seasons[0]!.id)).to.deep.equal(['Beginnings']);
    expect(await told('episode', (await episodes(after.id))[1]!.id)).to.deep.equal(['Second']);
  });

  it('take it along in two steps, though a better file came in place of one before', async () => {
    await suite.library.put({
      ...{ 'Show/Season 1/Show S01E01.mkv': GB, 'Show/Season 1/Show S01E02.mkv': GB },
      'Show/Season 2/Show S02E01.mkv': GB,
    });
    await scan();
    const before = await one();
    await editSeries(before.id, { overview: 'By me' });
    await editSeason((await series(before.id)).seasons[0]!.id, { title: 'Beginnings' });
    const [first, , third] = await episodes(before.id);
    await editEpisode(first!.id, { title: 'First' });
    await editEpisode(third!.id, { title: 'Third' });
    await suite.library.lose('Show/Season 1/Show S01E01.mkv');
    await suite.library.lose('Show/Season 2/Show S02E01.mkv');
    await suite.library.put({ 'Show/Season 1/Show S01E01 2160p.mkv': 9 * GB });
    await scan();
    for (const [from, to] of [
      ['Show S01E01 2160p.mkv', 'Other S01E01.mkv'],
      ['Show S01E02.mkv', 'Other S01E02.mkv'],
    ]) {
      await suite.library.move(`Show/Season 1/${from}`, `Other/Season 1/${to}`);
      await scan(['Other/Season 1']);
    }
    const after = await one();
    const whole = await series(after.id);
    expect(whole).to.deep.include({ title: 'Other', overview: 'By me' });
    expect(whole.seasons.map(({ title }) => title)).to.deep.equal(['Beginnings', null]);
    expect(
      (await episodes(after.id)).map(({ title, isAvailable }) => [title, isAvailable]),
      'what is missing too',
    ).to.deep.equal([
      ['First', true],
      [null, true],
      ['Third', false],
    ]);
  });

  it('have episodes that keep what is set, and show what is told when it is unlocked', async () => {
    await suite.library.put({ 'Show/Show S01E01 Pilot.mkv': GB, 'Show/Show S01E02.mkv': GB });
    await scan();
    const { id } = await one();
    const [first] = await episodes(id);
    const seen = await episode(first!.id);
    expect(seen).to.deep.include({ title: 'Pilot', sources: { title: 'name' }, lockedFields: [] });
    const edited = await editEpisode(first!.id, { title: null, airDate: '2001-02-03' });
    expect(edited).to.deep.include({
      ...{ title: null, airDate: '2001-02-03', lockedFields: ['airDate', 'title'] },
      sources: { title: 'user', airDate: 'user' },
    });
    expect(suite.noted).to.include(`episode ${first!.id}`);
    await suite.library.put({
      'Show/Show S01E01 Pilot.nfo':
        '<episodedetails><title>Told</title><aired>1999-01-01</aired></episodedetails>',
    });
    await scan();
    expect(await episode(first!.id)).to.include({ title: null, airDate: '2001-02-03' });
    const opened = await editEpisode(first!.id, { lockedFields: ['airDate'] });
    expect(opened).to.deep.include({ title: 'Told', airDate: '2001-02-03' });
    expect(opened.sources).to.deep.include({ title: 'nfo', airDate: 'user' });
  });

  it('lock a field as it is shown', async () => {
    await suite.library.put({ 'Show/Show S01E01 Pilot.mkv': GB });
    await scan();
    const [first] = await episodes((await one()).id);
    const locked = await editEpisode(first!.id, { lockedFields: ['title', 'overview'] });
    expect(locked).to.deep.include({
      ...{ title: 'Pilot', overview: null, lockedFields: ['overview', 'title'] },
    });
  });

  it('take what is set along with a file that gets another number', async () => {
    await suite.library.put({ 'Show/Show S01E01.mkv': GB, 'Show/Show S01E05.mkv': GB });
    await scan();
    const { id } = await one();
    const [first] = await episodes(id);
    await editEpisode(first!.id, { title: 'Mine' });
    await suite.library.move('Show/Show S01E01.mkv', 'Show/Show S01E03.mkv');
    await scan();
    const titles = (await episodes(id)).map(({ number, title }) => [number, title]);
    expect(titles).to.deep.equal([
      [3, 'Mine'],
      [5, null],
    ]);
    expect(await told('episode', (await episodes(id))[0]!.id)).to.deep.equal(['Mine']);
  });

  it('refuse what is based on an older state, and what is not there', async () => {
    await suite.library.put({ 'Show/Show S01E01.mkv': GB });
    await scan();
    const { id } = await one();
    const [first] = await episodes(id);
    await editSeries(id, { overview: 'One' });
    await editEpisode(first!.id, { title: 'One' });
    const old = await Promise.all([
      failure(editSeries(id, { overview: 'Two' }, '"1.x"')),
      failure(editEpisode(first!.id, { title: 'Two' }, '"1.x"')),
    ]);
    for (const error of old) expect(error).to.have.property('code', 'precondition-failed');
    const none = '01890000-0000-7000-8000-000000000000';
    const gone = await Promise.all([
      failure(editSeries(none, { overview: 'x' })),
      failure(editSeason(none, { title: 'x' })),
      failure(editEpisode(none, { title: 'x' })),
    ]);
    for (const error of gone) expect(error).to.have.property('code', 'not-found');
    expect((await list()).items).to.have.length(1);
  });
});
