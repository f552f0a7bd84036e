import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { startTmdb, type FakeTmdb } from '../fakes/tmdb.ts';
import { enriched } from '../metadata.ts';
import { needs } from '../needs.ts';
import { writeFiles, type TestServer } from '../server.ts';
import { barriers, type TestBrowser } from './browser.ts';
import { chooseTool, headed, openIn, signIn, startVisit, type Visit } from './suite.ts';

const films = [
  { id: 949, title: 'Heat', date: '1995-12-15', votes: 7_000, imdb: 'tt0113277' },
  { id: 5, title: 'Heat', date: '1986-11-01', votes: 6_000, minutes: 101 },
  { id: 8, title: 'Cold', date: '2001-01-01' },
];
const markup = '<img src=x onerror=alert(1)>';
const series = [
  { id: 70523, title: 'Dark', date: '2017-12-01', seasons: { 1: ['Secrets'] } },
  { id: 70524, title: `Dark ${markup}`, date: '1999-01-01', seasons: { 1: ['Other Secrets'] } },
];

describe('which record a work is, in the web app', function () {
  needs('chromium');
  this.timeout(180_000);
  let tmdb: FakeTmdb;
  let visit: Visit;
  let server: TestServer;
  let browser: TestBrowser;
  let page: Page;

  before(async () => {
    tmdb = await startTmdb(films);
    tmdb.series.push(...series);
    visit = await startVisit({
      config: { 'metadata.tmdb.url': `${tmdb.url}/3`, 'metadata.tmdb.api_key': 'key' },
      prepare,
    });
    ({ server, browser, page } = visit);
    await openIn(page, server.url);
    await signIn(page, server.admin);
  });
  after(async () => {
    await visit?.[Symbol.asyncDispose]();
    await tmdb?.[Symbol.asyncDispose]();
  });
  afterEach(() => {
    expect(browser.complaints()).to.deep.equal([]);
  });

  const heading = (name: string) => headed(page, name);
  const choose = (item: string) => chooseTool(page, item);
  const dialog = () => page.getByRole('dialog', { name: 'Fix the match' });

  it('is told with how sure it is, and what else it might be', async () => {
    await openIn(page, `${server.url}/movies`);
    await page.getByRole('link', { name: /^Heat/ }).click();
    await heading('Heat');
    await page.getByText('Why was this matched?').click();
    await page.getByText('Taken for “Heat”').waitFor();
    await page.getByText('No record elsewhere was sure enough.').waitFor();
    await page.getByText('It might also be:').waitFor();
    expect(await barriers(page)).to.deep.equal([]);
    await page.getByRole('button', { name: 'Fix the match' }).click();
    await dialog().getByText('What was weighed before').waitFor();
    await dialog().getByRole('button', { name: 'Take this: Heat (1995)' }).waitFor();
    expect(await barriers(page)).to.deep.equal([]);
  });

  it('is looked for by a title, a year or an id', async () => {
    await dialog().getByLabel('Title or id').fill('heat');
    await dialog().getByLabel('Year').fill('1986');
    await page.keyboard.press('Enter');
    await dialog().getByText('1 record found').waitFor();
    await dialog().getByRole('button', { name: 'Take this: Heat (1986)' }).waitFor();
    await dialog().getByLabel('Title or id').fill('nothing of the kind');
    await dialog().getByRole('button', { name: 'Look' }).click();
    await dialog().getByText('0 records found').waitFor();
    await dialog().getByText('Try fewer words of the title').waitFor();
    await dialog().getByLabel('Title or id').fill('tmdb:8');
    await dialog().getByLabel('Year').fill('');
    await dialog().getByRole('button', { name: 'Look' }).click();
    await dialog().getByText('1 record found').waitFor();
    expect(await barriers(page)).to.deep.equal([]);
  });

  it('is chosen, and the page follows', async () => {
    await dialog().getByRole('button', { name: 'Take this: Cold (2001)' }).click();
    await dialog().waitFor({ state: 'hidden' });
    await page.getByText('Taken for “Cold”').waitFor();
    await heading('Cold');
    await page.getByText('What happens in Cold.').waitFor();
    await enriched(server);
    await page.getByRole('link', { name: 'TMDB 8' }).waitFor();
    await page.getByText('because somebody said so').waitFor();
    await page.getByRole('button', { name: 'Fix the match' }).click();
    await dialog().getByText('What was weighed before').waitFor();
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'hidden' });
  });

  it('is told with what it changed, and who said so', async () => {
    await choose('What changed');
    const history = page.getByRole('dialog', { name: 'What changed' });
    const latest = history.getByRole('listitem').filter({ hasText: 'TMDb' }).first();
    await latest.getByText('What happens in Cold.').waitFor();
    await latest.getByText('1 Jan 2001').waitFor();
    expect(await barriers(page)).to.deep.equal([]);
    await page.keyboard.press('Escape');
    await history.waitFor({ state: 'hidden' });
  });

  it('is asked about anew', async () => {
    tmdb.films.splice(2, 1, { id: 8, title: 'Cold', date: '2001-01-01', overview: 'Rewritten.' });
    await choose('Refresh');
    await page.getByText('It is asked about anew').waitFor();
    await page.getByText('Rewritten.').waitFor();
    await enriched(server);
  });

  it('is chosen of a series too, whatever it is called', async () => {
    await openIn(page, `${server.url}/series`);
    await page.getByRole('link', { name: /^Dark/ }).click();
    await heading('Dark');
    await page.getByText('What happens in Dark.').waitFor();
    await page.getByText('Why was this matched?').click();
    await page.getByText('by its title and year, 100% alike').waitFor();
    await choose('Fix the match');
    await dialog().getByLabel('Title or id').fill('dark');
    await dialog().getByLabel('Year').fill('');
    await dialog().getByRole('button', { name: 'Look' }).click();
    await dialog().getByText('2 records found').waitFor();
    await dialog().getByText('This one now').waitFor();
    await dialog()
      .getByRole('button', { name: `Take this: Dark ${markup} (1999)` })
      .click();
    await heading(`Dark ${markup}`);
    await page.getByText('because somebody said so').waitFor();
    await choose('Refresh');
    await page.getByText('It is asked about anew').waitFor();
    await enriched(server);
  });

  it('is said to be out of reach while the provider is away, with what was typed kept', async () => {
    await choose('Fix the match');
    await dialog().getByText('What was weighed before').waitFor();
    tmdb.trouble = 500;
    await dialog().getByLabel('Title or id').fill('warm');
    await dialog().getByRole('button', { name: 'Look' }).click();
    await dialog().getByText('This did not work').waitFor();
    tmdb.trouble = undefined;
    expect(await dialog().getByLabel('Title or id').inputValue()).to.equal('warm');
    browser.complaints(); // the browser logs each answer that is none
    await page.keyboard.press('Escape');
  });

  it('is told in the language of who reads, with the words of the server after its own', async () => {
    const person = await browser.person({ language: 'de-DE' });
    const german = await person.newPage();
    await openIn(german, page.url());
    await german.getByLabel('Benutzername').fill(server.admin.username);
    await german.getByLabel('Passwort').fill(server.admin.password);
    await german.keyboard.press('Enter');
    await german.getByText('Läuft noch', { exact: true }).waitFor();
    await german.getByRole('button', { name: 'Mehr', exact: true }).click();
    await german.getByRole('menuitem', { name: 'Zuordnung berichtigen' }).click();
    tmdb.trouble = 500;
    await german.getByLabel('Titel oder Kennung').fill('warm');
    await german.getByRole('button', { name: 'Suchen', exact: true }).click();
    await german.getByText('Versuche es später wieder. Der Server sagt: „tmdb').waitFor();
    tmdb.trouble = undefined;
    browser.complaints(); // the browser logs each answer that is none
    await person.close();
  });

  it('is not for everybody to say', async () => {
    const other = await browser.person();
    const his = await other.newPage();
    await openIn(his, `${server.url}/movies`);
    await signIn(his, server.user);
    await his.getByRole('link', { name: /^Cold/ }).click();
    await his.getByText('Why was this matched?').click();
    await his.getByText('Taken for “Heat”').waitFor();
    expect(await his.getByRole('button', { name: 'More', exact: true }).count()).to.equal(0);
    expect(await his.getByRole('button', { name: 'Fix the match' }).count()).to.equal(0);
    await other.close();
  });
});

async function prepare(server: TestServer): Promise<void> {
  await writeFiles(server.films, {
    'Movies/Heat/Heat.mkv': 'a film',
    'Series/Dark (2017)/Season 1/Dark S01E01.mkv': 'an episode',
  });
  await server.library('Films', 'Movies');
  await server.library('Series', 'Series', 'series');
  await enriched(server);
}
