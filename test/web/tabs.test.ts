import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { needs } from '../needs.ts';
import type { Account, TestServer } from '../server.ts';
import type { TestBrowser } from './browser.ts';
import { openIn, signIn, startVisit, type Visit } from './suite.ts';

describe('two tabs of one browser', function () {
  needs('chromium');
  this.timeout(180_000);
  let visit: Visit;
  let server: TestServer;
  let browser: TestBrowser;
  let page: Page;
  let other: Page;
  let anna: Account;
  let bert: Account;

  before(async () => {
    visit = await startVisit();
    ({ server, browser, page } = visit);
    anna = await server.account('anna', 'admin');
    bert = await server.account('bert');
    await openIn(page, server.url);
    await signIn(page, anna);
    other = await visit.context.newPage();
  });
  after(() => visit?.[Symbol.asyncDispose]());

  const menuOf = ({ username }: Account, tab: Page) =>
    tab.getByRole('button', { name: `Menu of ${username}` });
  const both = async () => {
    await openIn(page, `${server.url}/account`);
    await openIn(other, `${server.url}/account`);
  };
  /** Until both ask who is there again, over what they show. */
  const end = async ({ id }: Account) => {
    await page.evaluate(`localStorage.setItem('revenge.refresh', 'not a token')`);
    await server.read(`/api/v1/users/${id}/sessions`, { method: 'DELETE' });
    return [await questionIn(page), await questionIn(other)] as const;
  };
  const questionIn = async (tab: Page) => {
    const again = tab.getByRole('dialog', { name: 'Please sign in again' });
    await again.waitFor();
    return again;
  };

  it('are signed in again together, and keep what was typed into them', async () => {
    await both();
    await page.getByLabel('Current password').fill('half typed');
    const [here, there] = await end(anna);
    await there.getByLabel('Password').fill(anna.password);
    await there.getByRole('button', { name: 'Sign in', exact: true }).click();
    await there.waitFor({ state: 'hidden' });
    await here.waitFor({ state: 'hidden' });
    expect(await page.getByLabel('Current password').inputValue()).to.equal('half typed');
    browser.complaints(); // the browser logs each 401
  });

  it('are both somebody else’s once one of them is, with nothing of who was there', async () => {
    await openIn(page, `${server.url}/admin/users`);
    await page.getByText(bert.username, { exact: true }).first().waitFor();
    const [, there] = await end(anna);
    await there.getByLabel('User name').fill(bert.username);
    await there.getByLabel('Password').fill(bert.password);
    await there.getByRole('button', { name: 'Sign in', exact: true }).click();
    for (const tab of [other, page]) {
      await menuOf(bert, tab).waitFor();
      expect(new URL(tab.url()).pathname).to.equal('/');
    }
    browser.complaints();
  });

  it('are signed out together', async () => {
    await both();
    await menuOf(bert, other).click();
    await other.getByRole('menuitem', { name: 'Sign out' }).click();
    for (const tab of [other, page]) await tab.getByLabel('User name').waitFor();
    expect(await page.getByText('Current password').count()).to.equal(0);
    expect(browser.complaints()).to.deep.equal([]);
  });
});
