import { join } from 'node:path';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { needs } from '../needs.ts';
import { writeFiles, type TestServer } from '../server.ts';
import { until, type TestBrowser } from './browser.ts';
import { makeFilms, writePoster } from './site.ts';
import { chooseTool, headed, openIn, signIn, startVisit, video, type Visit } from './suite.ts';

/** In the page: it has drawn what it was told. */
const drawn = `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`;

describe('a page that is left before its answer comes, in the web app', function () {
  needs('chromium', 'ffmpeg');
  this.timeout(180_000);
  let visit: Visit;
  let server: TestServer;
  let browser: TestBrowser;
  let page: Page;

  before(async () => {
    visit = await startVisit({ prepare });
    ({ server, browser, page } = visit);
    await openIn(page, server.url);
    await signIn(page, server.admin);
  });
  after(() => visit?.[Symbol.asyncDispose]());
  // Svelte warns of what is read that belongs to a page that is gone (`derived_inert`).
  afterEach(() => {
    expect(browser.complaints()).to.deep.equal([]);
  });

  /** From the grid, so that the way back leads there. */
  const openFilm = async (title: string) => {
    await openIn(page, `${server.url}/movies`);
    await page.getByRole('link', { name: new RegExp(`^${title}`) }).click();
    await headed(page, title);
  };
  /** Does what asks the server, leaves the page, and only then lets it answer. */
  const leaveDuring = async (address: RegExp, work: () => Promise<unknown>, status?: number) => {
    const answer = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    await page.route(address, async (route) => {
      asked.resolve();
      await answer.promise;
      await (status === undefined ? route.continue() : route.fulfill({ status, json: {} }));
    });
    await work();
    await asked.promise;
    await page.goBack();
    await headed(page, 'Films');
    const answered = page.waitForResponse(address);
    answer.resolve();
    await (await answered).finished();
    await page.unroute(address);
    await page.evaluate(drawn);
  };

  it('asks nothing of it when it was asked about anew', async () => {
    await openFilm('Heat');
    await leaveDuring(/\/refresh$/, () => chooseTool(page, 'Refresh'), 202);
    await page.getByText('It is asked about anew').waitFor();
  });

  it('asks nothing of it when a picture was chosen', async () => {
    await openFilm('Heat');
    await chooseTool(page, 'Choose artwork');
    const picture = page.getByRole('button', { name: /^Show this picture: file/, pressed: true });
    await leaveDuring(/\/chosen$/, () => picture.click());
  });

  it('asks nothing of it when it was made one with another', async () => {
    await openFilm('Heat');
    await chooseTool(page, 'Merge with others');
    const dialog = page.getByRole('dialog', { name: 'Merge with others' });
    await dialog.getByLabel('Title').fill('cold');
    await page.keyboard.press('Enter');
    await dialog.getByRole('checkbox', { name: 'Cold (2001)' }).check();
    await dialog.getByRole('button', { name: 'Merge …' }).click();
    const merge = page.getByRole('button', { name: 'Merge', exact: true });
    await leaveDuring(/\/merge$/, () => merge.click());
    await page.getByText('They are one: “Heat (1995)”').waitFor();
  });

  it('is not followed by what was typed last in the field that searches', async () => {
    await openFilm('Walk');
    await page.evaluate(`(() => {
      const field = document.querySelector('search input');
      field.value = 'cold';
      field.dispatchEvent(new Event('input', { bubbles: true }));
      document.querySelector('main a[href^="/watch/"]').click();
    })()`);
    await until(page, `${video}?.currentTime > 1`);
    expect(new URL(page.url()).pathname).to.match(/^\/watch\//);
  });
});

async function prepare(server: TestServer): Promise<void> {
  await makeFilms(join(server.films, 'Movies'), [{ name: 'Walk (2011)', seconds: 10 }]);
  await writeFiles(server.films, {
    'Movies/Heat (1995)/Heat (1995).mkv': 'a film',
    'Movies/Cold (2001)/Cold (2001).mkv': 'another',
  });
  await writePoster(join(server.films, 'Movies/Heat (1995)'), 'Heat');
  await server.library('Films', 'Movies');
  await server.settled();
}
