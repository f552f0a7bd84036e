import { join } from 'node:path';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { needs } from '../needs.ts';
import { writeFiles, type TestServer } from '../server.ts';
import { barriers, until, type TestBrowser } from './browser.ts';
import { hasFocus, held, keyboardOf, openWhole, type Keyboard } from './keyboard.ts';
import { writePoster } from './site.ts';
import { headed, openIn, signIn, startVisit, type Visit } from './suite.ts';

/** In the page, whose document is not of Node: where it is now, in CSS pixels. */
const boxOf = (one: unknown): Box =>
  (one as { getBoundingClientRect(): Box }).getBoundingClientRect();
interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

describe('dialogs of the web app by keys alone', function () {
  needs('chromium');
  this.timeout(400_000);
  let visit: Visit;
  let server: TestServer;
  let browser: TestBrowser;
  let page: Page;
  let keys: Keyboard;

  before(async () => {
    visit = await startVisit({ prepare });
    ({ server, browser, page } = visit);
    keys = keyboardOf(page);
    await openIn(page, server.url);
    await signIn(page, server.admin);
  });
  after(() => visit?.[Symbol.asyncDispose]());
  afterEach(() => {
    expect(browser.complaints()).to.deep.equal([]);
  });

  const open = (path: string) => openWhole(page, server.url + path);
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  const closed = (name: string) =>
    page.getByRole('dialog', { name }).waitFor({ state: 'detached' });
  /** From the menu of what is named so, as a remote control does. */
  const chooseOf = async (menu: string, item: string) => {
    await keys.use(button(menu));
    await page.getByRole('menu').waitFor();
    await keys.reach(item, 'ArrowDown');
    await keys.press('Enter');
  };
  /** Finds all of the dialog that a menu opens, and comes back to that. */
  const throughMenu = async (menu: string, item: string, title = item) => {
    await chooseOf(menu, item);
    const dialog = page.getByRole('dialog', { name: title });
    await dialog.waitFor();
    await dialog.locator('.animate-pulse').first().waitFor({ state: 'detached' });
    await keys.reachesAll(title);
    expect(await barriers(page), title).to.deep.equal([]);
    await keys.press('Escape');
    await closed(title);
    await until(page, held);
    expect(
      await button(menu).evaluate(hasFocus),
      `back from ${title}: ${await keys.name()}`,
    ).to.equal(true);
  };

  it('make, change and delete a library', async () => {
    await open('/admin/libraries');
    await keys.through(button('Add a library'), 'Add a library', async (dialog) => {
      await keys.through(dialog.getByRole('button', { name: 'Browse' }), 'Choose a folder');
      await keys.press('Enter');
      await page.getByRole('dialog', { name: 'Choose a folder' }).waitFor();
      await keys.reach('Kids', 'ArrowDown');
      await keys.press('Enter');
      await page.locator('code', { hasText: '/Kids' }).waitFor();
      await keys.reach('Cancel', 'ArrowDown');
      await keys.press('ArrowRight');
      await keys.untilOn('Choose this folder');
      await keys.press('Enter');
      await closed('Choose a folder');
      await keys.untilOn('Browse');
      await keys.use(dialog.getByRole('button', { name: 'Another folder' }));
      await keys.reach('Remove folder 2', 'Shift+Tab');
      await keys.press('Enter');
      await until(page, held);
      await dialog.getByRole('button', { name: 'Remove folder 1' }).waitFor({ state: 'detached' });
      await until(page, held);
    });
    await keys.through(button('Add a library'), 'Add a library', async (dialog) => {
      await dialog.getByLabel('Folder 1').fill('/of/nobody');
      await keys.use(dialog.getByRole('button', { name: 'Add and scan' }));
      await keys.untilOn('Folder 1');
      await dialog.getByText('/of/nobody').waitFor();
      expect(await barriers(page)).to.deep.equal([]);
      browser.complaints(); // the browser logs each answer that is none
    });
    await keys.through(button('Edit: Films'), 'Edit the library');
    await throughMenu('More: Films', 'Delete', 'Delete the library Films?');
  });

  it('stand in the middle from their first frame on, where pages may move', async () => {
    await open('/admin/libraries');
    await page.emulateMedia({ reducedMotion: 'no-preference' });
    const tools = await page.context().newCDPSession(page);
    await tools.send('Animation.enable');
    await tools.send('Animation.setPlaybackRate', { playbackRate: 0 });
    await keys.use(button('Add a library'));
    const { x, y, width, height } = await page.getByRole('dialog').evaluate(boxOf);
    const { width: allWidth, height: allHeight } = page.viewportSize()!;
    expect(x + width / 2, 'across').to.be.closeTo(allWidth / 2, 1);
    expect(y + height / 2, 'from the top').to.be.closeTo(allHeight / 2, 16);
    await tools.detach();
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await keys.press('Escape');
    await closed('Add a library');
  });

  it('make, change and delete a user', async () => {
    await open('/admin/users');
    await keys.through(button('Add a user'), 'Add a user');
    await keys.through(button('Edit: user'), 'Edit the user');
    await keys.through(button('Set a new password: user'), 'Set a new password');
    await keys.through(button('Delete: user'), 'Delete user?');
  });

  it('make and delete a key', async () => {
    await open('/account');
    await keys.through(button('New key'), 'New key', async (dialog) => {
      await keys.use(dialog.getByLabel('Name'), 'A');
      await keys.reach('movies:read');
      await keys.press('Enter');
      await keys.reach('Make the key');
      await keys.press('Enter');
      await dialog.getByText('This is the only time').waitFor();
      await until(page, held);
      await keys.reachesAll('the new key');
      expect(await barriers(page)).to.deep.equal([]);
    });
    await keys.through(button('Delete: A'), 'Delete the key A?');
  });

  it('let a node in', async () => {
    await open('/admin/cluster');
    await keys.use(button('Open it to others'));
    await button('Add a node').waitFor();
    await until(page, held);
    await keys.through(button('Add a node'), 'Add a node', async (dialog) => {
      await keys.use(dialog.getByRole('button', { name: 'Make the token' }));
      await dialog.getByRole('button', { name: 'Done' }).waitFor();
      await until(page, held);
      await keys.reachesAll('the new token');
    });
    await keys.use(page.getByRole('button', { name: /^Revoke: / }));
    await keys.reach('Revoke');
    await keys.press('Enter');
    await page.getByText('No token is valid now.').waitFor();
    await until(page, held);
  });

  it('correct a film', async () => {
    await open('/movies');
    await keys.use(page.getByRole('link', { name: /^Heat/ }));
    await headed(page, 'Heat');
    for (const item of ['Edit', 'Choose artwork', 'Fix the match', 'Merge with others', 'Split']) {
      await throughMenu('More', item);
    }
    await chooseOf('More', 'Merge with others');
    await keys.reach('Title');
    await page.keyboard.type('cold');
    await keys.press('Enter');
    await page.getByRole('checkbox', { name: 'Cold (2001)' }).waitFor();
    await keys.reach('Cold (2001)', 'ArrowDown');
    await keys.press('Enter');
    await keys.through(button('Merge …'), 'Make them one?');
    await keys.press('Escape');
    await closed('Merge with others');
    await keys.untilOn('More');
    await chooseOf('More', 'Split');
    await keys.use(page.getByRole('dialog').getByRole('checkbox').first());
    await keys.through(button('Split …'), 'Make this a film of its own?');
    await keys.press('Escape');
    await closed('Split');
    await keys.untilOn('More');
  });

  it('ask who is there once the session has ended, and give back what had the focus', async () => {
    await open('/account');
    await page.getByLabel('Current password').focus();
    await page.keyboard.type('half typed');
    const again = page.getByRole('dialog', { name: 'Please sign in again' });
    await page.evaluate(`localStorage.setItem('revenge.refresh', 'not a token')`);
    await server.read(`/api/v1/users/${server.admin.id}/sessions`, { method: 'DELETE' });
    await again.waitFor();
    await keys.reachesAll('sign in again');
    await keys.press('Escape');
    expect(await again.isVisible(), 'only an answer closes it').to.equal(true);
    await keys.reach('Password');
    await page.keyboard.type(server.admin.password);
    await keys.press('Enter');
    await again.waitFor({ state: 'hidden' });
    await keys.untilOn('Current password');
    browser.complaints(); // the browser logs each 401
  });
});

async function prepare(server: TestServer): Promise<void> {
  await writeFiles(server.films, {
    'Movies/Heat (1995)/Heat (1995) - 720p.mkv': 'a film',
    'Movies/Heat (1995)/Heat (1995) - 1080p.mkv': 'a film that is larger',
    'Movies/Cold (2001)/Cold (2001).mkv': 'another',
    'Kids/Warm (2002)/Warm (2002).mkv': 'a third',
  });
  await writePoster(join(server.films, 'Movies/Heat (1995)'), 'Heat');
  await server.library('Films', 'Movies');
  await server.settled();
}
