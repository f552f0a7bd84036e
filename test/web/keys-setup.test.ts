import { join } from 'node:path';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { needs } from '../needs.ts';
import type { TestServer } from '../server.ts';
import { until, type TestBrowser } from './browser.ts';
import { keyboardOf, type Keyboard } from './keyboard.ts';
import { makeFilms } from './site.ts';
import { headed, startVisit, video, type Visit } from './suite.ts';

const password = 'correct horse battery staple';

describe('a whole visit of the web app by keys alone', function () {
  needs('chromium', 'ffmpeg');
  this.timeout(400_000);
  let visit: Visit;
  let server: TestServer;
  let browser: TestBrowser;
  let page: Page;
  let keys: Keyboard;

  before(async () => {
    visit = await startVisit({ setUp: false, prepare });
    ({ server, browser, page } = visit);
    keys = keyboardOf(page);
  });
  after(() => visit?.[Symbol.asyncDispose]());
  afterEach(() => {
    expect(browser.complaints()).to.deep.equal([]);
  });

  const write = async (field: string, text: string) => {
    await keys.reach(field);
    await page.keyboard.type(text);
  };
  const enterOn = async (name: string) => {
    await keys.reach(name);
    await keys.press('Enter');
  };

  it('begins with an administrator', async () => {
    await page.goto(`${server.url}/setup?token=${server.node.setupToken}`);
    await page.getByLabel('User name').waitFor();
    await keys.reachesAll('the administrator');
    await write('User name', 'admin');
    await write('Password', password);
    await keys.press('Tab');
    await write('Password again', password);
    await keys.press('Enter');
    await page.getByRole('button', { name: 'Go on' }).waitFor();
  });

  it('goes on over the machine to a library, whose folder is chosen', async () => {
    await keys.reachesAll('the machine');
    await enterOn('Go on');
    await page.getByRole('button', { name: 'Browse' }).waitFor();
    await keys.reachesAll('the library');
    await enterOn('Browse');
    const picker = page.getByRole('dialog', { name: 'Choose a folder' });
    await picker.getByRole('button', { name: 'Movies', exact: true }).waitFor();
    await keys.reachesAll('the folders');
    await enterOn('Movies');
    await picker.locator('code', { hasText: '/Movies' }).waitFor();
    await enterOn('Choose this folder');
    await picker.waitFor({ state: 'hidden' });
    await enterOn('Add and scan');
    await page.getByRole('heading', { name: 'Your library is here' }).waitFor();
    await server.settled();
    await keys.reachesAll('the end of set-up');
    await enterOn('Go to the library');
    await page.getByRole('heading', { name: 'Recently added' }).waitFor();
  });

  it('finds a film, plays it, comes back, and says that it was watched', async () => {
    await keys.press('/');
    await page.keyboard.type('long wlak');
    await page
      .getByRole('link', { name: /The Long Walk/ })
      .or(page.getByRole('option'))
      .first()
      .waitFor();
    await keys.press('Enter');
    await page.getByRole('heading', { level: 1 }).first().waitFor();
    await enterOn('The Long Walk');
    await headed(page, 'The Long Walk');
    await enterOn('Play');
    await until(page, `${video}?.currentTime > 1`);
    await keys.press('Escape');
    await keys.press('Escape');
    await headed(page, 'The Long Walk');
    await enterOn('Watched');
    await page.getByRole('button', { name: 'Watched', pressed: true }).waitFor();
  });
});

const prepare = ({ films }: TestServer): Promise<void> =>
  makeFilms(join(films, 'Movies'), [
    { name: 'The Long Walk (2011)', seconds: 20 },
    { name: 'Mountain Rain (1999)', seconds: 3 },
  ]);
