import { join } from 'node:path';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { needs } from '../needs.ts';
import { writeFiles, type TestServer } from '../server.ts';
import { barriers, until, type TestBrowser } from './browser.ts';
import { writePoster } from './site.ts';
import { chooseTool, excess, headed, openIn, signIn, startVisit, type Visit } from './suite.ts';

const paint = async (background: string): Promise<Buffer> =>
  sharp({ create: { width: 200, height: 300, channels: 3, background } })
    .png()
    .toBuffer();

/** In the page: an event as a person's file makes one, where `carry` says how. */
const given = (bytes: Buffer, name: string, carry: string) => `(() => {
  const bytes = Uint8Array.from(atob('${bytes.toString('base64')}'), (c) => c.charCodeAt(0));
  const held = new DataTransfer();
  held.items.add(new File([bytes], '${name}', { type: 'image/png' }));
  ${carry}
})()`;
const dropped = `for (const type of ['dragover', 'drop']) {
  const drag = new DragEvent(type, { dataTransfer: held, bubbles: true, cancelable: true });
  document.querySelector('[role=dialog]').dispatchEvent(drag);
}`;
const pasted = `document.querySelector('[role=dialog]').dispatchEvent(
  new ClipboardEvent('paste', { clipboardData: held, bubbles: true, cancelable: true }))`;

describe('pictures that a person brings, in the web app', function () {
  needs('chromium');
  this.timeout(180_000);
  let visit: Visit;
  let server: TestServer;
  let browser: TestBrowser;
  let page: Page;

  before(async () => {
    visit = await startVisit({ prepare });
    ({ server, browser, page } = visit);
    await openIn(page, `${server.url}/movies`);
    await signIn(page, server.admin);
    await page.getByRole('link', { name: /^Heat/ }).click();
    await headed(page, 'Heat');
  });
  after(() => visit?.[Symbol.asyncDispose]());
  afterEach(() => {
    expect(browser.complaints()).to.deep.equal([]);
  });

  const dialog = () => page.getByRole('dialog', { name: 'Choose artwork' });
  const posters = (isShown: boolean) =>
    dialog().getByRole('button', { name: /^Show this picture: uploaded/, pressed: isShown });
  const choose = (name: string, buffer: Buffer) =>
    dialog().locator('input[type=file]').setInputFiles({ name, mimeType: 'image/png', buffer });

  it('are chosen from a file, and shown at once', async () => {
    await chooseTool(page, 'Choose artwork');
    await dialog()
      .getByRole('button', { name: /^Show this picture: file/, pressed: true })
      .waitFor();
    await choose('red.png', await paint('#a33'));
    await posters(true).waitFor();
    expect(await barriers(page)).to.deep.equal([]);
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'hidden' });
    const { items } = await server.read<{ items: { images: { poster: { url: string } } }[] }>(
      '/api/v1/movies',
    );
    const shown = items[0]?.images.poster.url ?? '';
    await until(page, `document.querySelector('main img[src*="${shown}"]') !== null`);
  });

  it('are dropped and pasted', async () => {
    await chooseTool(page, 'Choose artwork');
    await posters(true).waitFor();
    await page.evaluate(given(await paint('#3a3'), 'green.png', dropped));
    await posters(false).waitFor();
    expect(await posters(true).count()).to.equal(1);
    await page.evaluate(given(await paint('#33a'), 'blue.png', pasted));
    await posters(false).nth(1).waitFor();
    expect(await posters(true).count()).to.equal(1);
  });

  it('are refused with a reason when they are none, beside those that are', async () => {
    const alert = dialog().getByRole('alert');
    await choose('evil.png', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'));
    await alert.getByText('evil.png: This is no picture that can be shown').waitFor();
    const files = { mimeType: 'image/png', buffer: await paint('#aa3') };
    await dialog()
      .locator('input[type=file]')
      .setInputFiles([
        { name: 'large.png', mimeType: 'image/png', buffer: Buffer.alloc(17 * 1024 * 1024) },
        { name: 'vector.svg', mimeType: 'image/svg+xml', buffer: Buffer.from('<svg/>') },
        { name: 'yellow.png', ...files },
      ]);
    await alert.getByText('large.png: This picture is too large').waitFor();
    await alert.getByText('vector.svg: This is no picture').waitFor();
    await posters(false).nth(2).waitFor();
    expect(await barriers(page)).to.deep.equal([]);
    browser.complaints(); // the browser logs each answer that is none
  });

  it('are removed again, by the keyboard too, and what was there before is shown', async () => {
    await page.setViewportSize({ width: 360, height: 780 });
    for (let left = 4; left > 0; left -= 1) {
      const remove = dialog().getByRole('button', { name: 'Remove this picture' });
      expect(await remove.count()).to.equal(left);
      await remove.first().focus();
      await page.keyboard.press('Enter');
      await remove.nth(left - 1).waitFor({ state: 'detached' });
      expect(
        await page.evaluate(`document.activeElement.closest('[role=dialog]') !== null`),
      ).to.equal(true);
    }
    await dialog()
      .getByRole('button', { name: /^Show this picture: file/, pressed: true })
      .waitFor();
    expect(await page.evaluate(excess)).to.equal(0);
  });
});

async function prepare(server: TestServer): Promise<void> {
  await writeFiles(server.films, { 'Movies/Heat (1995)/Heat (1995).mkv': 'a film' });
  await writePoster(join(server.films, 'Movies/Heat (1995)'), 'Heat');
  await server.library('Films', 'Movies');
  await server.settled();
}
