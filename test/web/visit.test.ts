import { join } from 'node:path';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { needs } from '../needs.ts';
import type { TestServer } from '../server.ts';
import { until, type TestBrowser } from './browser.ts';
import { makeSeries } from './series-site.ts';
import { makeFilms } from './site.ts';
import { startVisit, video, type Visit } from './suite.ts';

/** Compressed script a first page may load, in bytes. */
const scriptMax = 150_000;
/** In the page: what the focus is on, as who listens is told. */
const focused = `(() => {
  const at = document.activeElement;
  if (!at || at === document.body || at.id === 'content') return '';
  return at.getAttribute('aria-label') ?? at.labels?.[0]?.textContent ?? at.textContent ?? '';
})()`;
/** What a service worker hands out, once it is there, it tells the size of unpacked. */
const scripts = `performance.getEntriesByType('resource')
  .filter(({ name, workerStart }) => name.endsWith('.js') && workerStart === 0)
  .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)`;

describe('a visit with the keyboard alone', function () {
  needs('chromium', 'ffmpeg');
  this.timeout(180_000);
  let visit: Visit;
  let server: TestServer;
  let browser: TestBrowser;
  let page: Page;

  before(async () => {
    visit = await startVisit({ prepare });
    ({ server, browser, page } = visit);
  });
  after(() => visit?.[Symbol.asyncDispose]());
  afterEach(() => {
    expect(browser.complaints()).to.deep.equal([]);
  });

  const at = () => page.evaluate<string>(focused);
  const press = (key: string) => page.keyboard.press(key);
  /** Goes on with a key until the focus is on what is named so. */
  const reach = async (name: string, key = 'Tab') => {
    for (let presses = 0; presses < 60; presses += 1) {
      if ((await at()).trim().startsWith(name)) return;
      await press(key);
    }
    throw new Error(`60 × ${key} do not lead to ${name}, but to ${await at()}`);
  };
  const heading = (name: string) => page.getByRole('heading', { level: 1, name }).waitFor();

  it('signs in, with little to load', async () => {
    await page.goto(server.url);
    await page.getByLabel('User name').waitFor();
    await reach('User name');
    await page.keyboard.type(server.admin.username);
    await press('Tab');
    await page.keyboard.type(server.admin.password);
    await press('Enter');
    await page.getByRole('heading', { name: 'New films' }).waitFor();
    // Both pages together: what a service worker loads for later is not among it.
    const bytes = await page.evaluate<number>(scripts);
    expect(bytes).to.be.within(1, scriptMax);
  });

  it('passes over what is the same on every page', async () => {
    await reach('Skip to content');
    await press('Enter');
    expect(await page.evaluate(`document.activeElement?.id`)).to.equal('content');
  });

  it('goes to a film by arrows, plays it and comes back', async () => {
    await reach('Films', 'Shift+Tab');
    await press('Enter');
    await heading('Films');
    await page.getByRole('link', { name: /The Long Walk/ }).waitFor();
    await reach('Sort by', 'ArrowDown');
    await reach('Mountain Rain', 'Tab');
    await press('ArrowLeft');
    await reach('The Long Walk', 'ArrowRight');
    await press('Enter');
    await heading('The Long Walk');
    await reach('Play');
    await press('Enter');
    await until(page, `${video}?.currentTime > 0.5`);
    await press('ArrowDown');
    expect(await at()).to.equal('Pause');
    await press('Enter');
    await until(page, `${video}?.paused`);
    await press('Escape');
    await press('Backspace');
    await page.waitForURL('**/movies/*');
    await page.getByRole('link', { name: /^(Play|Resume)/ }).waitFor();
  });

  it('finds a series, turns to its second season and marks an episode', async () => {
    await press('/');
    await page.keyboard.type('northern');
    await page.waitForURL('**/search?q=northern');
    await page.getByText('Series · 2018').waitFor();
    await reach('Northern Line', 'ArrowDown');
    await press('Enter');
    await heading('Northern Line');
    expect(await page.evaluate(`document.activeElement?.id`)).to.equal('content');
    await page.getByRole('list', { name: 'Season 1' }).waitFor();
    await reach('Season 1');
    await press('ArrowRight');
    await press('Enter');
    await page.getByText('S2 E1 · Another Way').waitFor();
    await reach('Watched: S2 E1');
    await press('Space');
    await page.getByRole('button', { name: /^Watched: S2 E1/, pressed: true }).waitFor();
    expect(await at()).to.contain('Watched: S2 E1');
  });

  it('opens a menu, closes it where it was, and signs out', async () => {
    await reach('Menu of', 'Shift+Tab');
    await press('Enter');
    await page.getByRole('menu').waitFor();
    await press('Escape');
    await page.getByRole('menu').waitFor({ state: 'detached' });
    expect(await at()).to.contain('Menu of');
    await press('Enter');
    await page.getByRole('menu').waitFor();
    await reach('Sign out', 'ArrowDown');
    await press('Enter');
    await page.getByLabel('User name').waitFor();
  });
});

async function prepare(server: TestServer): Promise<void> {
  await makeSeries(join(server.films, 'Series'));
  await makeFilms(join(server.films, 'Movies'), [
    { name: 'Mountain Rain (1999)', seconds: 20 },
    { name: 'The Long Walk (2011)', seconds: 20 },
  ]);
  await server.library('Series', 'Series', 'series');
  await server.library('Films', 'Movies');
}
