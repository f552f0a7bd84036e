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
  this.timeout(120_000);
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
