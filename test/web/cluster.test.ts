import { expect } from 'chai';
import type { Page } from 'playwright-core';
import type { LabNode } from '../lab/node.ts';
import { needs } from '../needs.ts';
import { barriers, until, type TestBrowser } from './browser.ts';
import { signInAsAdmin, startFamily, type Family } from './family.ts';
import { hasFocus, held, keyboardOf } from './keyboard.ts';
import { openIn } from './suite.ts';

describe('the cluster in the web app', function () {
  needs('chromium');
  this.timeout(400_000);
  let family: Family;
  let nodes: readonly LabNode[];
  let browser: TestBrowser;
  let page: Page;

  before(async () => {
    family = await startFamily();
    ({ nodes, browser, page } = family);
  });
  after(() => family?.[Symbol.asyncDispose]());

  /** All are named as the one machine they run on: what tells them apart is the address. */
  const member = (node: LabNode | undefined) =>
    page.getByRole('listitem').filter({ hasText: new URL(node?.url ?? '').host });
  const dead = /: (ERR_CONNECTION|Failed to load resource|.*ERR_)/;

  it('is shown with its members, and that all is well', async () => {
    await openIn(page, `${nodes[0]!.url}/admin/cluster`);
    await signInAsAdmin(page);
    await page.getByText('All is well').waitFor();
    await page.getByText('3 of 3, 2 needed').waitFor();
    await page.getByRole('heading', { name: '3 members' }).waitFor();
    for (const node of nodes) await member(node).getByText('Version').waitFor();
    await member(nodes[0]).getByText('answers you').waitFor();
    expect(await barriers(page)).to.deep.equal([]);
    expect(browser.complaints()).to.deep.equal([]);
  });

  it('says by keys alone what a change of it means, and leaves it be', async () => {
    const keys = keyboardOf(page);
    const menu = member(nodes[1]).getByRole('button', { name: /^What can be done: / });
    for (const [item, title] of [
      ['Take its vote', /^Take the vote of /],
      ['Remove for good', /^Remove .* for good\?/],
    ] as const) {
      await keys.use(menu);
      await page.getByRole('menu').waitFor();
      expect(await barriers(page), `the menu with ${item}`).to.deep.equal([]);
      await keys.reach(item, 'ArrowDown');
      await keys.press('Enter');
      const dialog = page.getByRole('dialog', { name: title });
      await dialog.getByText('Nodes that may fail:').waitFor();
      await keys.reachesAll(item);
      expect(await barriers(page), item).to.deep.equal([]);
      await keys.press('Escape');
      await dialog.waitFor({ state: 'detached' });
      await until(page, held);
      expect(await menu.evaluate(hasFocus), 'back on the menu').to.equal(true);
    }
    expect(browser.complaints()).to.deep.equal([]);
  });

  it('is shown with a node that was killed, and what that means', async () => {
    await nodes[2]!.kill();
    await member(nodes[2]).getByText('Silent').waitFor();
    await page.getByText('Needs attention').waitFor();
    await page.getByText('2 of 3, 2 needed').waitFor();
    await page.getByRole('heading', { name: 'What to do now' }).waitFor();
    expect(await barriers(page)).to.deep.equal([]);
    expect(browser.complaints()).to.deep.equal([]);
  });

  it('is told of in the language of who reads, all of it', async () => {
    const person = await browser.person({ language: 'de-DE' });
    const german = await person.newPage();
    await openIn(german, `${nodes[0]!.url}/admin/cluster`);
    await german.getByLabel('Benutzername').fill('admin');
    await german.getByLabel('Passwort').fill('correct horse battery staple');
    await german.keyboard.press('Enter');
    await german.getByRole('heading', { name: 'Was jetzt zu tun ist' }).waitFor();
    await german.getByText('1 von 3 Stimmberechtigten sind weg').waitFor();
    await german.getByText(/^Hat (.* lang|dem führenden Knoten noch) nicht geantwortet$/).waitFor();
    await german
      .getByText(/führt in Amtszeit \d/)
      .first()
      .waitFor();
    expect(await german.locator('main [lang]').count()).to.equal(0);
    expect(await barriers(german)).to.deep.equal([]);
    await person.close();
  });

  it('is well again when it is back, and the page says so by itself', async () => {
    nodes[2]!.start();
    await page.getByText('All is well').waitFor({ timeout: 120_000 });
    await page.getByText('3 of 3, 2 needed').waitFor();
  });

  it('is shown by another when the node the page came from is killed', async () => {
    await nodes[0]!.kill();
    await page.getByText('Another node has taken over').waitFor();
    await member(nodes[0]).getByText('Silent').waitFor();
    await page.getByText('2 of 3, 2 needed').waitFor();
    await page.getByRole('listitem').getByText('answers you').waitFor();
    expect(await member(nodes[0]).getByText('answers you').count()).to.equal(0);
    await page.getByRole('link', { name: 'Jobs' }).click();
    await page.getByRole('heading', { level: 1, name: 'Jobs' }).waitFor();
    // The browser logs each request that a dead node leaves unanswered, and nothing else.
    expect(browser.complaints().filter((line) => !dead.test(line))).to.deep.equal([]);
  });
});
