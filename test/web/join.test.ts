import { expect } from 'chai';
import type { Page } from 'playwright-core';
import type { components } from '#api/types.ts';
import { enriched } from '../metadata.ts';
import { needs } from '../needs.ts';
import { writeFiles, type TestServer } from '../server.ts';
import { barriers, until, type TestBrowser } from './browser.ts';
import { chooseTool, headed, openIn, signIn, startVisit, type Visit } from './suite.ts';

type Schemas = components['schemas'];

describe('works that are made one and taken apart, in the web app', function () {
  needs('chromium');
  this.timeout(180_000);
  let visit: Visit;
  let server: TestServer;
  let browser: TestBrowser;
  let page: Page;

  before(async () => {
    visit = await startVisit({ prepare });
    ({ server, browser, page } = visit);
    await openIn(page, server.url);
    await signIn(page, server.admin);
  });
  after(() => visit?.[Symbol.asyncDispose]());
  afterEach(() => {
    expect(browser.complaints()).to.deep.equal([]);
  });

  const heading = (name: string) => headed(page, name);
  const choose = (item: string) => chooseTool(page, item);
  const merging = () => page.getByRole('dialog', { name: 'Merge with others' });
  const splitting = () => page.getByRole('dialog', { name: 'Split' });
  const question = (name: string) => page.getByRole('dialog', { name });
  const films = async () => {
    const { items } = await server.read<Schemas['MoviePage']>('/api/v1/movies');
    return new Map(items.map(({ id, title }) => [title, id]));
  };
  const openFilm = async (title: string) => {
    const id = (await films()).get(title)!;
    await openIn(page, `${server.url}/movies/${id}`);
    await heading(title);
    return id;
  };

  it('merges a film into another once somebody has said so', async () => {
    const id = await openFilm('Heat');
    await page.getByRole('button', { name: 'More', exact: true }).click();
    expect(await page.getByRole('menuitem', { name: 'Split' }).count(), 'of one version').to.equal(
      0,
    );
    await page.keyboard.press('Escape');
    await choose('Merge with others');
    await merging().getByText('“Heat (1995)” stays.').waitFor();
    const other = merging().getByRole('checkbox', { name: 'Heat Again (1995)' });
    await other.waitFor();
    expect(await merging().getByRole('checkbox', { name: 'Heat (1995)' }).count()).to.equal(0);
    expect(await merging().getByRole('button', { name: 'Merge …' }).isDisabled()).to.equal(true);
    // By the keys of a remote control.
    await merging().getByRole('button', { name: 'Look' }).focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Space');
    expect(await other.isChecked()).to.equal(true);
    expect(await barriers(page)).to.deep.equal([]);
    await merging().getByLabel('Title').fill('cold');
    await page.keyboard.press('Enter');
    await merging().getByRole('checkbox', { name: 'Cold (2001)' }).waitFor();
    expect(await other.isChecked(), 'what was chosen before').to.equal(true);
    await merging().getByRole('button', { name: 'Merge …' }).click();
    const asked = question('Make them one?');
    await asked.getByText('“Heat (1995)” stays, with its title').waitFor();
    await asked.getByText('This one becomes part of it').waitFor();
    expect(await barriers(page)).to.deep.equal([]);
    await page.keyboard.press('Escape');
    await asked.waitFor({ state: 'hidden' });
    expect((await films()).size, 'thought better of').to.equal(4);
    await merging().getByRole('button', { name: 'Merge …' }).click();
    await asked.getByRole('button', { name: 'Merge', exact: true }).click();
    await merging().waitFor({ state: 'hidden' });
    await page.getByRole('heading', { name: '2 versions' }).waitFor();
    await until(page, `document.activeElement?.getAttribute('aria-label') === 'More'`);
    expect(new URL(page.url()).pathname).to.equal(`/movies/${id}`);
    expect([...(await films()).keys()]).to.have.members(['Cold', 'Heat', 'Warm']);
  });

  it('makes a version of a film one of its own, and leads to it', async () => {
    await choose('Split');
    const boxes = splitting().getByRole('checkbox');
    await splitting().getByText('0 files chosen').waitFor();
    for (const box of await boxes.all()) await box.check();
    await splitting().getByText('At least one has to stay.').waitFor();
    expect(await splitting().getByRole('button', { name: 'Split …' }).isDisabled()).to.equal(true);
    await splitting()
      .getByRole('checkbox', { name: /Heat \(1995\)\.mkv/ })
      .uncheck();
    await splitting().getByText('1 file chosen').waitFor();
    expect(await barriers(page)).to.deep.equal([]);
    await splitting().getByRole('button', { name: 'Split …' }).click();
    const asked = question('Make this a film of its own?');
    await asked.getByText('Heat Again (1995).mkv').waitFor();
    expect(await barriers(page)).to.deep.equal([]);
    await asked.getByRole('button', { name: 'Split', exact: true }).click();
    await splitting().waitFor({ state: 'hidden' });
    await heading('Heat Again');
    expect(new URL(page.url()).pathname).to.equal(`/movies/${(await films()).get('Heat Again')}`);
    await page.getByText('Now on its own: “Heat Again (1995)”').waitFor();
  });

  it('says in the dialog why not, and keeps what was chosen', async () => {
    const all = await films();
    await server.settled(); // what the test before took apart is found
    await openFilm('Heat');
    await choose('Merge with others');
    await merging().getByLabel('Title').fill('cold');
    await page.keyboard.press('Enter');
    const other = merging().getByRole('checkbox', { name: 'Cold (2001)' });
    await other.check();
    const json = { movieIds: [all.get('Cold')] };
    await server.read(`/api/v1/movies/${all.get('Warm')}/merge`, { method: 'POST', json });
    await merging().getByRole('button', { name: 'Merge …' }).click();
    await page.getByRole('button', { name: 'Merge', exact: true }).click();
    await merging().getByRole('alert').getByText('is not there any more').waitFor();
    expect(await other.isChecked()).to.equal(true);
    expect(await merging().getByLabel('Title').inputValue()).to.equal('cold');
    await page.keyboard.press('Escape');
    await merging().waitFor({ state: 'hidden' });
    browser.complaints(); // the browser logs each answer that is none
  });

  it('does so with series, by their files', async () => {
    await openIn(page, `${server.url}/series`);
    await page.getByRole('link', { name: /^Dark \(|^Dark(?! G)/ }).click();
    await heading('Dark');
    await choose('Merge with others');
    await merging().getByRole('checkbox', { name: 'Dark German (2017)' }).check();
    await merging().getByRole('button', { name: 'Merge …' }).click();
    await page.getByRole('button', { name: 'Merge', exact: true }).click();
    await merging().waitFor({ state: 'hidden' });
    await page.getByText('3 episodes').first().waitFor();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await choose('Split');
    for (const season of ['Season 1', 'Season 2']) {
      await splitting()
        .getByRole('checkbox', { name: new RegExp(`^${season}`) })
        .check();
    }
    await splitting().getByText('At least one has to stay.').waitFor();
    const ofFiles = asked.filter((path) => /\/(?:files|episodes\/.*)$/.test(path));
    expect(ofFiles, 'how many there are, and those of each season').to.have.length(3);
    page.removeAllListeners('request');
    for (const season of ['Season 1', 'Season 2']) {
      await splitting()
        .getByRole('checkbox', { name: new RegExp(`^${season}`) })
        .uncheck();
    }
    await splitting().getByText('0 files chosen').waitFor();
    await splitting().getByRole('button', { name: 'Files: Season 1' }).click();
    await splitting()
      .getByRole('checkbox', { name: /German S01E02/ })
      .check();
    expect(await barriers(page)).to.deep.equal([]);
    await splitting()
      .getByRole('checkbox', { name: /^Season 2/ })
      .check();
    await splitting().getByText('2 files chosen').waitFor();
    await splitting().getByRole('button', { name: 'Split …' }).click();
    await question('Make this a series of its own?')
      .getByRole('button', { name: 'Split', exact: true })
      .click();
    await splitting().waitFor({ state: 'hidden' });
    await heading('Dark German');
    await page.getByText('2 episodes').first().waitFor();
  });
});

async function prepare(server: TestServer): Promise<void> {
  await writeFiles(server.films, {
    'Movies/Heat (1995)/Heat (1995).mkv': 'a film',
    'Movies/Heat Again (1995)/Heat Again (1995).mkv': 'another',
    'Movies/Cold (2001)/Cold (2001).mkv': 'a third',
    'Movies/Warm (2002)/Warm (2002).mkv': 'a fourth',
    'Series/Dark (2017)/Season 1/Dark S01E01.mkv': 'an episode',
    'Series/Dark German (2017)/Season 1/Dark German S01E02.mkv': 'another episode',
    'Series/Dark German (2017)/Season 2/Dark German S02E01.mkv': 'a third episode',
  });
  await server.library('Films', 'Movies');
  await server.library('Series', 'Series', 'series');
  await enriched(server);
}
