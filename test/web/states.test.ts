import { join } from 'node:path';
import { expect } from 'chai';
import type { Locator, Page, Route } from 'playwright-core';
import type { components } from '#api/types.ts';
import { needs } from '../needs.ts';
import { writeFiles, type TestServer } from '../server.ts';
import { barriers, type TestBrowser } from './browser.ts';
import { makeSeries } from './series-site.ts';
import { makeFilms } from './site.ts';
import { excess, openIn, signIn, startVisit, type Visit } from './suite.ts';

type Schemas = components['schemas'];
type List<Name extends keyof Schemas> = { readonly items: readonly Schemas[Name][] };

/** How the API answers: not until it is told otherwise, not at all, with failures, as it should. */
type Mode = 'slow' | 'cut' | 'failing' | 'well';

/** Whatever the app asks of a node, but whether one is still signed in. */
const asked = /\/(api\/v1|health)\/(?!auth\/refresh)/;
const problem = { type: '/problems/internal', title: 'x', status: 500 };
const offices = [
  '',
  '/libraries',
  '/users',
  '/jobs',
  '/backups',
  '/cluster',
  '/activity',
  '/logs',
  '/settings',
];
const lists = ['/', '/movies', '/series', '/search?q=line', '/lists', '/account'];
const administration = offices.map((name) => `/admin${name}`);
/** Of what has an id of its own. */
const works = [
  ...['/movies/MOVIE', '/series/SERIES', '/episodes/EPISODE', '/people/PERSON'],
  ...['/watch/MOVIE', '/watch/episode/EPISODE', '/watch/series/SERIES'],
];
const pages = [...lists, ...works, ...administration];

const waiting = (page: Page): Locator =>
  page.locator('main .animate-pulse, main [aria-busy=true]').first();
const failure = (page: Page): Locator =>
  page.locator('main [role=alert]', { hasText: 'This did not work' }).first();
const again = (page: Page): Locator => page.getByRole('button', { name: 'Try again' }).first();
/** What the app says wherever one is, and what it says before it is known who one is. */
const silence = (page: Page): Locator =>
  page.getByRole('status').filter({ hasText: 'No node answers.' });
const gone = (page: Page): Locator =>
  page.getByRole('status').filter({ hasText: 'The server does not answer' });

/** Nothing of it is cut off at the side, on a phone and on a desk. */
async function fits(page: Page, what: string): Promise<void> {
  for (const width of [360, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    expect(await page.evaluate(excess), `${what}, ${width} pixels wide`).to.equal(0);
  }
}

/** All of it is there: nothing is waited for, and nothing has failed. */
async function isWhole(page: Page): Promise<void> {
  for (const other of [waiting, failure, silence, gone]) {
    await other(page).waitFor({ state: 'detached' });
  }
  const content = page.locator('main').filter({ hasText: /\w/ });
  await content.or(page.locator('main video')).first().waitFor();
  await fits(page, 'whole');
}

/** Errors of pages: the browser itself logs each answer that is none. */
const errorsIn = (browser: TestBrowser): string[] =>
  browser.complaints().filter((one) => !one.includes('Failed to load resource'));

describe('the web app where the API is slow, fails or is gone', function () {
  needs('chromium', 'ffmpeg');
  this.timeout(240_000);
  let visit: Visit;
  let server: TestServer;
  let browser: TestBrowser;
  let page: Page;
  let ids: Readonly<Record<string, string>>;

  let mode: Mode = 'well';
  let changed = Promise.withResolvers<void>();
  const turn = (next: Mode) => {
    mode = next;
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const answer = async (route: Route) => {
    while (mode === 'slow') await changed.promise;
    if (mode === 'cut') return route.abort('connectionrefused');
    const isFailing = mode === 'failing' && !route.request().url().endsWith('/health/live');
    return isFailing ? route.fulfill({ status: 500, json: problem }) : route.fallback();
  };
  // Of a page that is gone nothing is answered any more.
  const interpose = (to: Page) => to.route(asked, (route) => answer(route).catch(() => undefined));

  before(async () => {
    visit = await startVisit({ prepare });
    ({ server, browser, page } = visit);
    ids = await idsOf(server);
    await openIn(page, server.url);
    await signIn(page, server.admin);
    await page.evaluate(`navigator.serviceWorker.ready.then(() => 0)`);
    await interpose(page);
  });
  after(() => visit?.[Symbol.asyncDispose]());
  afterEach(() => {
    turn('well');
    expect(errorsIn(browser)).to.deep.equal([]);
  });

  const open = (path: string) =>
    openIn(page, server.url + path.replace(/[A-Z]{5,}/, (name) => ids[name] ?? name));

  for (const path of pages) {
    it(`says on ${path} what it waits for, what fails and that nobody answers`, async () => {
      turn('slow');
      await open(path);
      await waiting(page).waitFor();
      await fits(page, 'slow');
      turn('failing');
      await failure(page).waitFor();
      await fits(page, 'failing');
      turn('cut');
      await again(page).click();
      await silence(page).waitFor();
      await fits(page, 'cut');
      turn('well');
      await isWhole(page);
    });
  }

  it('opens any page where there is no network, and goes on when there is', async () => {
    for (const path of pages) {
      await visit.context.setOffline(true);
      await open(path);
      await gone(page).waitFor();
      await fits(page, 'offline');
      await visit.context.setOffline(false);
      await isWhole(page);
    }
  });

  it('tells of a network that goes away, keeps what was typed and does what was asked', async () => {
    await open('/admin/settings');
    const typed = page.getByLabel('Days without use after which a session ends');
    await typed.fill('27');
    await page.getByLabel('Days the log of activity is kept').fill('77');
    await visit.context.setOffline(true);
    await silence(page).waitFor();
    expect(await barriers(page)).to.deep.equal([]);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Save' }).and(page.locator('[aria-busy]')).waitFor();
    await visit.context.setOffline(false);
    await isWhole(page);
    await page.getByText('Saved', { exact: true }).waitFor();
    const { items } = await server.read<List<'Setting'>>('/api/v1/settings');
    expect(items.find(({ key }) => key === 'activity.retention_days')?.value).to.equal(77);
    expect(await typed.inputValue()).to.equal('27');
  });

  for (const [path, action] of [
    ['/sign-in', 'Sign in'],
    ['/setup', 'Create the administrator'],
  ] as const) {
    it(`says at ${path} what keeps one out, and keeps what was typed`, async () => {
      const person = await browser.person();
      const door = await person.newPage();
      await door.route(/\/auth\/setup$/, (route) =>
        route.request().method() === 'GET'
          ? route.fulfill({ json: { required: path === '/setup' } })
          : route.continue(),
      );
      await interpose(door);
      turn('slow');
      await openIn(door, server.url + path);
      await door.getByText('The server is being asked').waitFor();
      await fits(door, 'slow');
      turn('cut');
      await gone(door).waitFor();
      await fits(door, 'cut');
      turn('failing');
      await failure(door).waitFor();
      await fits(door, 'failing');
      turn('well');
      await again(door).click();
      const button = door.getByRole('button', { name: action, exact: true });
      await button.waitFor();
      await fits(door, 'whole');
      for (const field of await door.locator('input').all()) await field.fill('typed password');
      turn('cut');
      await button.click();
      await silence(door).waitFor();
      await fits(door, 'cut');
      turn('failing');
      await door.getByText('Something went wrong on the server').waitFor();
      for (const field of await door.locator('input').all()) {
        expect(await field.inputValue()).to.equal('typed password');
      }
      await person.close();
    });
  }
});

describe('the web app where there is nothing yet', function () {
  needs('chromium');
  this.timeout(240_000);
  let visit: Visit;

  before(async () => {
    visit = await startVisit();
  });
  after(() => visit?.[Symbol.asyncDispose]());

  for (const who of ['user', 'admin'] as const) {
    it(`shows every page to ${who === 'user' ? 'a person' : 'an administrator'}`, async () => {
      const { server, browser } = visit;
      const person = await browser.person();
      const page = await person.newPage();
      await openIn(page, server.url);
      await signIn(page, server[who]);
      for (const path of [...lists, ...(who === 'admin' ? administration : [])]) {
        await openIn(page, server.url + path);
        await page.getByRole('heading', { level: 1 }).waitFor({ state: 'attached' });
        await isWhole(page);
      }
      expect(browser.complaints()).to.deep.equal([]);
      await person.close();
    });
  }
});

async function idsOf(server: TestServer): Promise<Record<string, string>> {
  const movies = await server.read<List<'Movie'>>('/api/v1/movies');
  const MOVIE = movies.items[0]!.id;
  const { people } = await server.read<Schemas['Movie']>(`/api/v1/movies/${MOVIE}`);
  const series = await server.read<List<'Series'>>('/api/v1/series');
  const SERIES = series.items.find(({ title }) => title === 'Northern Line')!.id;
  const episodes = await server.read<List<'Episode'>>(`/api/v1/series/${SERIES}/episodes?season=1`);
  return { MOVIE, PERSON: people[0]!.personId, SERIES, EPISODE: episodes.items[0]!.id };
}

async function prepare(server: TestServer): Promise<void> {
  await makeSeries(join(server.films, 'Series'));
  await makeFilms(join(server.films, 'Movies'), [{ name: 'The Long Walk (2011)', seconds: 5 }]);
  const nfo = '<movie><title>The Long Walk</title><actor><name>Ada</name></actor></movie>';
  await writeFiles(server.films, { 'Movies/The Long Walk (2011)/movie.nfo': nfo });
  await server.library('Series', 'Series', 'series');
  await server.library('Films', 'Movies');
  await server.settled();
}
