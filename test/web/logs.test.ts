import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { needs } from '../needs.ts';
import type { TestServer } from '../server.ts';
import { barriers, barriersInAnyLight, until, type TestBrowser } from './browser.ts';
import { excess, openIn, signIn, startVisit, type Visit } from './suite.ts';

const many = 1_500;
/** In the page: lines of the log that are in the document, of however many there are. */
const drawn = `document.querySelectorAll('main li[aria-posinset]').length`;
const bottom = `scrollTo(0, document.documentElement.scrollHeight)`;

describe('the log in the web app', function () {
  needs('chromium');
  this.timeout(180_000);
  let visit: Visit;
  let server: TestServer;
  let browser: TestBrowser;
  let page: Page;

  before(async () => {
    visit = await startVisit({ prepare });
    ({ server, browser, page } = visit);
    await open('/admin/logs');
    await signIn(page, server.admin);
  });
  after(() => visit?.[Symbol.asyncDispose]());
  afterEach(() => {
    expect(browser.complaints()).to.deep.equal([]);
  });

  const open = (path: string) => openIn(page, server.url + path);
  const line = (message: string | RegExp) =>
    page
      .getByRole('listitem')
      .filter({ hasText: message })
      .getByRole('button', { expanded: false });
  const heading = () => page.getByRole('heading', { level: 1, name: 'Logs' }).waitFor();

  it('shows the newest line first, and nobody is kept out', async () => {
    await heading();
    // What the page itself had to ask for is logged too.
    await open('/admin/logs?text=of%20many');
    await line(`line ${many - 1} `).waitFor();
    expect(await barriers(page)).to.deep.equal([]);
  });

  it('reaches the oldest line of many, and draws few of them', async () => {
    for (;;) {
      await page.evaluate(bottom);
      if ((await page.getByText('That is all this node keeps').count()) > 0) break;
      expect(await page.evaluate<number>(drawn)).to.be.within(1, 80);
    }
    // How high lines are is known when they are drawn: the end may lie lower than it did.
    while ((await line('line 0 ').count()) === 0) await page.evaluate(bottom);
    await line('line 0 ').waitFor();
  });

  it('keeps the level in the address, and says it in words', async () => {
    await open('/admin/logs');
    await page.getByLabel('Level').selectOption({ label: 'Warnings and worse' });
    await line('a disk is slow').waitFor();
    await page.getByRole('listitem').getByText('Warning', { exact: true }).waitFor();
    await until(page, `${drawn} === 2`);
    expect(await barriersInAnyLight(page)).to.deep.equal([]);
    await page.reload();
    await line('a scan has failed').waitFor();
    await until(page, `${drawn} === 2`);
  });

  it('unfolds a line by the keyboard, with its fields and without secrets', async () => {
    await line('a scan has failed').focus();
    await page.keyboard.press('Enter');
    await page.getByText('no such folder').waitFor();
    await page.getByText('/media/films').waitFor();
    expect(await page.getByText('hunter2').count()).to.equal(0);
    expect(await barriers(page)).to.deep.equal([]);
  });

  it('copies a line as the node wrote it', async () => {
    await visit.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: 'Copy this line: a scan has failed' }).click();
    await page.getByText('Copied').first().waitFor();
    const text = await page.evaluate<string>('navigator.clipboard.readText()');
    expect(JSON.parse(text)).to.include({ level: 'error', message: 'a scan has failed' });
  });

  it('finds lines by part and by text', async () => {
    await open('/admin/logs?module=library');
    await line('a scan has failed').waitFor();
    await until(page, `${drawn} === 1`);
    await open('/admin/logs');
    await page.getByLabel('Text').fill('LINE 1477 ');
    await until(page, `${drawn} === 1`);
    await line('line 1477 ').waitFor();
    expect(new URL(page.url()).searchParams.get('text')).to.equal('LINE 1477');
    await page.getByLabel('Text').fill('nothing has this in it');
    await page.getByText('No lines', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Clear the filters' }).click();
    await until(page, `${drawn} > 10`);
  });

  it('follows, and does not while it is paused', async () => {
    await open('/admin/logs');
    server.log.info('followed');
    await line('followed').waitFor();
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    server.log.info('held back');
    expect(await page.getByText('held back').count()).to.equal(0);
    await page.getByRole('button', { name: 'Follow', exact: true }).click();
    await line('held back').waitFor();
  });

  it('moves nothing under who reads further down, and says what is new', async () => {
    await open('/admin/logs');
    await until(page, `document.documentElement.scrollHeight > 6000`);
    await page.evaluate('scrollTo(0, 4000)');
    await until(page, `scrollY > 3000`);
    server.log.warn('while you read');
    await page.getByRole('button', { name: /new lines?$/ }).click();
    await line('while you read').waitFor();
    expect(await page.evaluate('scrollY')).to.equal(0);
  });

  it('shows odd names as they are, on a phone too', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await open('/admin/logs');
    server.log.info('<img src=x onerror=alert(1)> '.repeat(20), { path: 'x'.repeat(600) });
    const odd = line('<img src=x').first();
    await odd.click();
    await page.getByText('x'.repeat(600)).waitFor();
    expect(await page.evaluate(excess)).to.equal(0);
    expect(await barriers(page)).to.deep.equal([]);
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  it('says that a member is unknown, and lets another be chosen', async () => {
    await open('/admin/logs?node=gone');
    await page.getByRole('alert').waitFor();
    const nodes = page.getByLabel('Node', { exact: true });
    const own = nodes.locator('option:not([value=gone])').first();
    await own.waitFor({ state: 'attached' });
    await nodes.selectOption((await own.getAttribute('value')) ?? '');
    await line('while you read').waitFor();
    browser.complaints(); // the browser logs each 404
  });

  it('is nobody else’s', async () => {
    const { status } = await server.fetch('/api/v1/admin/logs', { token: server.userToken });
    expect(status).to.equal(403);
  });
});

async function prepare({ log }: TestServer): Promise<void> {
  log.level = 'info';
  for (let nth = 0; nth < many; nth += 1) {
    log.info(`line ${nth} of many`, { nth, route: '/api/v1/movies', status: 200 });
    if (nth === 1_000) log.warn('a disk is slow', { module: 'media', path: '/media' });
    if (nth === 1_200) {
      const error = new Error('no such folder');
      const facts = { module: 'library', path: '/media/films', token: 'hunter2', error };
      log.error('a scan has failed', facts);
    }
  }
}
