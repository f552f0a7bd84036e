import { join } from 'node:path';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { needs } from '../needs.ts';
import { writeFiles, type TestServer } from '../server.ts';
import { barriersInAnyLight, until, type TestBrowser } from './browser.ts';
import { long, makeSeries, markup, rtl } from './series-site.ts';
import { makeVideo, writePoster } from './site.ts';
import { excess, headed, openIn, signIn, startVisit, type Visit } from './suite.ts';

const films = [
  { title: 'Heat', year: 1995, rating: 8.3, seconds: 4 },
  { title: 'Ronin', year: 1998, rating: 7.2, seconds: 9 },
  { title: markup, year: 2001, rating: 5, seconds: 6 },
  { title: rtl, year: 2002, rating: 6.1, seconds: 5 },
  { title: long, year: 2003, rating: 4.4, seconds: 7 },
];
/** In the page: what has the focus. */
const focused = `(({ ariaLabel, textContent }) => ariaLabel ?? textContent.trim())(
  document.activeElement)`;
/** Enough for several screens, of which no file plays. */
const many = 400;

/** In the page: a line a frame, from one to another. */
const scrolled = (from: number, to: number) => `(async () => {
  const { offsetHeight: height } = document.querySelector('[role=rowgroup] [role=row]');
  for (let line = ${from}; line <= ${to}; line += 1) {
    scrollTo(0, line * height);
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  }
})()`;
interface Trace {
  readonly traceEvents: readonly {
    readonly name: string;
    readonly args: { readonly elementCount?: number };
  }[];
}

async function makeFilms(dir: string): Promise<void> {
  for (const [number, { title, year, rating, seconds }] of films.entries()) {
    const folder = join(dir, `Film ${number} (${year})`);
    await makeVideo(join(folder, `Film ${number} (${year}).mp4`), { seconds });
    const nfo = `<movie><title><![CDATA[${title}]]></title><year>${year}</year>
      <rating>${rating}</rating><genre>Crime</genre></movie>`;
    await writeFiles(folder, { 'movie.nfo': nfo });
  }
  await writePoster(join(dir, 'Film 0 (1995)'), 'Heat');
  await writeFiles(
    dir,
    Object.fromEntries(
      Array.from({ length: many }, (_, at) => {
        const name = `Zebra ${String(at).padStart(3, '0')} (2010)`;
        return [`${name}/${name}.mkv`, ''];
      }),
    ),
  );
}

describe('films and series as a list, in the web app', function () {
  needs('chromium', 'ffmpeg');
  this.timeout(400_000);
  let visit: Visit;
  let server: TestServer;
  let browser: TestBrowser;
  let page: Page;

  before(async () => {
    visit = await startVisit({ prepare });
    ({ server, browser, page } = visit);
    await openIn(page, `${server.url}/movies`);
    await signIn(page, server.admin);
  });
  after(() => visit?.[Symbol.asyncDispose]());
  afterEach(() => {
    expect(browser.complaints()).to.deep.equal([]);
  });

  const table = (name: string) => page.getByRole('table', { name });
  const rows = () => page.getByRole('row').filter({ has: page.getByRole('cell') });
  const first = () => rows().first().getByRole('link').first();
  /** Until the list begins with what is named so. */
  const beginsWith = (title: string) =>
    until(page, `document.querySelector('[data-work]')?.textContent?.trim() === '${title}'`);

  it('is chosen by a press, and kept in this browser', async () => {
    await page.getByRole('button', { name: 'Show as list' }).click();
    await table('Films').waitFor();
    await page.reload();
    await table('Films').waitFor();
    expect(await table('Films').getAttribute('aria-rowcount')).to.equal(
      String(films.length + many + 1),
    );
  });

  it('says of each film what there is to say', async () => {
    const row = rows().filter({ hasText: 'Heat' });
    await row.waitFor();
    const cells = await row.getByRole('cell').allInnerTexts();
    expect(cells.join('\n')).to.match(/Heat\s+Crime\n1995\n4 secs\nSD\n8\.3\n[\d.]+ kB\n/);
  });

  it('is sorted by what heads a column, and the other way round by another press', async () => {
    const rating = page.getByRole('columnheader', { name: 'Rating' });
    await rating.getByRole('button').click();
    await beginsWith('Heat');
    expect(await rating.getAttribute('aria-sort')).to.equal('descending');
    expect(page.url()).to.contain('sort=rating');
    await rating.getByRole('button').click();
    const shown = `document.querySelector('[data-work]')?.textContent`;
    await until(page, `${shown}?.trim().startsWith('Long')`);
    expect(await rating.getAttribute('aria-sort')).to.equal('ascending');
    await page.getByRole('columnheader', { name: 'Duration' }).getByRole('button').click();
    await beginsWith('Ronin');
  });

  it('leads to the film from anywhere in its line, and to the player', async () => {
    await openIn(page, `${server.url}/movies?sort=rating`);
    await beginsWith('Heat');
    // By the pointer: the link of the line lies over its cells.
    const year = await rows().first().getByRole('cell').nth(1).boundingBox();
    await page.mouse.click((year?.x ?? 0) + 10, (year?.y ?? 0) + 10);
    await headed(page, 'Heat');
    await page.goBack();
    await beginsWith('Heat');
    await page.getByRole('link', { name: 'Play: Heat' }).click();
    await page.waitForURL(/\/watch\//);
    await page.goBack();
    await beginsWith('Heat');
  });

  it('is walked through by arrow keys, from line to line and to what plays', async () => {
    await rows().first().getByRole('link', { name: 'Heat', exact: true }).focus();
    await page.keyboard.press('ArrowRight');
    expect(await page.evaluate(focused)).to.equal('Play: Heat');
    await page.keyboard.press('ArrowDown');
    expect(await page.evaluate(focused)).to.equal('Play: Ronin');
    await page.keyboard.press('ArrowLeft');
    expect(await page.evaluate(focused)).to.equal('Ronin');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await headed(page, 'Heat');
  });

  it('goes on as far as there are films, and shows only what is seen', async () => {
    await openIn(page, `${server.url}/movies?sort=title`);
    await first().waitFor();
    await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
    await page.getByRole('link', { name: `Zebra ${many - 1}`, exact: true }).waitFor();
    expect(await rows().count()).to.be.below(60);
    const last = rows().last();
    expect(await last.getAttribute('aria-rowindex')).to.equal(String(films.length + many + 1));
  });

  it('asks once for what comes, however long that takes while one scrolls', async () => {
    await openIn(page, `${server.url}/movies?sort=title`);
    await first().waitFor();
    let asked = 0;
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const second = /\/api\/v1\/movies\?.*offset=60/;
    await page.route(second, async (route) => {
      asked += 1;
      await released;
      await route.continue();
    });
    // From where the second page begins to where it is all there is.
    await page.evaluate(scrolled(47, 60));
    release();
    await page.getByRole('link', { name: 'Zebra 065', exact: true }).waitFor();
    expect(asked).to.equal(1);
    await page.unroute(second);
  });

  it('has nothing looked at anew but what comes and goes', async () => {
    await openIn(page, `${server.url}/movies?sort=title`);
    await first().waitFor();
    const all = await page.locator('*').count();
    await browser.browser.startTracing(page, { categories: ['devtools.timeline'] });
    await page.evaluate(scrolled(0, 12));
    const trace = JSON.parse((await browser.browser.stopTracing()).toString()) as Trace;
    const styled = trace.traceEvents
      .filter(({ name }) => name === 'UpdateLayoutTree')
      .map(({ args }) => args.elementCount ?? 0);
    expect(Math.max(...styled)).to.be.within(1, all / 2);
  });

  it('is narrowed to a letter that there is, and back', async () => {
    await openIn(page, `${server.url}/movies`);
    const letter = (name: string) => page.getByRole('button', { name, exact: true });
    await letter('Z').click();
    await beginsWith('Zebra 000');
    expect(page.url()).to.contain('letter=z');
    await page.getByText(`${many} films`).waitFor();
    expect(await letter('B').isDisabled()).to.equal(true);
    await letter('Z').click();
    await page.getByText(`${films.length + many} films`).waitFor();
    expect(page.url()).not.to.contain('letter');
  });

  it('is one of series too, with their episodes', async () => {
    await openIn(page, `${server.url}/series`);
    await table('Series').waitFor();
    const row = rows().filter({ hasText: 'Northern Line' });
    await row.waitFor();
    expect(await row.getByRole('cell').allInnerTexts()).to.include.members(['2018', '4']);
  });

  it('goes into a phone, keeps nobody out, and breaks of no title', async () => {
    for (const width of [360, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      for (const path of ['/movies?sort=rating', '/series']) {
        await openIn(page, server.url + path);
        await first().waitFor();
        expect(await page.evaluate(excess), `${path} at ${width}`).to.equal(0);
        expect(await barriersInAnyLight(page), `${path} at ${width}`).to.deep.equal([]);
      }
    }
    await openIn(page, `${server.url}/movies?sort=rating`);
    expect(await page.locator('main img[src="x"]').count()).to.equal(0);
    await page.getByText(markup).waitFor();
  });

  it('becomes posters again', async () => {
    await page.getByRole('button', { name: 'Show as posters' }).click();
    await page.getByRole('table').waitFor({ state: 'detached' });
    await page.getByRole('link', { name: /Heat/ }).first().waitFor();
  });
});

async function prepare(server: TestServer): Promise<void> {
  await makeFilms(join(server.films, 'Movies'));
  await makeSeries(join(server.films, 'Series'));
  await server.library('Films', 'Movies');
  await server.library('Shows', 'Series', 'series');
  await server.settled();
}
