import { join } from 'node:path';
import { expect } from 'chai';
import type { BrowserContext, Page } from 'playwright-core';
import { needs } from '../needs.ts';
import type { TestServer } from '../server.ts';
import { barriers, until, type TestBrowser } from './browser.ts';
import { long, makeSeries, markup, rtl } from './series-site.ts';
import { excess, openIn, signIn, startVisit, video, type Visit } from './suite.ts';

describe('series in the web app', function () {
  needs('chromium', 'ffmpeg');
  this.timeout(180_000);
  let visit: Visit;
  let server: TestServer;
  let browser: TestBrowser;
  let context: BrowserContext;
  let page: Page;

  before(async () => {
    visit = await startVisit({
      async prepare(started) {
        await makeSeries(join(started.films, 'Series'));
        await started.library('Series', 'Series', 'series');
      },
    });
    ({ server, browser, context, page } = visit);
    await open('/series');
    await signIn(page, server.admin);
  });
  after(() => visit?.[Symbol.asyncDispose]());
  afterEach(() => {
    expect(browser.complaints()).to.deep.equal([]);
  });

  const open = (path: string) => openIn(page, server.url + path);
  const when = (expression: string) => until(page, expression);
  const openLine = async () => {
    await open('/series');
    await page.getByRole('link', { name: /^Northern Line/ }).click();
    await page.getByRole('heading', { level: 1, name: 'Northern Line' }).waitFor();
    await page.getByRole('list', { name: 'Season 1' }).waitFor();
  };
  const plays = (title: string) =>
    page.getByRole('heading', { level: 1 }).getByText(title).waitFor();

  it('stand in a grid, whatever they are called', async () => {
    await page.getByText('5 series').waitFor();
    await page.getByRole('link', { name: 'Northern Line 2018 4 episodes not watched' }).waitFor();
    await page.getByRole('link', { name: markup }).waitFor();
    await page.getByRole('link', { name: rtl }).waitFor();
    await page.getByRole('link', { name: 'Bare Not available' }).waitFor();
    expect(await barriers(page)).to.deep.equal([]);
  });

  it('keep sort and filter in the address', async () => {
    await page.getByLabel('Sort by').selectOption('Year');
    await page.getByRole('button', { name: 'Filter' }).click();
    await page.getByLabel('Genre').selectOption({ label: 'Mystery (1)' });
    await page.getByText('1 series', { exact: true }).waitFor();
    expect(new URL(page.url()).search).to.equal('?sort=year&genre=Mystery');
    await page.reload();
    await page.getByText('1 series', { exact: true }).waitFor();
    await open('/series?show=watched');
    await page.getByText('Nothing here is like that').waitFor();
    expect(await barriers(page)).to.deep.equal([]);
    await page.getByRole('button', { name: 'Clear the filters' }).click();
    await page.getByText('5 series', { exact: true }).waitFor();
  });

  it('show their seasons, and what is missing of them', async () => {
    await openLine();
    await page.getByRole('link', { name: 'Play S1 E1' }).waitFor();
    await page.getByText('A line, and who rides it.').waitFor();
    const season = page.getByRole('list', { name: 'Season 1' });
    await season.getByText('S1 E2 · Signals').waitFor();
    await season.getByText('Episode 3 is not here').waitFor();
    expect(await season.getByRole('listitem').count()).to.equal(4);
    // A season's picture stands beside them: the first is there without a scroll.
    const first = await season.getByRole('listitem').first().boundingBox();
    expect((first?.y ?? Infinity) + (first?.height ?? 0)).to.be.at.most(800);
    await page.getByText('Why was this matched?').click();
    await page.getByText('Taken for “Northern Line”').waitFor();
    await page.getByText('Nobody has been asked about it yet.').waitFor(); // there is nobody
    await page.getByRole('heading', { name: 'Extras' }).waitFor();
    expect(await barriers(page)).to.deep.equal([]);
  });

  it('show the picture that was chosen of a season and of an episode', async () => {
    await openLine();
    const dialog = page.getByRole('dialog', { name: 'Choose artwork' });
    await page.getByRole('button', { name: 'Choose artwork: Season 1' }).click();
    await dialog.getByRole('button', { name: /file · 400 × 600/, pressed: true }).waitFor();
    expect(await barriers(page)).to.deep.equal([]);
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'S1 E1 · Departure', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'Departure' }).waitFor();
    await page.getByRole('button', { name: 'Choose artwork' }).click();
    const stills = dialog.getByRole('button', { name: /file · 640 × 360/ });
    await stills.nth(1).waitFor();
    expect(await stills.count()).to.equal(2);
    const other = dialog.getByRole('button', { name: /640 × 360/, pressed: false });
    await other.click();
    const episodeId = new URL(page.url()).pathname.split('/').at(-1) ?? '';
    const path = `/api/v1/items/episode/${episodeId}/images`;
    await dialog.getByRole('button', { name: /640 × 360/, pressed: true }).waitFor();
    for (;;) {
      const { items } = await server.read<{ items: { isChosenByUser: boolean }[] }>(path);
      if (items.some(({ isChosenByUser }) => isChosenByUser)) break;
    }
    expect(await barriers(page)).to.deep.equal([]);
    await page.keyboard.press('Escape');
    await openLine();
  });

  it('are gone through by keys, and the season is in the address', async () => {
    await page.getByRole('tab', { name: 'Season 1' }).focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await page.getByText('S2 E1 · Another Way').waitFor();
    expect(new URL(page.url()).searchParams.get('season')).to.equal('2');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await page.getByText('Special 1 · Behind the Line').waitFor();
    await page.reload();
    await page.getByText('Special 1 · Behind the Line').waitFor();
  });

  it('stay where they are on a small screen, as they come and when one is marked', async () => {
    const small = await context.newPage();
    await small.setViewportSize({ width: 360, height: 480 });
    await openIn(small, `${server.url}${new URL(page.url()).pathname}?season=1`);
    const scrolled = () => small.evaluate<number>('scrollY');
    const mark = small.getByRole('button', { name: /^Watched: S1 E4/ });
    await mark.waitFor();
    expect(await scrolled()).to.equal(0);
    await mark.hover(); // brings it into sight
    const before = await scrolled();
    for (const count of ['1/3', '0/3']) {
      await mark.click();
      await small.getByText(count, { exact: true }).waitFor();
      expect(await scrolled(), count).to.equal(before);
    }
    await small.close();
  });

  it('go on with the next episode, unless one would rather stay', async () => {
    await openLine();
    await page.getByRole('link', { name: 'Play: S1 E1 · Departure' }).click();
    await when(`${video}?.currentTime > 1`);
    await page.keyboard.press('9');
    await when(`${video}?.ended`);
    const next = page.getByRole('region', { name: 'Next episode' });
    await next.getByText('S1 E2 · Signals').waitFor();
    expect(await barriers(page)).to.deep.equal([]);
    await page.keyboard.press('Escape');
    await next.getByRole('timer').waitFor({ state: 'detached' });
    await next.getByRole('button', { name: 'Play it now' }).focus();
    await page.keyboard.press('Enter');
    await plays('S1 E2 · Signals');
    await when(`${video}?.currentTime > 0.5 && ${video}?.currentTime < 8`);
    await page.keyboard.press('9');
    await when(`${video}?.ended`);
    await next.getByText('S1 E4 · Terminus').waitFor();
    await plays('S1 E4 · Terminus'); // by itself
    await when(`${video}?.currentTime > 0 && !${video}?.paused`);
    await page.keyboard.press('p');
    await plays('S1 E2 · Signals');
    await page.keyboard.press('n');
    await plays('S1 E4 · Terminus');
    await page.keyboard.press('Backspace');
    await page.getByRole('button', { name: 'Watched: S1 E2 · Signals', pressed: true }).waitFor();
  });

  it('lead on from the home page', async () => {
    const { items } = await server.read<{ items: { id: string; number: number }[] }>(
      '/api/v1/series/next-up',
    );
    expect(items.map(({ number }) => number)).to.deep.equal([4]);
    // Whether a moment of it was watched is not what this is about.
    const begun = `/api/v1/users/me/watched/episode/${items[0]?.id}`;
    await server.read(begun, { method: 'DELETE' });
    await open('/');
    const row = page.getByRole('region', { name: 'Next up' });
    await row.getByRole('link', { name: /^Northern Line S1 E4 · Terminus/ }).waitFor();
    expect(await barriers(page)).to.deep.equal([]);
    await row.getByRole('link', { name: /^Northern Line/ }).click();
    await page.getByRole('heading', { level: 1, name: 'Terminus' }).waitFor();
    await page.getByRole('link', { name: 'Previous episode' }).waitFor();
    expect(await barriers(page)).to.deep.equal([]);
    await page.getByRole('link', { name: 'Play' }).click();
    await when(`${video}?.currentTime > 3`);
    await page.keyboard.press('Backspace');
    await page.getByRole('link', { name: 'Resume S1 E4' }).waitFor();
    await open('/');
    const begunRow = page.getByRole('region', { name: 'Continue watching' });
    await begunRow.getByRole('link', { name: /^Northern Line S1 E4 · Terminus .* left/ }).waitFor();
    expect(await page.getByRole('region', { name: 'Next up' }).count()).to.equal(0);
  });

  it('are marked by season, and kept on lists', async () => {
    await openLine();
    await page.getByRole('button', { name: /All watched: Season 1/ }).click();
    await page.getByRole('button', { name: 'Watched: S1 E4 · Terminus', pressed: true }).waitFor();
    await page.getByRole('link', { name: 'Play S2 E1' }).waitFor();
    await page.getByRole('button', { name: 'Favourite' }).click();
    await page.getByRole('button', { name: 'Favourite', pressed: true }).waitFor();
    await open('/lists?list=favourites');
    await page.getByRole('link', { name: /^Northern Line/ }).click();
    await page.getByRole('button', { name: 'Watched', exact: true }).click();
    await page.getByRole('button', { name: 'Watched', exact: true, pressed: true }).waitFor();
    await open('/series?show=watched');
    await page.getByRole('link', { name: 'Northern Line 2018 Watched' }).waitFor();
  });

  it('are found by a word with a slip', async () => {
    await page.keyboard.press('/');
    await page.keyboard.type('norhtern lin');
    await page.waitForURL('**/search?q=norhtern%20lin');
    await page.getByText('Series · 2018').waitFor();
    await page
      .getByRole('main')
      .getByRole('link', { name: /Northern Line/ })
      .click();
    await page.getByRole('heading', { level: 1, name: 'Northern Line' }).waitFor();
  });

  it('are found by the name of an episode', async () => {
    await open('/search?q=terminsu');
    await page.getByRole('link', { name: 'Terminus Northern Line · S1 E4' }).click();
    await page.getByRole('heading', { level: 1, name: 'Terminus' }).waitFor();
  });

  it('are corrected: series, season and episode, each with what keeps it so', async () => {
    const edit = page.getByRole('dialog', { name: 'Edit' });
    const save = async () => {
      await edit.getByRole('button', { name: 'Save' }).click();
      await edit.waitFor({ state: 'hidden' });
    };
    await openLine();
    await page.getByRole('button', { name: 'Edit: Season 1' }).click();
    await edit.getByLabel('Title', { exact: true }).fill('The Way Out');
    await edit.getByLabel('Overview', { exact: true }).fill('Where it begins.');
    await save();
    await page.getByRole('tab', { name: 'The Way Out' }).waitFor();
    await page.getByText('Where it begins.').waitFor();
    await page.getByRole('link', { name: 'S1 E1 · Departure', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'Departure' }).waitFor();
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    await edit.getByLabel('First shown', { exact: true }).fill('2018-03-01');
    await edit.getByLabel('Title', { exact: true }).fill('Leaving');
    expect(await barriers(page)).to.deep.equal([]);
    await save();
    await page.getByRole('heading', { level: 1, name: 'Leaving' }).waitFor();
    await page.getByText('1 Mar 2018').waitFor();
    await page.getByRole('link', { name: 'Northern Line' }).click();
    await page.getByRole('button', { name: 'More', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Edit' }).click();
    await edit.getByLabel('Status', { exact: true }).fill('Ended');
    await edit.getByLabel('Numbers of its files', { exact: true }).selectOption('As on discs');
    await edit.getByRole('button', { name: 'Lock: Overview' }).click();
    await save();
    await page.getByText('Ended', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'More', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Edit' }).click();
    const order = edit.getByLabel('Numbers of its files', { exact: true });
    expect(await order.inputValue()).to.equal('dvd');
    for (const name of ['Status', 'Overview', 'Numbers of its files']) {
      await edit.getByRole('button', { name: `Lock: ${name}`, pressed: true }).waitFor();
    }
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'More', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Choose artwork' }).click();
    await page.getByRole('button', { name: /^Show this picture: file/, pressed: true }).waitFor();
    expect(await barriers(page)).to.deep.equal([]);
  });

  it('leave a narrow page narrow, whatever they are called', async () => {
    const narrow = await context.newPage();
    await narrow.setViewportSize({ width: 360, height: 780 });
    for (const name of [markup, rtl, long, 'Northern Line']) {
      await narrow.goto(`${server.url}/series`);
      await narrow.getByRole('link', { name: name.slice(0, 40) }).click();
      await narrow.getByRole('heading', { level: 1, name }).waitFor();
      await narrow.getByRole('list', { name: 'Season 1' }).waitFor();
      expect(await narrow.evaluate(excess), name).to.equal(0);
    }
    await narrow.goto(server.url);
    await narrow.getByRole('heading', { name: 'Recently added' }).waitFor();
    expect(await narrow.evaluate(excess), 'home').to.equal(0);
    await narrow.close();
  });

  it('say what went wrong, and are tried again', async () => {
    const { items } = await server.read<{ items: { id: string }[] }>('/api/v1/series?sort=year');
    const path = `/series/${items.at(-1)?.id}`;
    const problem = { type: '/problems/internal', title: 'x', status: 500, code: 'internal' };
    const fails = `**/api/v1${path}`;
    await page.route(fails, (route) => route.fulfill({ status: 500, json: problem }));
    await open(path);
    await page.getByText('This did not work').waitFor();
    expect(await barriers(page)).to.deep.equal([]);
    await page.unroute(fails);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { level: 1 }).waitFor();
    await open('/episodes/00000000-0000-4000-8000-000000000000');
    await page.getByText('It is not here').waitFor();
    browser.complaints(); // the browser logs each answer that is none
  });
});
