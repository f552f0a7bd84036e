import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { BrowserContext, Page } from 'playwright-core';
import { needs } from '../needs.ts';
import type { TestServer } from '../server.ts';
import { barriers, barriersInAnyLight, until, type TestBrowser } from './browser.ts';
import { makeFilms } from './site.ts';
import { excess, openIn, startVisit, video, type Visit } from './suite.ts';

const username = 'anna';
const password = 'correct horse battery staple';
/** In the page: what of the film was played, from and to, in whole seconds. */
const played = `Array.from({ length: ${video}.played.length }, (_, at) =>
  [${video}.played.start(at), ${video}.played.end(at)].map(Math.floor))`;

describe('the web app of a household', function () {
  needs('chromium', 'ffmpeg');
  this.timeout(180_000);
  let visit: Visit;
  let server: TestServer;
  let browser: TestBrowser;
  let context: BrowserContext;
  let page: Page;

  before(async () => {
    visit = await startVisit({ setUp: false, prepare });
    ({ server, browser, context, page } = visit);
  });
  after(() => visit?.[Symbol.asyncDispose]());
  afterEach(() => {
    expect(browser.complaints()).to.deep.equal([]);
  });

  const open = (path: string) => openIn(page, server.url + path);
  const when = (expression: string) => until(page, expression);
  const progressOf = async (title: string) => {
    const { items } = await api<{ items: { title: string; userState: { positionMs: number } }[] }>(
      '/api/v1/movies',
    );
    return items.find((item) => item.title === title)?.userState;
  };
  // Once: attempts to sign in are counted.
  let token: Promise<string> | undefined;
  const tokenOf = async () => {
    const init = { method: 'POST', json: { username, password } };
    return (await server.read<{ accessToken: string }>('/api/v1/auth/login', init)).accessToken;
  };
  const api = async <T>(path: string, method = 'GET'): Promise<T> =>
    server.read<T>(path, { method, token: await (token ??= tokenOf()) });

  it('says of the link of an earlier start that another one counts', async () => {
    await open('/setup?token=of-an-earlier-start');
    await page.getByLabel('User name').fill(username);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByLabel('Password again').fill(password);
    await page.getByRole('button', { name: 'Create the administrator' }).click();
    await page.getByText('This link or token is not valid any more').waitFor();
    await page.getByLabel('Token').waitFor();
    // The answer itself, which Chromium tells of by itself.
    expect(browser.complaints().join('\n')).to.match(/^[^\n]* 401 \(Unauthorized\)$/);
  });

  it('is set up: administrator, machine, first library', async () => {
    await open(`/setup?token=${server.node.setupToken}`);
    await page.waitForURL(`${server.url}/setup`);
    await page.reload();
    await page.getByLabel('User name').fill(username);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByLabel('Password again').fill('something else');
    await page.getByText('The two passwords differ').waitFor();
    await page.getByLabel('Password again').fill(password);
    expect(await barriers(page)).to.deep.equal([]);
    await page.getByRole('button', { name: 'Create the administrator' }).click();

    await page.getByText('data folder').waitFor();
    const kept = await page.evaluate<string>(
      'JSON.stringify([location.href, { ...sessionStorage }, { ...localStorage }])',
    );
    expect(kept).to.not.contain(server.node.setupToken);
    await page.getByRole('button', { name: 'Go on' }).click();

    await page.getByRole('button', { name: 'Browse' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Movies', exact: true }).click();
    await page.getByRole('dialog').locator('code', { hasText: '/Movies' }).waitFor();
    expect(await barriers(page)).to.deep.equal([]);
    await page.getByRole('button', { name: 'Choose this folder' }).click();
    await page.getByRole('button', { name: 'Add and scan' }).click();

    const bar = page.getByRole('progressbar', { name: 'Progress of the scan' });
    await bar.waitFor();
    await page.locator('[role=progressbar][aria-valuenow="100"]').waitFor();
    await page.getByText('3 titles added').waitFor();
    expect(await barriers(page)).to.deep.equal([]);

    await page.getByRole('heading', { name: 'Your library is here' }).waitFor();
    await server.settled();
    await page.getByRole('button', { name: 'Go to the library' }).click();
    await page.getByRole('heading', { name: 'Recently added' }).waitFor();
  });

  it('shows the films', async () => {
    await open('/movies');
    await page.getByText('3 films').waitFor();
    const card = page.getByRole('link', { name: /The Long Walk/ });
    await card.locator('img').waitFor();
    expect(await barriers(page)).to.deep.equal([]);
  });

  it('is where one was when it is loaded anew', async () => {
    const size = page.viewportSize() ?? { width: 1280, height: 800 };
    await page.setViewportSize({ width: 360, height: 300 });
    await open('/movies');
    await page.getByRole('link', { name: /The Long Walk/ }).click();
    await page.getByText('About this film').scrollIntoViewIfNeeded();
    const top = await page.evaluate<number>('scrollY');
    expect(top).to.be.above(300);
    await page.reload();
    await when(`scrollY === ${top}`);
    await page.setViewportSize(size);
    await open('/movies');
  });

  it('keeps a filter in the address', async () => {
    await page.getByRole('button', { name: 'Filter' }).click();
    await page.getByLabel('Decade').selectOption({ label: '1990s (1)' });
    await page.getByText('1 film', { exact: true }).waitFor();
    expect(new URL(page.url()).searchParams.get('decade')).to.match(/^1990/);
    await page.reload();
    await page.getByText('1 film', { exact: true }).waitFor();
  });

  it('goes to any film of those that are shown, where one cannot choose', async () => {
    await page.getByRole('button', { name: 'Surprise me' }).click();
    await page.getByRole('heading', { level: 1, name: 'Mountain Rain' }).waitFor();
  });

  it('finds a film by a word with a slip', async () => {
    await page.keyboard.press('/');
    await page.keyboard.type('mountin rane');
    await page.getByRole('link', { name: /Mountain Rain/ }).waitFor();
    expect(await barriers(page)).to.deep.equal([]);
  });

  it('plays, and goes on where one was', async () => {
    await open('/movies');
    await page.getByRole('link', { name: /The Long Walk/ }).click();
    await page.getByRole('heading', { name: 'The Long Walk' }).waitFor();
    expect(await barriers(page)).to.deep.equal([]);
    await page.getByRole('link', { name: 'Play' }).click();
    const at = () => page.evaluate<number>(`${video}.currentTime`);
    await when(`${video}?.currentTime >= 10`);
    const left = await at();
    // In one piece from its beginning: nothing was passed over.
    expect(await page.evaluate<number[][]>(played)).to.deep.equal([[0, Math.floor(left)]]);
    await page.close(); // as a tab is closed: nothing is said but what leaves with it
    page = await context.newPage();
    await open('/');
    await page.getByRole('link', { name: 'Resume' }).waitFor();
    const state = await progressOf('The Long Walk');
    expect(state?.positionMs).to.be.within((left - 2) * 1_000, (left + 3) * 1_000);
    await page.getByRole('link', { name: 'Resume' }).click();
    await when(`${video}?.currentTime > ${left}`);
    await page.keyboard.press('l');
    await when(`${video}?.currentTime > ${left + 10}`);
  });

  it('marks a film watched when it is over', async () => {
    await page.keyboard.press('9');
    await when(`${video}?.ended`);
    await page.keyboard.press('Backspace');
    await page.getByRole('button', { name: 'Watched', pressed: true }).waitFor();
  });

  it('shows the subtitles one has chosen before, and begins the film once', async () => {
    const address = /\/playback\/files\/[^/]+\/address$/;
    let asked = 0;
    page.on('request', (request) => (asked += address.test(request.url()) ? 1 : 0));
    const isShown = `${video}?.textTracks[0]?.activeCues?.length === 1`;
    await page.getByRole('link', { name: 'Play' }).click();
    await when(`${video}?.currentTime > 1`);
    await page.keyboard.press('c');
    await when(isShown);
    await page.reload();
    asked = 0;
    await when(isShown);
    await when(`${video}?.currentTime > 2`);
    expect(asked, 'addresses of the film and its subtitles').to.equal(2);
    page.removeAllListeners('request');
  });

  it('says why it does not play what the browser cannot', async () => {
    await open('/movies');
    await page.getByRole('link', { name: /Old Reel/ }).click();
    await page.getByRole('link', { name: 'Play' }).click();
    await page.getByText('Its picture is MPEG-4 ASP').waitFor();
    expect(await barriers(page)).to.deep.equal([]);
  });

  for (const [path, heading] of [
    ['/admin', 'Health'],
    ['/admin/libraries', 'Libraries'],
    ['/admin/users', 'Users'],
    ['/admin/jobs', 'Jobs'],
    ['/admin/cluster', 'Cluster'],
    ['/admin/backups', 'Backups'],
    ['/admin/activity', 'Activity'],
    ['/admin/logs', 'Logs'],
    ['/admin/settings', 'Settings'],
    ['/account', 'My account'],
    ['/lists', 'My lists'],
  ] as const) {
    it(`has ${path}, for everybody`, async () => {
      await open(path);
      await page.getByRole('heading', { level: 1, name: heading }).waitFor();
      await page.locator('.animate-pulse').first().waitFor({ state: 'detached' });
      expect(await barriersInAnyLight(page)).to.deep.equal([]);
    });
  }

  it('fits on a phone as large as on a couch', async () => {
    const size = page.viewportSize() ?? { width: 1280, height: 800 };
    await page.setViewportSize({ width: 360, height: 740 });
    await page.evaluate(`localStorage.setItem('revenge.scale', 'large')`);
    for (const path of ['/', '/movies', '/admin/users', '/admin/settings']) {
      await open(path);
      await page.locator('.animate-pulse').first().waitFor({ state: 'detached' });
      expect(await page.evaluate(excess), path).to.equal(0);
    }
    await open('/movies');
    const { width } = (await page.getByLabel('Sort by').boundingBox())!;
    expect(width, 'room for a word and its arrow').to.be.above(90);
    await page.evaluate(`localStorage.removeItem('revenge.scale')`);
    await page.setViewportSize(size);
  });

  it('lets a user in whom an administrator made, and no further than that', async () => {
    await open('/admin/users');
    await page.getByRole('button', { name: 'Add a user' }).click();
    const form = page.getByRole('dialog', { name: 'Add a user' });
    await form.getByLabel('User name').fill('ben');
    await form.getByLabel('Password').fill('another long password');
    await form.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Edit: ben' }).waitFor();
    const other = await browser.person({ language: 'de-DE', colours: 'light' });
    const his = await other.newPage();
    await his.goto(`${server.url}/admin/users`);
    await his.getByLabel('Benutzername').fill('ben');
    await his.getByLabel('Passwort').fill('another long password');
    await his.getByRole('button', { name: 'Anmelden' }).click();
    await his.getByRole('heading', { name: 'Neu dabei' }).waitFor();
    expect(new URL(his.url()).pathname).to.equal('/');
    expect(await barriers(his)).to.deep.equal([]);
    await other.close();
  });

  it('is walked through with arrow keys alone', async () => {
    await open('/movies');
    await page.getByRole('link', { name: /The Long Walk/ }).waitFor();
    await page.getByRole('link', { name: /Mountain Rain/ }).focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Old Reel' }).waitFor();
  });

  it('asks for the password over the page when the session has ended, and loses nothing', async () => {
    await open('/account');
    await page.getByLabel('Current password').fill('half typed');
    await page.evaluate(`localStorage.setItem('revenge.refresh', 'not a token')`);
    const users = await api<{ items: { id: string; username: string }[] }>('/api/v1/users');
    const me = users.items.find((user) => user.username === username);
    await api(`/api/v1/users/${me?.id}/sessions`, 'DELETE');
    const again = page.getByRole('dialog', { name: 'Please sign in again' });
    await again.waitFor();
    // The name is there already.
    await when(`document.activeElement.name === 'password'`);
    await page.keyboard.type(password);
    await again.getByRole('button', { name: 'Sign in', exact: true }).click();
    await again.waitFor({ state: 'hidden' });
    expect(await page.getByLabel('Current password').inputValue()).to.equal('half typed');
    browser.complaints(); // the browser logs each 401
  });
});

async function prepare({ films }: TestServer): Promise<void> {
  await makeFilms(join(films, 'Movies'), [
    { name: 'The Long Walk (2011)', seconds: 40 },
    { name: 'Mountain Rain (1999)', seconds: 3 },
    { name: 'Old Reel (1962)', seconds: 3, video: 'mpeg4' },
  ]);
  const walk = join(films, 'Movies', 'The Long Walk (2011)');
  const lines = '1\n00:00:00,000 --> 00:00:40,000\nOne step, and another.\n';
  await writeFile(join(walk, 'The Long Walk (2011).en.srt'), lines);
}
