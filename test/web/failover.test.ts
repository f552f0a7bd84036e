import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { components } from '#api/types.ts';
import { findTool } from '#storage/media/tools.ts';
import { report } from '../faults/report.ts';
import { until as untilDone } from '../lab/cluster.ts';
import { needs } from '../needs.ts';
import { until } from './browser.ts';
import { signInAsAdmin, startFamily, type Family } from './family.ts';
import { headed, openIn, video } from './suite.ts';

type Schemas = components['schemas'];

const seconds = 120;
const name = 'The Long Walk (2011)';
/** So many bytes that no browser holds all of it: what comes next, some node has to send. */
const grain = ['-vf', 'noise=alls=60:allf=t', '-b:v', '8M', '-maxrate', '8M', '-bufsize', '8M'];

async function makeFilm(folder: string): Promise<void> {
  const ffmpeg = findTool('ffmpeg', {})?.path ?? 'ffmpeg';
  await mkdir(folder, { recursive: true });
  await promisify(execFile)(ffmpeg, [
    ...['-nostdin', '-v', 'error', '-f', 'lavfi', '-i', `testsrc2=s=640x360:r=12:d=${seconds}`],
    ...['-f', 'lavfi', '-i', `sine=f=330:r=44100:d=${seconds}`, ...grain],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '24'],
    ...['-c:a', 'aac', '-b:a', '64k', '-movflags', '+faststart', join(folder, `${name}.mp4`)],
  ]);
}

describe('a film that plays while its node is killed with -9, in the web app', function () {
  needs('chromium', 'ffmpeg');
  this.timeout(400_000);
  let family: Family;
  let film: Schemas['MovieCard'];

  before(async () => {
    family = await startFamily();
    const { home, nodes, page } = family;
    await makeFilm(join(home.dir, 'films', name));
    const token = await home.token(nodes);
    const json = { kind: 'movie', name: 'Films', paths: [join(home.dir, 'films')] };
    await ask(`${nodes[0]!.url}/api/v1/libraries`, token, json);
    film = await untilDone('the film is looked into', 120_000, async () => {
      const { items } = await ask<Schemas['MoviePage']>(`${nodes[0]!.url}/api/v1/movies`, token);
      return items.find(({ durationMs }) => durationMs !== null);
    });
    await openIn(page, `${nodes[0]!.url}/movies/${film.id}`);
    await signInAsAdmin(page);
    await headed(page, 'The Long Walk');
  });
  after(() => family?.[Symbol.asyncDispose]());

  const ask = async <T>(url: string, token: string, json?: unknown): Promise<T> => {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(json === undefined ? {} : { method: 'POST', body: JSON.stringify(json) }),
    });
    if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  };
  const timeOf = () => family.page.evaluate<number>(`${video}.currentTime`);

  it('goes on from another node, also where nothing of it was loaded', async () => {
    const { page, nodes } = family;
    await page.getByRole('link', { name: 'Play' }).first().click();
    await until(page, `${video}?.currentTime > 2`);
    await nodes[0]!.kill();
    const killed = performance.now();
    // Halfway, of which the node that died has sent nothing.
    await page.keyboard.press('5');
    await until(page, `${video}?.currentTime > ${seconds / 2 + 0.2}`);
    report('a film goes on', { stoodMs: Math.round(performance.now() - killed) });
    const there = await timeOf();
    await until(page, `${video}?.currentTime > ${there + 3}`);
    expect(await page.evaluate(`new URL(${video}.src).origin`)).to.not.equal(nodes[0]!.url);
  });

  it('is kept where one was, when the page is closed', async () => {
    const { page, home, nodes } = family;
    const at = await timeOf();
    await page.close({ runBeforeUnload: true });
    const token = await home.token(nodes.slice(1));
    const { userState } = await untilDone('it is kept', 60_000, async () => {
      const found = await ask<Schemas['Movie']>(`${nodes[1]!.url}/api/v1/movies/${film.id}`, token);
      return found.userState.positionMs >= at * 1_000 - 1_000 ? found : undefined;
    });
    expect(userState.positionMs).to.be.at.least(at * 1_000 - 1_000);
  });
});
