import { join } from 'node:path';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { needs } from '../needs.ts';
import { writeFiles, type TestServer } from '../server.ts';
import { until, type TestBrowser } from './browser.ts';
import { makeSeries } from './series-site.ts';
import { chooseTool, headed, openIn, signIn, startVisit, type Visit } from './suite.ts';

/** In the page: what can be pressed now; numbered, so that it is known again. */
const controls = `(() => {
  const wanted = 'a[href], button:not(:disabled), input:not(:disabled), select, textarea, summary';
  const scope = document.querySelector('[role=dialog]') ?? document;
  const shown = [...scope.querySelectorAll(wanted)].filter((one) =>
    one.tabIndex >= 0 && one.checkVisibility({ visibilityProperty: true }) &&
    one.getBoundingClientRect().width > 0 && !one.matches('[href="#content"]'));
  shown.forEach((one, at) => (one.dataset.number = at));
  return shown.map((one) => (one.getAttribute('aria-label') || one.labels?.[0]?.textContent ||
    one.textContent || one.tagName).trim().slice(0, 60));
})()`;
/** In the page: which of them has the focus, and whether one sees that. */
const focus = `(() => {
  const at = document.activeElement;
  const box = at?.getBoundingClientRect();
  const isIn = box && box.bottom > 0 && box.top < innerHeight &&
    box.right > 0 && box.left < innerWidth;
  // A line around it; of a poster, of a box to tick and of a slider around what stands for it.
  const line = at?.closest('label, .group') ?? at;
  const isMarked = at && [at, line, ...at.children, ...line.children].some((one) =>
    getComputedStyle(one).outlineStyle !== 'none' ||
    getComputedStyle(one).getPropertyValue('--tw-ring-shadow').includes('4px'));
  return { number: Number(at?.dataset?.number ?? -1), isSeen: isIn && isMarked };
})()`;
/** In the page: it goes there; in a text to the end that the key would leave it by. */
const from = (number: number, key: string) => `(() => {
  const one = document.querySelector('[data-number="${number}"]');
  one.focus();
  const end = '${key}' === 'ArrowRight' ? one.value?.length : 0;
  if (one.selectionEnd != null) one.setSelectionRange(end, end);
})()`;
/** In the page, whose document is not of Node: of one thing. */
const hasFocus = (one: unknown): boolean =>
  one ===
  (globalThis as unknown as { document: { activeElement: unknown } }).document.activeElement;
/** In the page: something has the focus that is not the page itself. */
const held = `document.activeElement !== document.body`;

const arrows = ['ArrowDown', 'ArrowRight', 'ArrowUp', 'ArrowLeft'] as const;
const pages = [
  ...['/', '/movies', '/series', '/search?q=line', '/lists', '/account', '/admin'],
  ...['/admin/libraries', '/admin/users', '/admin/jobs', '/admin/cluster', '/admin/activity'],
  ...['/admin/settings', '/movies/{film}', '/series/{series}', '/people/{person}', '/calendar'],
];

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
  });
  after(() => visit?.[Symbol.asyncDispose]());
  afterEach(() => {
    expect(browser.complaints()).to.deep.equal([]);
  });

  const press = (key: string) => page.keyboard.press(key);
  const at = () => page.evaluate<{ number: number; isSeen: boolean }>(focus);
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
  const open = async (path: string) => {
    await openIn(
      page,
      server.url + path.replace(/\{(\w+)\}/, (_, name: string) => ids[name] ?? ''),
    );
    await page.getByRole('heading', { level: 1 }).first().waitFor({ state: 'attached' });
    await page.locator('.animate-pulse').first().waitFor({ state: 'detached' });
  };
  /** What the tabulator does not come to, or what does not show that it has the focus. */
  const missedByTab = async (): Promise<string[]> => {
    const names = await page.evaluate<string[]>(controls);
    const seen = new Map<number, boolean>();
    for (let presses = 0; presses < names.length + 8; presses += 1) {
      await press('Tab');
      const { number, isSeen } = await at();
      if (number >= 0) seen.set(number, isSeen);
    }
    return names.filter((_, number) => seen.get(number) !== true);
  };
  /** What no way of arrow keys leads to from the first of what is there. */
  const missedByArrows = async (): Promise<string[]> => {
    const names = await page.evaluate<string[]>(controls);
    const seen = new Set<number>();
    const ahead = [0];
    for (let number = ahead.pop(); number !== undefined; number = ahead.pop()) {
      if (seen.has(number)) continue;
      seen.add(number);
      for (const key of arrows) {
        await page.evaluate(from(number, key));
        await press(key);
        const next = await at();
        if (next.number >= 0 && !seen.has(next.number)) ahead.push(next.number);
      }
    }
    return names.filter((_, number) => !seen.has(number));
  };

  for (const path of pages) {
    it(`reaches all of ${path}, and sees where it is`, async () => {
      await open(path);
      expect(await missedByTab(), 'by the tabulator').to.deep.equal([]);
      expect(await missedByArrows(), 'by arrow keys').to.deep.equal([]);
    });
  }

  it('reaches all of each dialog, and comes back to where it was', async () => {
    await open('/movies/{film}');
    for (const name of ['Edit', 'Choose artwork', 'Fix the match', 'Merge with others']) {
      await page.getByRole('button', { name: 'More', exact: true }).focus();
      await press('Enter');
      const item = page.getByRole('menuitem', { name });
      await item.waitFor();
      for (let presses = 0; presses < 9 && !(await item.evaluate(hasFocus)); presses += 1) {
        await press('ArrowDown');
      }
      await press('Enter');
      await page.getByRole('dialog').waitFor();
      await page.locator('[role=dialog] .animate-pulse').first().waitFor({ state: 'detached' });
      expect(await missedByTab(), `${name}, by the tabulator`).to.deep.equal([]);
      expect(await missedByArrows(), `${name}, by arrow keys`).to.deep.equal([]);
      await press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await until(page, `document.activeElement.getAttribute('aria-label') === 'More'`);
    }
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
