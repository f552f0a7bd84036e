import { join } from 'node:path';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { needs } from '../needs.ts';
import { writeFiles, type TestServer } from '../server.ts';
import { barriers, until, type TestBrowser } from './browser.ts';
import { long, markup, rtl } from './series-site.ts';
import { chooseTool, excess, openIn, signIn, startVisit, type Visit } from './suite.ts';

/** What markup in a name would have become. */
const injected = `document.querySelectorAll('img[src="x"]').length`;
/** In the page: how much wider something in the dialog is than it, in CSS pixels. */
const excessOfDialog = `Math.max(...[...document.querySelectorAll('[role=dialog], [role=dialog] div')]
  .map((one) => one.scrollWidth - one.clientWidth))`;
const emoji = '👩‍👩‍👧‍👦🏳️‍🌈'.repeat(20);
/** Nowhere in it a line may end. */
const tight = 'W'.repeat(500);
const names = { Odd: markup, Rtl: rtl, Long: long, Emoji: emoji, Tight: tight };
const keyName = markup.repeat(2).slice(0, 100).trim();
const pages = [
  ...['/', '/movies', '/series', '/search?q=bold', '/lists', '/account', '/admin'],
  ...['/admin/libraries', '/admin/users', '/admin/jobs', '/admin/activity', '/admin/settings'],
  '/admin/logs',
];

describe('the web app with what nobody wished for', function () {
  needs('chromium');
  this.timeout(240_000);
  let visit: Visit;
  let server: TestServer;
  let browser: TestBrowser;
  let page: Page;

  before(async () => {
    visit = await startVisit({ prepare });
    ({ server, browser, page } = visit);
    await open('/');
    await signIn(page, server.admin);
  });
  after(() => visit?.[Symbol.asyncDispose]());
  afterEach(() => {
    expect(browser.complaints()).to.deep.equal([]);
  });

  const open = (path: string) => openIn(page, server.url + path);
  const rested = () => page.locator('.animate-pulse').first().waitFor({ state: 'detached' });

  for (const width of [360, 1280]) {
    it(`shows odd names as they are, ${width} pixels wide`, async () => {
      await page.setViewportSize({ width, height: 800 });
      for (const path of pages) {
        await open(path);
        await page.getByRole('heading', { level: 1 }).waitFor({ state: 'attached' });
        await rested();
        expect(await page.evaluate(excess), path).to.equal(0);
        expect(await page.evaluate(injected), path).to.equal(0);
      }
      for (const name of Object.values(names)) {
        await open('/movies');
        await page.getByRole('link', { name: name.slice(0, 40) }).click();
        await page.getByRole('heading', { level: 1, name }).waitFor();
        await page.getByText('Why was this matched?').click();
        await page.getByText('Taken for').waitFor();
        expect(await page.evaluate(excess), name).to.equal(0);
        expect(await page.evaluate(injected), name).to.equal(0);
        await chooseTool(page, 'Merge with others');
        await page.getByRole('dialog').getByText('Nothing found for').waitFor();
        expect(await page.evaluate(excessOfDialog), name).to.equal(0);
        expect(await barriers(page)).to.deep.equal([]);
        await page.keyboard.press('Escape');
        await page.getByRole('dialog').waitFor({ state: 'detached' });
      }
      expect(await barriers(page)).to.deep.equal([]);
    });
  }

  it('offers a library where there is nothing', async () => {
    await open('/series');
    await page.getByText('There are no series yet').waitFor();
    await page.getByRole('link', { name: 'Add a library' }).click();
    await page.getByRole('heading', { level: 1, name: 'Libraries' }).waitFor();
  });

  it('says what fails, page by page, and goes on when it is mended', async () => {
    const problem = { type: '/problems/internal', title: 'x', status: 500 };
    for (const path of ['/', '/movies', '/search?q=bold', '/admin/libraries', '/admin/cluster']) {
      const isData = /\/api\/v1\/(movies|search|libraries|cluster)(\/events)?(\?|$)/;
      await page.route(isData, (route) => route.fulfill({ status: 500, json: problem }));
      await open(path);
      await page.getByText('This did not work').waitFor();
      await page.unroute(isData);
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.getByText('This did not work').waitFor({ state: 'detached' });
    }
    browser.complaints(); // the browser logs each answer that is none
  });

  it('keeps the place of what is slow to come', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const isList = /\/api\/v1\/movies\?/;
    await page.route(isList, async (route) => {
      await released;
      await route.continue();
    });
    await open('/movies');
    await page.locator('main .animate-pulse').first().waitFor();
    expect(await barriers(page)).to.deep.equal([]);
    release();
    await page.getByText('5 films').waitFor();
    await page.unroute(isList);
  });

  it('asks before it deletes a key, a user or a token, and does it once', async () => {
    await server.read('/api/v1/cluster/init', { method: 'POST' });
    const json = { uses: 1 };
    const wish = { method: 'POST', json };
    const { id } = await server.read<{ id: string }>('/api/v1/cluster/tokens', wish);
    const cases = [
      ['/account', `Delete: ${keyName}`, `Delete the key ${keyName}?`, 'Delete'],
      ['/admin/users', 'Delete: user', 'Delete user?', 'Delete'],
      ['/admin/cluster', `Revoke: ${id}`, `Revoke the token ${id}?`, 'Revoke'],
    ] as const;
    for (const [path, label, title, action] of cases) {
      await open(path);
      const asked = page.getByRole('button', { name: label, exact: true });
      const question = page.getByRole('dialog', { name: title });
      await asked.click();
      await question.getByRole('button', { name: 'Cancel' }).click();
      await question.waitFor({ state: 'detached' });
      await asked.click();
      expect(await barriers(page), path).to.deep.equal([]);
      await question.getByRole('button', { name: action, exact: true }).click();
      await question.waitFor({ state: 'detached' });
      await asked.waitFor({ state: 'detached' });
    }
  });

  it('keeps an edit through a session that ends in the middle of it', async () => {
    await open('/movies');
    await page.getByRole('link', { name: rtl }).click();
    await page.getByRole('button', { name: 'More', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Edit' }).click();
    const edit = page.getByRole('dialog', { name: 'Edit' });
    await edit.getByLabel('Overview', { exact: true }).fill(`Half a ${markup}`);
    await page.evaluate(`localStorage.setItem('revenge.refresh', 'not a token')`);
    await server.read(`/api/v1/users/${server.admin.id}/sessions`, { method: 'DELETE' });
    await edit.getByRole('button', { name: 'Save' }).click();
    const again = page.getByRole('dialog', { name: 'Please sign in again' });
    await again.getByLabel('Password').fill(server.admin.password);
    await again.getByRole('button', { name: 'Sign in', exact: true }).click();
    await again.waitFor({ state: 'hidden' });
    const overview = edit.getByLabel('Overview', { exact: true });
    expect(await overview.inputValue()).to.equal(`Half a ${markup}`);
    await edit.getByRole('button', { name: 'Save' }).click();
    await edit.waitFor({ state: 'hidden' });
    await page.getByText(`Half a ${markup}`).waitFor();
    await until(page, `${injected} === 0`);
    browser.complaints(); // the browser logs each 401
  });
});

async function prepare(server: TestServer): Promise<void> {
  for (const [folder, title] of Object.entries(names)) {
    const text = `<![CDATA[${title}]]>`;
    const actor = `<actor><name>${text}</name><role>${text}</role></actor>`;
    const nfo = `<movie><title>${text}</title><plot>${text}</plot><tagline>${text}</tagline>
      <genre><![CDATA[${title.slice(0, 60)}]]></genre>${actor}</movie>`;
    await writeFiles(join(server.films, 'Movies', folder), {
      'movie.nfo': nfo,
      [`${folder}.mkv`]: 'a film',
    });
  }
  await server.library(`${markup} ${'x'.repeat(50)}`, 'Movies');
  await server.account('a'.repeat(60));
  const displayName = long.slice(0, 100);
  await server.read(`/api/v1/users/${server.user.id}`, { method: 'PATCH', json: { displayName } });
  const json = { name: keyName, scopes: ['movies:read'] };
  await server.read('/api/v1/apikeys', { method: 'POST', json });
}
