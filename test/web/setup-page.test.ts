import { expect } from 'chai';
import { widgetHandlers } from '../fixtures/widgets.ts';
import { testApi } from '../http.ts';
import { needs } from '../needs.ts';
import { startBrowser, until } from './browser.ts';

const token = 'the-token-of-the-link';

describe('the page that makes an administrator where the web app was not built', function () {
  needs('chromium');

  it('has its token still when it is loaded anew, and not once there is an administrator', async () => {
    await using api = await testApi({ handlers: widgetHandlers });
    await using browser = await startBrowser();
    const page = await (await browser.person()).newPage();
    const sent: unknown[] = [];
    await page.route(/\/api\/v1\/auth\/setup$/, async (route) => {
      if (route.request().method() !== 'POST') return route.fulfill({ json: { required: true } });
      sent.push(route.request().postDataJSON());
      return route.fulfill({ status: 201, json: { username: 'anna' } });
    });
    await page.goto(`${api.url}/setup?token=${token}`);
    await page.waitForURL(`${api.url}/setup`);
    await page.reload();
    await page.getByLabel('Name').fill('anna');
    await page.getByLabel('Password').fill('correct horse battery staple');
    await page.getByLabel('Again').fill('correct horse battery staple');
    expect(await page.evaluate('location.href')).to.equal(`${api.url}/setup`);
    await page.getByRole('button').click();
    await page.getByText('anna is the administrator.').waitFor();
    expect(sent).to.have.length(1);
    expect(sent[0]).to.include({ token });
    await until(page, 'sessionStorage.length === 0');
    expect(browser.complaints()).to.deep.equal([]);
  });
});
