import { expect } from 'chai';
import type { Page, Route } from 'playwright-core';
import { needs } from '../needs.ts';
import type { Account, TestServer } from '../server.ts';
import type { TestBrowser } from './browser.ts';
import { openIn, signIn, startVisit, type Visit } from './suite.ts';

/** In the page: what it is signed in again with. */
const token = `localStorage.getItem('revenge.refresh')`;

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
  /** The answer to the next question of a tab for a token is there, and comes when it is released. */
  const holdAnswer = async (tab: Page) => {
    const { promise: released, resolve } = Promise.withResolvers<void>();
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    const hold = async (route: Route) => {
      const response = await route.fetch();
      ask();
      await released;
      await route.fulfill({ response });
      answer();
    };
    await tab.route('**/auth/refresh', hold, { times: 1 });
    const release = () => {
      resolve();
      return answered;
    };
    return { asked, release };
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

  it('go on once what they are signed in with can be read, though it was told before', async () => {
    await both();
    const [here] = await end(anna);
    const { username, password } = anna;
    const json = { username, password, deviceName: 'Chrome' };
    const { refreshToken } = await server.read<{ refreshToken: string }>('/api/v1/auth/login', {
      ...{ method: 'POST', json },
    });
    const channel = `new BroadcastChannel('revenge.session')`;
    await page.evaluate(`void (globalThis.told = new Promise((done) => {
      ${channel}.onmessage = done;
    }))`);
    await other.evaluate(`${channel}.postMessage('${anna.id}')`);
    // Until it was told, and has looked.
    await page.evaluate(`told.then(() => navigator.locks.request('revenge.refresh', () => 0))`);
    expect(await here.isVisible()).to.equal(true);
    await other.evaluate(`localStorage.setItem('revenge.refresh', '${refreshToken}')`);
    await here.waitFor({ state: 'hidden' });
    browser.complaints();
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

  it('learn what is new of who they are, and spend no token for it', async () => {
    await both();
    const spent: string[] = [];
    visit.context.on('request', (request) => spent.push(request.url()));
    await server.read(`/api/v1/users/${bert.id}`, {
      ...{ method: 'PATCH', json: { displayName: 'Bert B.' } },
    });
    for (const tab of [other, page]) await menuOf({ ...bert, username: 'Bert B.' }, tab).waitFor();
    expect(spent.filter((url) => url.endsWith('/auth/refresh'))).to.deep.equal([]);
    await server.read(`/api/v1/users/${bert.id}`, {
      ...{ method: 'PATCH', json: { displayName: null } },
    });
    await menuOf(bert, other).waitFor();
  });

  it('keep the latest token where they cannot wait for each other, as on plain HTTP', async () => {
    const context = await browser.person();
    await context.addInitScript(`Object.defineProperty(navigator, 'locks', { value: undefined })`);
    const [late, early] = [await context.newPage(), await context.newPage()];
    await openIn(late, server.url);
    await signIn(late, bert);
    const { asked, release } = await holdAnswer(late);
    await late.goto(server.url);
    await asked;
    const kept: unknown[] = [];
    for (let times = 0; times < 2; times += 1) {
      await early.goto(server.url);
      await menuOf(bert, early).waitFor();
      kept.push(await early.evaluate(token));
    }
    expect(kept[1]).not.to.equal(kept[0]);
    await release();
    await menuOf(bert, late).waitFor();
    expect(await late.evaluate(token)).to.equal(kept[1]);
    await context.close();
  });

  it('stay signed out, though one of them was just asking for a token', async () => {
    const { asked, release } = await holdAnswer(page);
    // The server does not hear that somebody signs out, and would take the new token.
    await other.route('**/auth/logout', (route) => route.abort());
    await page.goto(server.url);
    await asked;
    await menuOf(bert, other).click();
    await other.getByRole('menuitem', { name: 'Sign out' }).click();
    await other.getByLabel('User name').waitFor();
    await release();
    await page.getByLabel('User name').waitFor();
    expect(await page.evaluate(token)).to.equal(null);
    await other.unroute('**/auth/logout');
    browser.complaints(); // the browser logs what was kept from it
    await signIn(page, bert);
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
