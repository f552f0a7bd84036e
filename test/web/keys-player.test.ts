import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { BrowserContext, Page } from 'playwright-core';
import type { components } from '#api/types.ts';
import { needs } from '../needs.ts';
import type { TestServer } from '../server.ts';
import { barriers, until, type TestBrowser } from './browser.ts';
import { keyboardOf, type Keyboard } from './keyboard.ts';
import { makeFilms, makeVideo } from './site.ts';
import { headed, openIn, signIn, startVisit, video, type Visit } from './suite.ts';

type Schemas = components['schemas'];

const seconds = 60;
/** In the page: the subtitles as they are told to look. */
const captions = `${video}.dataset.captions`;
/** In the page: the focus is on the picture. */
const onPicture = `document.activeElement?.matches('[data-stage]')`;

describe('the player of the web app by keys alone', function () {
  needs('chromium', 'ffmpeg');
  this.timeout(300_000);
  let visit: Visit;
  let server: TestServer;
  let browser: TestBrowser;
  let context: BrowserContext;
  let page: Page;
  let keys: Keyboard;
  const ids: Record<string, string> = {};

  before(async () => {
    visit = await startVisit({ prepare });
    ({ server, browser, context, page } = visit);
    keys = keyboardOf(page);
    await openIn(page, server.url);
    await signIn(page, server.admin);
    const { items } = await server.read<{ items: { id: string; title: string }[] }>(
      '/api/v1/movies',
    );
    for (const { id, title } of items) ids[title] = id;
  });
  after(() => visit?.[Symbol.asyncDispose]());
  afterEach(() => {
    expect(browser.complaints()).to.deep.equal([]);
  });

  const when = (expression: string) => until(page, expression);
  const play = async (title: string) => {
    await openIn(page, `${server.url}/watch/${ids[title]}?from=0`);
    await when(`${video}?.currentTime > 0.2`);
  };
  /** From a place that is known: all that moves from there is the key's doing. */
  const stand = async (at: number) => {
    await page.evaluate(`${video}.pause(), ${video}.currentTime = ${at}`);
    await when(`!${video}.seeking && ${video}.paused`);
  };
  const isAt = (at: number) => when(`Math.abs(${video}.currentTime - ${at}) < 0.6`);
  const menuOf = async (name: string) => {
    await keys.use(page.getByRole('button', { name, exact: true }));
    await page.getByRole('menu').waitFor();
  };

  it('reaches all of its controls, and sees where it is', async () => {
    await play('Walk');
    await stand(5);
    await keys.reachesAll('the player');
    expect(await barriers(page)).to.deep.equal([]);
  });

  it('moves by the keys of a keyboard and of a remote control', async () => {
    await play('Walk');
    await stand(20);
    await page.evaluate(`document.querySelector('[data-stage]').focus()`);
    for (const [key, to] of [
      ['ArrowRight', 30],
      ['ArrowLeft', 20],
      ['l', 30],
      ['j', 20],
      ['MediaFastForward', 50],
      ['MediaRewind', 20],
      ['PageDown', 40],
      ['PageUp', 20],
      ['5', seconds / 2],
      ['Home', 0],
      ['End', seconds],
    ] as const) {
      // Not all of them are on Playwright's keyboard.
      await page.evaluate(`document.activeElement.dispatchEvent(
        new KeyboardEvent('keydown', { key: '${key}', bubbles: true, cancelable: true }))`);
      await isAt(to);
    }
    await stand(20);
    await keys.press('>');
    await when(`${video}.playbackRate === 1.25`);
    await keys.press('<');
    await when(`${video}.playbackRate === 1`);
    await keys.press('m');
    await when(`${video}.muted`);
    await keys.press('m');
    await page.evaluate(`${video}.volume = 0.5`);
    await when(`!${video}.muted && localStorage.getItem('revenge.volume') === '0.5'`);
    await keys.press('-');
    await when(`Math.abs(${video}.volume - 0.4) < 0.01`);
    await keys.press('+');
    await when(`Math.abs(${video}.volume - 0.5) < 0.01`);
    await keys.reach('Position');
    await keys.press('ArrowRight');
    await isAt(30);
  });

  it('goes back one layer at a time, and to what opened each', async () => {
    await play('Walk');
    await stand(5);
    for (const back of ['Escape', 'Backspace']) {
      await menuOf('Settings');
      await keys.press(back);
      await page.getByRole('menu').waitFor({ state: 'detached' });
      await keys.untilOn('Settings');
      await keys.press(back);
      await when(onPicture);
    }
    await keys.press('?');
    const help = page.getByRole('dialog', { name: 'Keys of the player' });
    await help.getByText('Previous and next chapter').waitFor();
    expect(await barriers(page)).to.deep.equal([]);
    await keys.reachesAll('the help');
    await keys.press('Escape');
    await help.waitFor({ state: 'detached' });
    await when(onPicture);
    await keys.press('i');
    const facts = page.getByRole('region', { name: 'What is played' });
    await facts.getByText('MP4', { exact: true }).waitFor();
    await facts.getByText('H.264 · 320 × 180 · 10 fps').waitFor();
    await facts.getByText(/^\d+(\.\d+)? (Mb|kb)\/s$/).waitFor();
    await facts.getByText('the original, unchanged').waitFor();
    await facts.getByText(new URL(server.url).host).waitFor();
    expect(await barriers(page)).to.deep.equal([]);
    await keys.press('Escape');
    await facts.waitFor({ state: 'detached' });
    await keys.press('Escape');
    await headed(page, 'Walk');
  });

  it('shows the whole picture, however wide the screen is, and subtitles above its controls', async () => {
    const size = page.viewportSize()!;
    await play('Walk');
    await stand(5);
    await page.evaluate(`document.querySelector('[data-stage]').focus()`);
    await keys.press('c');
    const line = `${video}.textTracks[0]?.activeCues?.[0]?.line`;
    for (const [width, height, wanted] of [
      [740, 360, -6],
      [360, 740, -7],
      [1280, 800, -3],
    ] as const) {
      await page.setViewportSize({ width, height });
      await when(`${video}.clientWidth === ${width} && ${video}.clientHeight === ${height}`);
      await when(`${line} === ${wanted}`);
    }
    await keys.press('c');
    await page.setViewportSize(size);
  });

  it('chooses subtitles and how they look, which this device remembers', async () => {
    await play('Walk');
    await stand(5);
    await menuOf('Subtitles');
    await keys.reach('English', 'ArrowDown');
    await keys.press('Enter');
    await page.getByRole('menu').waitFor({ state: 'detached' });
    await when(`${video}.textTracks[0]?.activeCues?.length === 1`);
    // Above the controls, as long as these are there.
    await when(`${video}.textTracks[0].activeCues[0].line === -3`);
    await menuOf('Subtitles');
    await keys.reach('Large', 'ArrowDown');
    await keys.press('Enter');
    await when(`${captions} === 'large shade'`);
    await when(`${video}.textTracks[0].activeCues[0].line === -3`);
    await keys.reach('Black', 'ArrowDown');
    await keys.press('Enter');
    await when(`${captions} === 'large solid'`);
    expect(await barriers(page)).to.deep.equal([]);
    await keys.press('Escape');
    await keys.untilOn('Subtitles');
    const other = await context.newPage();
    await openIn(other, page.url());
    await until(other, `${captions} === 'large solid'`);
    await other.close();
    await page.evaluate(`document.querySelector('[data-stage]').focus(), ${video}.play()`);
    await when(`${video}.textTracks[0].activeCues[0].line === 'auto'`);
  });

  it('chooses a speed, and finds what is played and its keys in the same menu', async () => {
    await play('Walk');
    await stand(5);
    await menuOf('Settings');
    await keys.reach('1.5×', 'ArrowDown');
    await keys.press('Enter');
    await when(`${video}.playbackRate === 1.5`);
    await menuOf('Settings');
    await keys.reach('Keys of the player', 'ArrowDown');
    await keys.press('Enter');
    const help = page.getByRole('dialog', { name: 'Keys of the player' });
    await help.waitFor();
    await keys.press('Escape');
    await help.waitFor({ state: 'detached' });
    await keys.untilOn('Settings');
  });

  it('is left for what plays when it refuses, and by the way back', async () => {
    const { versions } = await server.read<Pick<Schemas['Movie'], 'versions'>>(
      `/api/v1/movies/${ids['Reel']}`,
    );
    const old = versions.flatMap(({ files }) => files).find(({ name }) => !name.includes('720p'));
    const refused = `${server.url}/watch/${ids['Reel']}?file=${old?.id}`;
    await openIn(page, refused);
    await page.getByText('Its picture is MPEG-4 ASP').waitFor();
    await keys.reachesAll('the refusal');
    await keys.press('Escape');
    await headed(page, 'Reel');
    await openIn(page, refused);
    await page.getByText('Its picture is MPEG-4 ASP').waitFor();
    await keys.reach('Play 720p instead', 'ArrowDown');
    await keys.press('Enter');
    await when(`${video}?.currentTime > 0.2`);
  });

  it('is on what can be done when nothing can be played', async () => {
    const address = /\/playback\/files\/[^/]+\/address$/;
    await page.route(address, (route) => route.fulfill({ status: 404, json: {} }));
    await page.goto(`${server.url}/watch/${ids['Walk']}`);
    await page.getByRole('alert').waitFor();
    await keys.untilOn('Try again');
    await keys.press('ArrowRight');
    await keys.untilOn('Leave the player');
    await keys.press('ArrowLeft');
    await page.unroute(address);
    browser.complaints(); // the browser logs each answer that is none
    await keys.press('Enter');
    await when(`${video}?.currentTime > 0.2`);
    await when(`document.activeElement !== document.body`);
  });

  it('stops the count to the next episode by the way back, and goes on or out by keys', async () => {
    const { items } = await server.read<{ items: { id: string }[] }>('/api/v1/series');
    const episodes = await server.read<{ items: { id: string }[] }>(
      `/api/v1/series/${items[0]?.id}/episodes`,
    );
    await openIn(page, `${server.url}/watch/episode/${episodes.items[0]?.id}?from=0`);
    await when(`${video}?.currentTime > 0.2`);
    await keys.press('End');
    await when(`${video}?.ended`);
    const next = page.getByRole('region', { name: 'Next episode' });
    await next.waitFor();
    await keys.untilOn('Play it now');
    await keys.press('Backspace');
    await next.getByRole('timer').waitFor({ state: 'detached' });
    await keys.reachesAll('the end of an episode');
    await keys.use(next.getByRole('button', { name: 'Play it now' }));
    await when(`${video}?.currentTime > 0.2 && !${video}.ended`);
    await when(onPicture);
  });
});

async function prepare(server: TestServer): Promise<void> {
  const films = join(server.films, 'Movies');
  const reel = join(films, 'Reel (1962)');
  await makeFilms(films, [
    { name: 'Walk (2011)', seconds, chapterSeconds: 20 },
    { name: 'Reel (1962)', seconds: 3, video: 'mpeg4' },
  ]);
  const lines = '1\n00:00:00,000 --> 00:01:00,000\nOne step, and another.\n';
  await writeFile(join(films, 'Walk (2011)', 'Walk (2011).en.srt'), lines);
  await makeVideo(join(reel, 'Reel (1962) - 720p.mp4'), { seconds: 3 });
  for (const name of ['Line S01E01', 'Line S01E02']) {
    await makeVideo(join(server.films, 'Series/Line (2018)/Season 1', `${name}.mp4`), {
      seconds: 5,
    });
  }
  await server.library('Films', 'Movies');
  await server.library('Series', 'Series', 'series');
}
