import { expect } from 'chai';
import type { Page } from 'playwright-core';
import type { components } from '#api/types.ts';
import { needs } from '../needs.ts';
import { writeFiles, type TestServer } from '../server.ts';
import { barriers, type TestBrowser } from './browser.ts';
import { headed, openIn, signIn, startVisit, type Visit } from './suite.ts';

type Schemas = components['schemas'];

describe('what a person and a library may choose, in the web app', function () {
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

  const languageKept = async () => {
    const { accessToken: token } = server.admin.tokens;
    return (await server.read<Schemas['Me']>('/api/v1/users/me', { token })).language;
  };
  const chooses = async (label: string) => {
    const saved = page.waitForResponse(
      (answer) => answer.url().endsWith('/users/me') && answer.request().method() === 'PATCH',
    );
    await page.getByLabel('Language of titles and texts').selectOption({ label });
    expect((await saved).status()).to.equal(200);
  };
  const libraryKept = async () =>
    (await server.read<Schemas['LibraryList']>('/api/v1/libraries')).items[0]!;

  it('is the language of titles and texts, of the account', async () => {
    await openIn(page, `${server.url}/account`);
    const select = page.getByLabel('Language of titles and texts');
    await page.getByText('As the browser says').waitFor({ state: 'attached' });
    expect(await select.inputValue()).to.equal('');
    await chooses('German');
    expect(await languageKept()).to.equal('de');
    await page.reload();
    const german = page.getByRole('option', { name: 'German', selected: true });
    await german.waitFor({ state: 'attached' });
    expect(await barriers(page)).to.deep.equal([]);
    await chooses('As the browser says');
    expect(await languageKept()).to.equal(null);
  });

  for (const [what, key, label] of [
    ['NFO files are written', 'writeNfo', 'Write NFO files beside the media'],
    ['loudness is measured', 'loudness', 'Measure loudness'],
  ] as const) {
    it(`is whether ${what}, which is not done unless asked for`, async () => {
      await openIn(page, `${server.url}/admin/libraries`);
      for (const isOn of [false, true]) {
        const kept = { kept: 'as it is' };
        const on = { ...kept, [key]: true };
        expect((await libraryKept()).options).to.deep.equal(isOn ? on : kept);
        await page.getByRole('button', { name: 'Edit: Films' }).click();
        const dialog = page.getByRole('dialog', { name: 'Edit the library' });
        const button = dialog.getByRole('switch', { name: label });
        await button.waitFor();
        expect(await button.isChecked()).to.equal(isOn);
        expect(await barriers(page)).to.deep.equal([]);
        await button.focus();
        await page.keyboard.press('Space');
        await dialog.getByRole('button', { name: 'Save' }).click();
        await dialog.waitFor({ state: 'hidden' });
        expect((await libraryKept()).options).to.deep.equal(isOn ? kept : on);
      }
    });
  }

  it('is which libraries a user sees: all, some, or none', async () => {
    const { id } = await libraryKept();
    const user = server.user.username;
    const kept = async () =>
      (await server.read<Schemas['User']>(`/api/v1/users/${server.user.id}`)).libraryIds;
    await openIn(page, `${server.url}/admin/users`);
    const line = page.getByRole('listitem').filter({ hasText: user });
    const dialog = page.getByRole('dialog', { name: 'Edit the user' });
    const all = dialog.getByRole('switch', { name: 'All libraries' });
    const begin = async () => {
      await page.getByRole('button', { name: `Edit: ${user}` }).click();
      await all.waitFor();
    };
    const save = async () => {
      expect(await barriers(page)).to.deep.equal([]);
      await dialog.getByRole('button', { name: 'Save' }).click();
      await dialog.waitFor({ state: 'hidden' });
    };
    await begin();
    expect(await all.isChecked()).to.equal(true);
    await all.focus();
    await page.keyboard.press('Space');
    const films = dialog.getByRole('group', { name: 'Libraries this user sees' });
    await films.getByRole('checkbox', { name: 'Films' }).waitFor();
    await films.getByText('Without a library this user sees').waitFor();
    await save();
    expect(await kept()).to.deep.equal([]);
    await line.getByText('No libraries').waitFor();

    await begin();
    await films.getByRole('checkbox', { name: 'Films' }).focus();
    await page.keyboard.press('Space');
    await save();
    expect(await kept()).to.deep.equal([id]);
    await line.getByText('1 library').waitFor();

    await begin();
    await dialog.getByLabel('Role').selectOption({ label: 'Administrator' });
    await dialog.getByText('Administrators see all libraries.').waitFor();
    expect(await all.count()).to.equal(0);
    await dialog.getByLabel('Role').selectOption({ label: 'User' });
    expect(await films.getByRole('checkbox', { name: 'Films' }).isChecked()).to.equal(true);
    await all.focus();
    await page.keyboard.press('Space');
    await save();
    expect(await kept()).to.equal(null);
    await line.getByText('librar').waitFor({ state: 'detached' });
  });

  it('takes a film from a page that is open, once it is hidden', async () => {
    const theirs = await browser.person();
    const his = await theirs.newPage();
    await openIn(his, server.url);
    await signIn(his, server.user);
    await openIn(his, `${server.url}/movies`);
    await his.getByRole('link', { name: /^Heat/ }).click();
    await headed(his, 'Heat');
    const see = (libraryIds: string[] | null) =>
      server.read(`/api/v1/users/${server.user.id}`, { method: 'PATCH', json: { libraryIds } });
    await see([]);
    await his.getByText('It is not here').waitFor();
    expect(await his.getByText('Heat').count()).to.equal(0);
    await see(null);
    await headed(his, 'Heat');

    await openIn(his, his.url().replace('/movies/', '/watch/'));
    await his.locator('video').waitFor({ state: 'attached' });
    // The second time because the player went away, which was to be told of what was watched.
    const { promise: again, resolve: ask } = Promise.withResolvers<void>();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    let asked = 0;
    const film = `**/api/v1/movies/${new URL(his.url()).pathname.split('/').at(-1)}`;
    await his.route(film, async (route) => {
      asked += 1;
      if (asked === 2) {
        ask();
        await released;
      }
      await route.continue();
    });
    await see([]);
    await again;
    expect(await his.locator('video').count(), 'not begun again').to.equal(0);
    release();
    await his.getByText('It is not here').waitFor();
    await his.unroute(film);
    await see(null);
    await his.locator('video').waitFor({ state: 'attached' });
    browser.complaints(); // the browser logs each 404
    await theirs.close();
  });

  it('leaves nothing of the administration to who is no administrator any longer', async () => {
    const deputy = await server.account('deputy', 'admin');
    const theirs = await browser.person();
    const his = await theirs.newPage();
    await openIn(his, server.url);
    await signIn(his, deputy);
    await openIn(his, `${server.url}/admin/users`);
    await his.getByText(server.user.username, { exact: true }).first().waitFor();
    const json = { role: 'user' };
    await server.read(`/api/v1/users/${deputy.id}`, { method: 'PATCH', json });
    await his.waitForURL(`${server.url}/`);
    await his.getByRole('heading', { name: 'Users' }).waitFor({ state: 'detached' });
    browser.complaints(); // the browser logs each 403
    await theirs.close();
  });

  it('is a language that problems are told in, too', async () => {
    const other = await browser.person({ language: 'de-DE' });
    const her = await other.newPage();
    await openIn(her, `${server.url}/admin/users`);
    await her.getByLabel('Benutzername').fill(server.admin.username);
    await her.getByLabel('Passwort').fill(server.admin.password);
    await her.getByRole('button', { name: 'Anmelden' }).click();
    await her.getByRole('heading', { level: 1, name: 'Benutzer' }).waitFor();
    await her.getByRole('button', { name: 'Benutzer hinzufügen' }).click();
    const form = her.getByRole('dialog');
    const refused = async (username: string, password: string) => {
      await form.getByLabel('Benutzername').fill(username);
      await form.getByLabel('Passwort').fill(password);
      await form.getByRole('button', { name: 'Speichern' }).click();
      return form.getByRole('alert').innerText();
    };
    expect(await refused(server.user.username, 'a long and good one')).to.equal(
      'Es gibt schon jemanden mit diesem Namen',
    );
    await form.getByLabel('Passwort').fill('');
    expect(await refused('somebody', 'password1')).to.match(
      /^Das geht so nicht\. Der Server sagt: „The password cannot be used: .+“$/,
    );
    await openIn(her, `${server.url}/admin/settings`);
    const days = her.getByLabel('Tage ohne Gebrauch, nach denen eine Sitzung endet.');
    await days.fill('1000');
    await her.keyboard.press('Enter');
    await her.getByRole('alert').getByText('Eine Zahl von 1 bis 365').waitFor();
    expect(await days.inputValue()).to.equal('1000');
    expect(await barriers(her)).to.deep.equal([]);
    browser.complaints(); // the browser logs each answer that is none
    await other.close();
  });
});

async function prepare(server: TestServer): Promise<void> {
  await writeFiles(server.films, { 'Movies/Heat (1995)/Heat.mkv': 'a film' });
  const { id } = await server.library('Films', 'Movies');
  const options = { kept: 'as it is' };
  await server.read(`/api/v1/libraries/${id}`, { method: 'PATCH', json: { options } });
}
