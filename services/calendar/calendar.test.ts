import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import type { components } from '#api/types.ts';
import { startTmdb, type FakeTmdb } from '#test/fakes/tmdb.ts';
import { enriched } from '#test/metadata.ts';
import { startServer, type TestServer } from '#test/server.ts';
import { describeCalendar } from './ical.ts';

type Calendar = components['schemas']['Calendar'];

describe('the calendar', function () {
  let tmdb: FakeTmdb;
  let server: TestServer;

  before(async () => {
    tmdb = await startTmdb();
    tmdb.series.push(
      { id: 1, title: 'Dark', date: '2017-12-01', seasons: { 1: ['Secrets', 'Lies', 'Past'] } },
      { id: 2, title: 'Borgen; a, b', date: '2017-12-08', seasons: { 1: ['Decency'] } },
    );
    const config = { 'metadata.tmdb.url': `${tmdb.url}/3`, 'metadata.tmdb.api_key': 'key' };
    server = await startServer({ config });
    for (const file of ['Dark (2017)/Dark S01E02.mkv', 'Borgen; a, b (2017)/Borgen S01E01.mkv']) {
      const path = join(server.films, 'series', file);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, file);
    }
    await server.library('Series', 'series', 'series');
    await enriched(server);
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await tmdb[Symbol.asyncDispose]();
  });

  it('tells which episodes are shown on which day, and which are here', async () => {
    const { items } = await server.read<Calendar>('/api/v1/calendar?from=2017-12-01&to=2017-12-08');
    const shown = items.map((one) => [one.airDate, one.seriesTitle, one.title, one.isHeld]);
    expect(shown).to.deep.equal([
      ['2017-12-01', 'Dark', 'Secrets', false],
      ['2017-12-08', 'Borgen; a, b', 'Decency', true],
      ['2017-12-08', 'Dark', 'Lies', true],
    ]);
  });

  it('tells of held ones whoever says their day: NFO files, names, and people', async () => {
    const aired = (title: string, day: string) =>
      `<episodedetails><title>${title}</title><aired>${day}</aired></episodedetails>`;
    const files = {
      'Own (2001)/Season 1/Own S01E03.mkv': 'held',
      'Own (2001)/Season 1/Own S01E03.nfo': aired('Third', '2018-03-01'),
      'Own (2001)/Season 1/Own S01E04.mkv': 'of no day',
      'Dark (2017)/Dark S01E03.mkv': 'held',
      'Dark (2017)/Dark S01E03.nfo': aired('Past', '2018-03-02'),
      'Daily/Daily.2018-03-03.mkv': 'held',
    };
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(server.films, 'series', path)), { recursive: true });
      await writeFile(join(server.films, 'series', path), text);
    }
    const { items } = await server.read<{ items: { id: string }[] }>('/api/v1/libraries');
    const scan = { method: 'POST', json: { mode: 'full' } };
    await server.read(`/api/v1/libraries/${items[0]!.id}/scans`, scan);
    await enriched(server);
    const shown = async (from: string, to: string) => {
      const { items } = await server.read<Calendar>(`/api/v1/calendar?from=${from}&to=${to}`);
      return items.map(({ airDate, seriesTitle, season, number, title, isHeld }) =>
        [airDate, seriesTitle, season, number, title, isHeld].join(),
      );
    };
    expect(await shown('2018-03-01', '2018-03-03')).to.deep.equal([
      '2018-03-01,Own,1,3,Third,true',
      '2018-03-02,Dark,1,3,Past,true',
      '2018-03-03,Daily,2018,,,true',
    ]);
    expect(await shown('2017-12-15', '2017-12-15'), 'as its provider says').to.deep.equal([]);
    const [own] = await server.db.sql<{ id: string }[]>`
      select e.id from episodes e join series s on s.id = e.series_id
      where s.title = 'Own' and e.number = 3`;
    const json = { airDate: '2018-03-09' };
    await server.read(`/api/v1/episodes/${own!.id}`, { method: 'PATCH', json });
    expect(await shown('2018-03-01', '2018-03-01')).to.deep.equal([]);
    expect(await shown('2018-03-09', '2018-03-09')).to.deep.equal([
      '2018-03-09,Own,1,3,Third,true',
    ]);
    const { items: same } = await server.read<Calendar>(
      '/api/v1/calendar?from=2018-03-03&to=2018-03-03',
    );
    const at = new Date('2026-01-02T03:04:05Z');
    const lines = describeCalendar(same, { title: 'Home', at }).replace(/\r\n /g, '').split('\r\n');
    expect(lines).to.include.members(['SUMMARY:Daily', `UID:${same[0]!.episodeId}@revenge`]);
  });

  it('is of the days around today, unless others are named', async () => {
    const { from, to, items } = await server.read<Calendar>('/api/v1/calendar');
    expect((Date.parse(to) - Date.parse(from)) / 86_400_000).to.equal(35);
    expect(items).to.deep.equal([]);
    for (const query of ['from=2017-12-02&to=2017-12-01', 'from=2017-01-01&to=2019-01-01']) {
      const { status } = await server.fetch(`/api/v1/calendar?${query}`, {
        token: server.userToken,
      });
      expect(status).to.equal(422);
    }
  });

  it('is given to calendar programs, by an API key for a password', async () => {
    const json = { name: 'calendar', scopes: ['series:read'] };
    const { key } = await server.read<components['schemas']['CreatedApiKey']>('/api/v1/apikeys', {
      ...{ method: 'POST', json },
    });
    const basic = (word: string) => ({
      headers: { authorization: `Basic ${Buffer.from(`me:${word}`).toString('base64')}` },
    });
    const answer = await server.fetch('/api/v1/calendar.ics', basic(key));
    expect(answer.status).to.equal(200);
    expect(answer.headers.get('content-type')).to.equal('text/calendar; charset=utf-8');
    expect(answer.headers.get('cache-control'), 'nobody else’s').to.equal('private, no-cache');
    expect(await answer.text()).to.match(/^BEGIN:VCALENDAR\r\n[^]*END:VCALENDAR/);
    expect((await server.fetch('/api/v1/calendar.ics', basic('wrong'))).status).to.equal(401);
    expect((await server.fetch('/api/v1/movies', basic(key))).status).to.equal(403);
  });

  it('is one that programs read', async () => {
    const { items } = await server.read<Calendar>('/api/v1/calendar?from=2017-12-08&to=2017-12-08');
    const at = new Date('2026-01-02T03:04:05Z');
    const text = describeCalendar(items, { title: 'Home', at });
    const lines = text.split('\r\n');
    expect(lines.filter((line) => Buffer.byteLength(line) > 75)).to.deep.equal([]);
    const unfolded = text.replace(/\r\n /g, '').split('\r\n');
    expect(unfolded).to.include.members([
      'VERSION:2.0',
      'METHOD:PUBLISH',
      'DTSTAMP:20260102T030405Z',
      'DTSTART;VALUE=DATE:20171208',
      'SUMMARY:Borgen\\; a\\, b S01E01 – Decency',
      'TRANSP:TRANSPARENT',
    ]);
    expect(describeCalendar(items, { title: 'Home', at })).to.equal(text);
  });
});
