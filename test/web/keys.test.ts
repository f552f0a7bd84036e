import { join } from 'node:path';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { needs } from '../needs.ts';
import { writeFiles, type TestServer } from '../server.ts';
import { until, type TestBrowser } from './browser.ts';
import { hasFocus, held, keyboardOf, openWhole } from './keyboard.ts';
import { makeSeries } from './series-site.ts';
import { chooseTool, headed, openIn, signIn, startVisit, type Visit } from './suite.ts';

const pages = [
  ...['/', '/movies', '/series', '/search?q=line', '/lists', '/account', '/admin'],
  ...['/admin/libraries', '/admin/users', '/admin/jobs', '/admin/cluster', '/admin/activity'],
  ...['/admin/logs', '/admin/settings', '/movies/{film}', '/series/{series}'],
  ...['/episodes/{episode}', '/people/{person}', '/calendar'],
];

/** In the page: how far below its upper edge that begins which has the focus. */
const focusTop = 'document.activeElement.getBoundingClientRect().top';

/** In the page: how far it can still be scrolled down. */
const left = 'document.documentElement.scrollHeight - innerHeight - scrollY';

describe('the web app by keys alone', function () {
  needs('chromium', 'ffmpeg');
  this.timeout(400_000);
  let visit: Visit;
  let server: TestServer;
  let browser: TestBrowser;
  let page: Page;
  const ids: Record<string, string> = {};

  before(async () => {
    visit = await startVisit({ prepare });
    ({ server, browser, page } = visit);
    await openIn(page, server.url);
    await signIn(page, server.admin);
    ids['film'] = await idOf('movies', 'Heat');
    ids['person'] = await personIn(ids['film']);
    ids['series'] = await idOf('series', 'Northern Line');
    const { items } = await server.read<{ items: { id: string }[] }>(
      `/api/v1/series/${ids['series']}/episodes`,
    );
    ids['episode'] = items[1]?.id ?? '';
  });
  after(() => visit?.[Symbol.asyncDispose]());
  afterEach(() => {
    expect(browser.complaints()).to.deep.equal([]);
  });

  const press = (key: string) => page.keyboard.press(key);
  const isIn = (what: string) =>
    page.evaluate<boolean>(`document.activeElement.closest('${what}') !== null`);
  const idOf = async (kind: string, title: string) => {
    const { items } = await server.read<{ items: { id: string; title: string }[] }>(
      `/api/v1/${kind}`,
    );
    return items.find((one) => one.title === title)?.id ?? '';
  };
  const personIn = async (film: string) => {
    const { people } = await server.read<{ people: { personId: string }[] }>(
      `/api/v1/movies/${film}`,
    );
    return people[0]?.personId ?? '';
  };
  const open = (path: string) =>
    openWhole(page, server.url + path.replace(/\{(\w+)\}/, (_, name: string) => ids[name] ?? ''));

  for (const path of pages) {
    it(`reaches all of ${path}, and sees where it is`, async () => {
      await open(path);
      await keyboardOf(page).reachesAll(path);
    });
  }

  it('reaches all of what asks who is there, and sees where it is', async () => {
    const stranger = await browser.person();
    const his = await stranger.newPage();
    await openWhole(his, `${server.url}/sign-in`);
    await keyboardOf(his).reachesAll('/sign-in');
    await stranger.close();
  });

  it('goes through a menu, and back to what opened it', async () => {
    await open('/');
    const { press, name, reach, untilOn } = keyboardOf(page);
    const menu = page.getByRole('button', { name: 'Menu of admin' });
    await menu.focus();
    await press('Enter');
    for (const item of ['My account', 'Administration', 'Light colours', 'Sign out']) {
      await reach(item, 'ArrowDown');
    }
    await press('ArrowDown');
    expect(await name()).to.equal('My account');
    await press('Escape');
    await untilOn('Menu of admin');
    await press('Enter');
    await reach('My account', 'ArrowDown');
    await press('Enter');
    await headed(page, 'My account');
    await until(page, `document.activeElement.id === 'content'`);
    await page.goBack();
  });

  it('goes along the head of a page that is scrolled, and from it to what is seen', async () => {
    await open('/admin/settings');
    const { press, name } = keyboardOf(page);
    await page.evaluate('scrollTo(0, 400)');
    const field = page.getByRole('textbox', { name: 'Search films, series and people' });
    await field.focus();
    for (const wanted of ['Menu of admin', 'Search films', 'My lists', 'Series', 'Films', 'Home']) {
      await press(wanted === 'Menu of admin' ? 'ArrowRight' : 'ArrowLeft');
      expect(await name()).to.match(new RegExp(`^${wanted}`));
    }
    expect(await page.evaluate('scrollY'), 'as it was').to.equal(400);
    await press('ArrowDown');
    expect(await page.evaluate(focusTop)).to.be.greaterThan(64);
  });

  it('goes up through all of a page before its head', async () => {
    await open('/admin/jobs');
    const { press } = keyboardOf(page);
    await page.getByRole('button', { name: 'Run now' }).last().focus();
    expect(await page.evaluate('scrollY')).to.be.greaterThan(400);
    while (await isIn('main')) await press('ArrowUp');
    expect(await isIn('header')).to.equal(true);
    expect(await page.evaluate('scrollY'), 'what lies above was seen').to.be.lessThan(200);
  });

  it('goes down through all of a narrow page before what stays at its foot', async () => {
    await page.setViewportSize({ width: 700, height: 800 });
    await open('/admin/settings');
    const { press } = keyboardOf(page);
    const foot = 'nav[data-bar]';
    await page.locator('main input').first().focus();
    while (await isIn('main')) await press('ArrowDown');
    expect(await isIn(foot)).to.equal(true);
    expect(await page.evaluate(left), 'what lies below was seen').to.be.lessThan(200);
    await page.evaluate('scrollTo(0, 400)');
    await press('ArrowUp');
    expect(await isIn('main')).to.equal(true);
    const covered = `${focusTop} + document.activeElement.offsetHeight -
      document.querySelector('${foot}').getBoundingClientRect().top`;
    expect(await page.evaluate(covered), 'beneath it').to.be.at.most(0);
    expect(await page.evaluate('scrollY'), 'what is seen').to.equal(400);
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  it('keeps the head of a page that is scrolled while a menu or a dialog is open', async () => {
    await open('/admin/settings');
    const { press } = keyboardOf(page);
    const top = async () => (await page.locator('header').boundingBox())?.y;
    await page.evaluate('scrollTo(0, 400)');
    await page.getByRole('button', { name: 'Menu of admin' }).focus();
    await press('Enter');
    await page.getByRole('menu').waitFor();
    expect(await top()).to.equal(0);
    await page.mouse.move(400, 400);
    await page.mouse.wheel(0, 200);
    await press('Escape');
    await page.getByRole('menu').waitFor({ state: 'detached' });
    expect([await top(), await page.evaluate('scrollY')], 'held still').to.deep.equal([0, 400]);
  });

  it('goes from what is typed to what is found, and back', async () => {
    await open('/');
    const { press, name, reach } = keyboardOf(page);
    const field = 'Search films, series and people';
    await press('/');
    await page.keyboard.type('line');
    await page.waitForURL('**/search?q=line');
    await page.getByRole('link', { name: /^Behind the Line/ }).waitFor();
    expect(await name()).to.equal(field);
    await page.keyboard.type(' x');
    await page.waitForURL('**/search?q=line%20x');
    expect(await name(), 'after it has looked anew').to.equal(field);
    for (let times = 0; times < 2; times += 1) await press('Backspace');
    await page.waitForURL('**/search?q=line');
    await page.getByRole('link', { name: /^Behind the Line/ }).waitFor();
    await reach('Behind the Line', 'ArrowDown');
    await reach(field, 'Shift+Tab');
    await press('End');
    await press('ArrowRight');
    expect(await name()).to.equal('Clear');
    await press('Enter');
    expect(await name()).to.equal(field);
    expect(await page.getByRole('textbox', { name: field }).inputValue()).to.equal('');
  });

  it('goes on beside what was deleted', async () => {
    await open('/account');
    for (const [name, next] of [
      ['first', 'Delete: second'],
      ['second', undefined],
    ] as const) {
      await page.getByRole('button', { name: `Delete: ${name}` }).focus();
      await press('Enter');
      await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).focus();
      await press('Enter');
      await page.getByRole('button', { name: `Delete: ${name}` }).waitFor({ state: 'detached' });
      await until(page, held);
      if (next) {
        await until(page, `document.activeElement.getAttribute('aria-label') === '${next}'`);
      }
    }
  });

  it('stays on what works while it works', async () => {
    await open('/series/{series}?season=1');
    const watched = page.getByRole('button', { name: /^All watched: Season 1/ });
    await watched.focus();
    await press('Enter');
    await page.getByText('3/3').waitFor();
    expect(await watched.evaluate(hasFocus)).to.equal(true);
  });

  it('chooses from a list, and ticks a box, by arrow keys and Enter', async () => {
    await open('/movies');
    await page.getByLabel('Sort by').focus();
    await press('Enter');
    await press('ArrowDown');
    await press('Enter');
    await page.waitForURL('**/movies?sort=*');
    await open('/movies/{film}');
    await chooseTool(page, 'Merge with others');
    await page.getByRole('dialog').getByLabel('Title').fill('cold');
    await press('Enter');
    const box = page.getByRole('checkbox', { name: 'Cold (2001)' });
    await box.focus();
    await press('Enter');
    expect(await box.isChecked()).to.equal(true);
    await press('Escape');
    await headed(page, 'Heat');
  });
});

async function prepare(server: TestServer): Promise<void> {
  await makeSeries(join(server.films, 'Series'));
  await writeFiles(server.films, {
    'Movies/Heat (1995)/Heat (1995).mkv': 'a film',
    'Movies/Heat (1995)/movie.nfo':
      '<movie><title>Heat</title><year>1995</year><actor><name>Al Pacino</name></actor></movie>',
    'Movies/Cold (2001)/Cold (2001).mkv': 'another',
  });
  await server.library('Films', 'Movies');
  await server.library('Series', 'Series', 'series');
  for (const name of ['first', 'second']) {
    await server.read('/api/v1/apikeys', {
      method: 'POST',
      json: { name, scopes: ['movies:read'] },
    });
  }
  await server.settled();
}
