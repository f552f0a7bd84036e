import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { needs } from '../needs.ts';
import type { TestServer } from '../server.ts';
import { barriersInAnyLight, type TestBrowser } from './browser.ts';
import { excess, openIn, signIn, startVisit, type Visit } from './suite.ts';

describe('backups, in the web app', function () {
  needs('chromium');
  this.timeout(180_000);
  let visit: Visit;
  let server: TestServer;
  let browser: TestBrowser;
  let page: Page;

  before(async () => {
    visit = await startVisit();
    ({ server, browser, page } = visit);
    await openIn(page, server.url);
    await signIn(page, server.admin);
  });
  after(() => visit?.[Symbol.asyncDispose]());
  afterEach(() => {
    expect(browser.complaints()).to.deep.equal([]);
  });

  it('need a folder, and lead to where it is set', async () => {
    await openIn(page, `${server.url}/admin/backups`);
    await page.getByRole('heading', { name: 'No backups can be kept' }).waitFor();
    await page.getByText('Set a folder that all nodes share').waitFor();
    const link = page.getByRole('main').getByRole('link', { name: 'Settings' }).last();
    expect(await link.getAttribute('href')).to.equal('/admin/settings');
  });

  it('are kept in no folder that is not there, which is said where it is set', async () => {
    await openIn(page, `${server.url}/admin/settings`);
    const row = page.getByRole('listitem').filter({ hasText: 'backup.dir' });
    const field = row.getByRole('textbox');
    await field.fill('/no/such/folder');
    await row.getByRole('button', { name: 'Save' }).click();
    const told = row.getByRole('alert');
    await told.waitFor();
    expect(await told.innerText()).to.equal('/no/such/folder is not there, on the node that leads');
    expect(await field.getAttribute('aria-describedby')).to.equal(await told.getAttribute('id'));
    expect(browser.complaints().join()).to.match(/422/);
  });

  it('are made now, and listed with what they hold', async () => {
    const folder = join(server.films, 'backups');
    await mkdir(folder);
    const json = { value: folder };
    await server.read('/api/v1/settings/backup.dir', { method: 'PUT', json });
    await openIn(page, `${server.url}/admin/backups`);
    await page.getByRole('heading', { name: 'No backups yet' }).waitFor();
    expect(await barriersInAnyLight(page)).to.deep.equal([]);
    await page.getByRole('button', { name: 'Make one now' }).click();
    await page.getByText('A backup is being made').waitFor();
    await page.getByText(/^Made by version \S+, schema \d+, [\d,]+ rows$/).waitFor();
    expect(await barriersInAnyLight(page)).to.deep.equal([]);
    await page.setViewportSize({ width: 360, height: 780 });
    expect(await page.evaluate(excess)).to.equal(0);
  });

  it('are in the log of activity, as all that was done, in words', async () => {
    await openIn(page, `${server.url}/admin/activity`);
    const made = page.getByRole('listitem').filter({ hasText: 'A backup was made' });
    await made.getByText('The server', { exact: true }).waitFor();
    await page.getByText('Changed a setting: backup.dir').waitFor();
    await page.getByLabel('Show').selectOption({ label: 'Backups' });
    await page.getByText('Changed a setting: backup.dir').waitFor({ state: 'detached' });
    await page.getByText('Asked for a backup').waitFor();
  });
});
