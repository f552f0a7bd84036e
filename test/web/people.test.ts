import { join } from 'node:path';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { needs } from '../needs.ts';
import { writeFiles, type TestServer } from '../server.ts';
import { barriersInAnyLight, settle, type TestBrowser } from './browser.ts';
import { writePoster } from './site.ts';
import { excess, headed, openIn, signIn, startVisit, type Visit } from './suite.ts';

const longName = 'W'.repeat(500);
const rtlName = 'عمر الشريف ‏'.repeat(20).trim();

describe('people in the web app', function () {
  needs('chromium');
  this.timeout(180_000);
  let visit: Visit;
  let server: TestServer;
  let browser: TestBrowser;
  let page: Page;

  before(async () => {
    visit = await startVisit({ prepare });
    ({ server, browser, page } = visit);
    await open('/');
    await signIn(page, server.user);
  });
  after(() => visit?.[Symbol.asyncDispose]());
  afterEach(() => {
    expect(browser.complaints()).to.deep.equal([]);
  });

  const open = (path: string) => openIn(page, server.url + path);
  const link = (name: string | RegExp) => page.getByRole('link', { name });
  const openFilm = async (title: string) => {
    await open('/movies');
    await link(new RegExp(`^${title}`)).click();
    await headed(page, title);
  };
  /** Nobody is kept out, and nothing is wider than the page. */
  const expectFit = async () => {
    for (const width of [360, 1280, 1920]) {
      await page.setViewportSize({ width, height: 900 });
      await settle(page);
      expect(await page.evaluate(excess), `${width} pixels wide`).to.equal(0);
    }
    expect(await barriersInAnyLight(page)).to.deep.equal([]);
  };

  it('lead from the cast of a film to what else they are in', async () => {
    await openFilm('Heat');
    await link(/^Al Pacino/).click();
    await headed(page, 'Al Pacino');
    await page.getByText('3 titles').waitFor();
    const works = page.getByRole('list', { name: 'Films and series' }).getByRole('listitem');
    await works.first().getByText('Himself').waitFor();
    expect(await works.allInnerTexts()).to.satisfy(
      (texts: string[]) =>
        texts[0]?.includes('Northern Line') &&
        texts[1]?.includes('The Insider') &&
        texts[2]?.includes('Heat'),
    );
    await expectFit();
    await link(/^The Insider/).click();
    await headed(page, 'The Insider');
    await link(/^Michael Mann/)
      .getByText('Director · A Reporter', { exact: true })
      .waitFor();
    await link(/^Michael Mann/).click();
    await headed(page, 'Michael Mann');
    await works.first().getByText('Director').waitFor();
  });

  it('lead from the cast of a series to what else they are in', async () => {
    await open('/series');
    await link(/^Northern Line/).click();
    await headed(page, 'Northern Line');
    const cast = page.getByRole('region', { name: 'Cast and crew' }).getByRole('listitem');
    expect(await cast.allInnerTexts()).to.deep.equal([
      ...['AW\nAnn Writer\nWriter', 'VK\nVal Kilmer\nThe Driver', 'AP\nAl Pacino\nHimself'],
    ]);
    await expectFit();
    await link(/^Val Kilmer/).click();
    await headed(page, 'Val Kilmer');
    await page.getByText('1 title').waitFor();
    await link(/^Northern Line/).click();
    await headed(page, 'Northern Line');
    await open('/search?q=kilmer');
    await link(/^Northern Line/).waitFor();
  });

  it('is followed by the others of its collection, in the order of their years', async () => {
    await openFilm('Heat');
    const others = page.getByRole('region', { name: 'More of Crime Saga' });
    await others.getByRole('link', { name: /^The Insider/ }).waitFor();
    expect(await others.getByRole('link', { name: /^Heat/ }).count()).to.equal(0);
    await expectFit();
    await others.getByRole('link', { name: 'More of Crime Saga' }).click();
    await headed(page, 'Crime Saga');
    await page.getByText('2 films').waitFor();
    const shown = await page.getByRole('link', { name: /^(Heat|The Insider)/ }).allInnerTexts();
    expect(shown.map((text) => text.split('\n').find((line) => /^[A-Z]/.test(line)))).to.deep.equal(
      ['Heat', 'The Insider'],
    );
    await openFilm('Odd');
    await expectFit();
    expect(await page.getByText('More of').count()).to.equal(0);
  });

  it('are found by their names', async () => {
    await open('/search?q=pacino');
    await page.getByRole('list', { name: 'People' }).getByRole('link').click();
    await headed(page, 'Al Pacino');
  });

  it('are told to be nobody where there is no such person', async () => {
    await open('/people/01890000-0000-7000-8000-00000000dead');
    await page.getByText('This person is not here').waitFor();
    await open('/movies/01890000-0000-7000-8000-00000000dead');
    await page.getByText('It is not here').waitFor();
    await open('/series/mistyped');
    await page.getByText('It is not here').waitFor();
    // The browser tells of the answers itself.
    expect(browser.complaints().every((one) => /40[04] \(/.test(one))).to.equal(true);
  });

  it('may have any name', async () => {
    for (const name of [longName, rtlName]) {
      await openFilm('Odd');
      await expectFit();
      await link(name.slice(0, 40)).click();
      await page
        .getByRole('heading', { level: 1 })
        .filter({ hasText: name.slice(0, 40) })
        .waitFor();
      await page.getByText('1 title').waitFor();
      await expectFit();
      // A name in another script stands beside its mark, as all names do.
      expect(
        await page.evaluate(`getComputedStyle(document.querySelector('h1')).textAlign`),
      ).to.equal('left');
    }
  });
});

interface Film {
  readonly title: string;
  readonly year: number;
  readonly director?: string;
  readonly collection?: string;
  readonly cast: Readonly<Record<string, string>>;
}

const nfo = ({ title, year, director, collection, cast }: Film): string => `<movie>
  <title>${title}</title><year>${year}</year>
  ${director === undefined ? '' : `<director>${director}</director>`}
  ${collection === undefined ? '' : `<set><name>${collection}</name></set>`}
  ${Object.entries(cast)
    .map(([name, role]) => `<actor><name>${name}</name><role>${role}</role></actor>`)
    .join('')}
</movie>`;

const films: readonly Film[] = [
  {
    ...{ title: 'Heat', year: 1995, director: 'Michael Mann', collection: 'Crime Saga' },
    cast: { 'Al Pacino': 'Vincent Hanna', 'Robert De Niro': 'Neil McCauley' },
  },
  {
    ...{ title: 'The Insider', year: 1999, director: 'Michael Mann', collection: 'Crime Saga' },
    cast: {
      ...{ 'Al Pacino': 'Lowell Bergman', 'Russell Crowe': 'Jeffrey Wigand' },
      'Michael Mann': 'A Reporter',
    },
  },
  { title: 'Odd', year: 2000, cast: { [longName]: longName, [rtlName]: rtlName } },
];

const series = `<tvshow>
  <title>Northern Line</title><year>2018</year><credits>Ann Writer</credits>
  <actor><name>Val Kilmer</name><role>The Driver</role><order>0</order></actor>
  <actor><name>Al Pacino</name><role>Himself</role><order>1</order></actor>
</tvshow>`;

async function prepare(server: TestServer): Promise<void> {
  for (const film of films) {
    const folder = `films/${film.title} (${film.year})`;
    await writeFiles(server.films, {
      [`${folder}/${film.title} (${film.year}).mkv`]: 'no film',
      [`${folder}/movie.nfo`]: nfo(film),
    });
    await writePoster(join(server.films, folder), film.title);
  }
  await writeFiles(server.films, {
    'series/Northern Line/Season 1/Northern Line S01E01.mkv': 'no film',
    'series/Northern Line/tvshow.nfo': series,
  });
  await writePoster(join(server.films, 'series/Northern Line'), 'Northern Line');
  await server.library('Films', 'films');
  await server.library('Series', 'series', 'series');
}
