import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import type { components } from '#api/types.ts';
import { needs } from '../needs.ts';
import { writeFiles, type TestServer } from '../server.ts';
import { barriersInAnyLight, type TestBrowser } from './browser.ts';
import { excess, openIn, signIn, startVisit, type Visit } from './suite.ts';

type Schemas = components['schemas'];

const names = Array.from({ length: 30 }, (_, at) => `Film ${at} (2001)`);

describe('what is missing of a library, in the web app', function () {
  needs('chromium');
  this.timeout(300_000);
  let visit: Visit;
  let server: TestServer;
  let browser: TestBrowser;
  let page: Page;
  let libraryId: string;

  before(async () => {
    visit = await startVisit({ prepare });
    ({ server, browser, page } = visit);
    const { items } = await server.read<Schemas['LibraryList']>('/api/v1/libraries');
    libraryId = items[0]!.id;
    await openIn(page, server.url);
    await signIn(page, server.admin);
  });
  after(() => visit?.[Symbol.asyncDispose]());
  afterEach(() => {
    expect(browser.complaints()).to.deep.equal([]);
  });

  const at = (name: string) => join(server.films, 'Films', name);
  const scan = async () => {
    await server.read(`/api/v1/libraries/${libraryId}/scans`, { method: 'POST', json: {} });
    await server.settled();
  };
  const titles = async () =>
    (await server.read<Schemas['MoviePage']>('/api/v1/movies?limit=100')).items.map(
      ({ title }) => title,
    );
  const open = async (files: string) => {
    await openIn(page, `${server.url}/admin/libraries`);
    await page.getByRole('button', { name: files }).click();
    await page.getByRole('dialog', { name: 'Missing of Films' }).waitFor();
  };
  const dialog = () => page.getByRole('dialog', { name: 'Missing of Films' });
  const row = (name: string) => dialog().getByRole('listitem').filter({ hasText: name });

  it('is kept for good, or as long as usual, or forgotten, by a word for each', async () => {
    await rm(at('Film 3 (2001)'), { recursive: true });
    await rm(at('Film 4 (2001)'), { recursive: true });
    await scan();
    await open('2 files missing');
    expect(await barriersInAnyLight(page)).to.deep.equal([]);
    await row('Film 3').getByText('Kept until').waitFor();
    await row('Film 3').getByRole('button', { name: 'Keep', exact: false }).click();
    await row('Film 3').getByText('Kept for good').waitFor();
    await row('Film 3').getByRole('button', { name: 'No longer keep' }).click();
    await row('Film 3').getByText('Kept until').waitFor();
    await row('Film 4').getByRole('button', { name: 'Forget' }).click();
    const sure = page.getByRole('dialog', { name: 'Forget Film 4 (2001).mkv now?' });
    await sure.getByRole('button', { name: 'Forget' }).click();
    await row('Film 4').waitFor({ state: 'detached' });
    expect(await titles()).not.to.include('Film 4');
    expect(await titles()).to.include('Film 3');
  });

  it('waits for a person where it is much, and is kept after all', async () => {
    await rename(at(''), join(server.films, 'Away'));
    await writeFiles(server.films, { 'Films/Film 0 (2001)/Film 0 (2001).mkv': 'Film 0' });
    await scan();
    await open('28 files missing');
    await dialog().getByText('28 of 29 files are missing.').waitFor();
    await row('Film 5').getByText('Kept until confirmed').waitFor();
    await dialog().getByRole('button', { name: 'They are gone for good' }).click();
    await row('Film 5')
      .getByText(/^Kept until \d/)
      .waitFor();
    await dialog().getByRole('button', { name: 'Keep it after all' }).click();
    await dialog().getByText('28 of 29 files are missing.').waitFor();
    for (const width of [360, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await page.evaluate(excess), String(width)).to.equal(0);
    }
    const { isHeld } = await server.read<Schemas['LibraryVanished']>(
      `/api/v1/libraries/${libraryId}/vanished`,
    );
    expect(isHeld).to.equal(true);
  });

  it('says when more of it does not come, and keeps what has', async () => {
    const address = /\/missing\?limit=50$/;
    await page.route(address, async (route) => {
      const first = (await (await route.fetch()).json()) as Schemas['MissingFilePage'];
      await route.fulfill({ json: { ...first, nextCursor: 'x' } });
    });
    await open('28 files missing');
    await dialog().getByRole('button', { name: 'Show more' }).click();
    await dialog().getByRole('alert').filter({ hasText: 'The list has changed' }).waitFor();
    await dialog().getByRole('button', { name: 'Try again' }).waitFor();
    await row('Film 5').waitFor();
    await page.unroute(address);
    // The browser tells of the answer itself.
    expect(browser.complaints().every((one) => one.includes('400'))).to.equal(true);
  });

  it('is none any more when it is there again', async () => {
    await rm(at(''), { recursive: true });
    await rename(join(server.films, 'Away'), at(''));
    await scan();
    await openIn(page, `${server.url}/admin/libraries`);
    await page.getByText('1 file missing').waitFor();
    expect(await titles()).to.have.length(names.length - 1);
  });
});

async function prepare(server: TestServer): Promise<void> {
  await writeFiles(
    server.films,
    Object.fromEntries(names.map((name) => [`Films/${name}/${name}.mkv`, name])),
  );
  await server.library('Films', 'Films');
  await server.settled();
}
