import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { startTmdb } from '../fakes/tmdb.ts';
import { enriched } from '../metadata.ts';
import { needs } from '../needs.ts';
import { writeFiles, type TestServer } from '../server.ts';
import { barriersInAnyLight, settle, type TestBrowser } from './browser.ts';
import { excess, headed, openIn, signIn, startVisit, type Visit } from './suite.ts';

/** The day so many days from now. */
const dayIn = (days: number): string =>
  new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
const hostile = `<b>Past</b> ${'W'.repeat(480)}`;

describe('the calendar in the web app', function () {
  needs('chromium');
  this.timeout(180_000);
  const stack = new AsyncDisposableStack();
  let visit: Visit;
  let server: TestServer;
  let browser: TestBrowser;
  let page: Page;

  before(async () => {
    const tmdb = stack.use(await startTmdb());
    // They are shown a week apart: one eight days ago, the next yesterday, the last is to come.
    const seasons = { 1: ['Secrets', 'Lies', hostile] };
    tmdb.series.push({ id: 1, title: 'Dark', date: dayIn(-8), seasons });
    const config = { 'metadata.tmdb.url': `${tmdb.url}/3`, 'metadata.tmdb.api_key': 'key' };
    visit = stack.use(await startVisit({ prepare, config }));
    ({ server, browser, page } = visit);
    await openIn(page, server.url);
    await signIn(page, server.user);
  });
  after(() => stack.disposeAsync());
  afterEach(() => {
    expect(browser.complaints()).to.deep.equal([]);
  });

  const open = (path: string) => openIn(page, server.url + path);
  const episode = (name: string) => page.getByRole('link').filter({ hasText: name });
  const expectFit = async () => {
    for (const width of [360, 1280, 1920]) {
      await page.setViewportSize({ width, height: 900 });
      await settle(page);
      expect(await page.evaluate(excess), `${width} pixels wide`).to.equal(0);
    }
    expect(await barriersInAnyLight(page)).to.deep.equal([]);
  };

  it('is come to from the series, and goes from week to week in the address', async () => {
    await open('/series');
    await page.getByRole('link', { name: 'Calendar' }).click();
    await headed(page, 'Calendar');
    await page.getByRole('link', { name: 'Week after' }).click();
    await page.waitForURL(/week=\d{4}-\d\d-\d\d$/);
    const next = page.url();
    await page.getByRole('link', { name: 'Week after' }).click();
    await page.waitForURL((url) => url.href !== next);
    await page.goBack();
    await page.waitForURL(next);
    await page.getByRole('link', { name: 'This week' }).click();
    await page.waitForURL(/\/calendar$/);
  });

  for (const [days, name, state] of [
    [-8, 'Secrets', 'Here'],
    [-1, 'Lies', 'Missing'],
    [6, '<b>Past</b>', 'To come'],
  ] as const) {
    it(`says of an episode in ${days} days: ${state}`, async () => {
      await open(`/calendar?week=${dayIn(days)}`);
      await episode(name).getByText(state, { exact: true }).waitFor();
      await expectFit();
      await episode(name).click();
      await headed(page, 'Dark');
      await page.waitForURL(/\/series\/.*\?season=1$/);
    });
  }

  it('is empty in a week without episodes, and tells how programs follow it', async () => {
    await open('/calendar?week=1999-01-01');
    await page.getByText('No episodes this week').waitFor();
    await page.getByText(`${server.url}/api/v1/calendar.ics`).waitFor();
    await page.getByRole('link', { name: 'Make an API key' }).click();
    await headed(page, 'My account');
    await open('/calendar?week=never');
    await page
      .getByRole('link', { name: 'This week' })
      .and(page.locator('[aria-current]'))
      .waitFor();
  });

  it('can be asked again when it did not answer', async () => {
    const address = /\/api\/v1\/calendar\?/;
    await page.route(address, (route) => route.fulfill({ status: 500, json: {} }));
    await open('/calendar');
    await page.getByRole('alert').waitFor();
    await page.unroute(address);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('alert').waitFor({ state: 'detached' });
    expect(browser.complaints().every((one) => one.includes('500'))).to.equal(true);
  });

  it('leads to a series that says what is missing, to who wants to know', async () => {
    await open('/series');
    await page.getByRole('link', { name: /^Dark/ }).click();
    await headed(page, 'Dark');
    const summary = page.getByText('1 episode that was shown is missing');
    await summary.waitFor();
    expect(await page.getByText('Lies').count()).to.equal(0);
    await summary.press('Enter');
    await page.getByRole('region', { name: 'Season 1' }).getByText('Lies').waitFor();
    await expectFit();
  });

  it('is not needed by who plays any episode of a series', async () => {
    await open('/series');
    await page.getByRole('link', { name: /^Pair/ }).click();
    await headed(page, 'Pair');
    await page.getByRole('button', { name: 'Play any episode' }).click();
    await page.waitForURL(/\/watch\/episode\//);
  });
});

async function prepare(server: TestServer): Promise<void> {
  await writeFiles(server.films, {
    'series/Dark/Dark S01E01.mkv': 'no film',
    'series/Pair/Pair S01E01.mkv': 'no film either',
    'series/Pair/Pair S01E02.mkv': 'nor this',
  });
  await server.library('Series', 'series', 'series');
  await enriched(server);
}
