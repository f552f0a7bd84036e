import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { components } from '#api/types.ts';
import { findTool } from '#storage/media/tools.ts';
import { until } from './cluster.ts';

type Schemas = components['schemas'];

const run = promisify(execFile);
/** Long enough that progress can be told from progress, and small all the same. */
const seconds = 600;

/** Makes so many films that differ in name only; of bytes that nobody can play without ffmpeg. */
export async function makeFilms(
  dir: string,
  count: number,
): Promise<{ folder: string; content: Buffer }> {
  const folder = join(dir, 'films');
  await mkdir(folder, { recursive: true });
  const file = join(dir, 'film.mkv');
  const ffmpeg = findTool('ffmpeg', {});
  if (ffmpeg === undefined) await writeFile(file, randomBytes(500_000));
  else {
    await run(ffmpeg.path, [
      ...['-nostdin', '-v', 'error', '-y', '-f', 'lavfi', '-i', 'testsrc2=s=160x90:r=1'],
      ...['-t', String(seconds), '-c:v', 'mpeg4', '-q:v', '20', file],
    ]);
  }
  for (let nth = 0; nth < count; nth += 1) {
    const name = `Lab Film ${String.fromCharCode(65 + nth)} (${1990 + nth})`;
    await mkdir(join(folder, name), { recursive: true });
    await copyFile(file, join(folder, name, `${name}.mkv`));
  }
  return { folder, content: await readFile(file) };
}

export interface Film {
  readonly id: string;
  readonly fileId: string;
}

const scanMaxMs = 90_000;

/** Makes a library of the folder, and waits until all of its films are there. */
export async function takeIn(
  { url, token }: { url: string; token: string },
  { folder, count }: { folder: string; count: number },
): Promise<Film[]> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const get = async <T>(path: string): Promise<T> => {
    const response = await fetch(url + path, { headers });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  };
  const json = { kind: 'movie', name: 'Lab', paths: [folder], scanIntervalMinutes: 0 };
  const body = JSON.stringify(json);
  const made = await fetch(`${url}/api/v1/libraries`, { method: 'POST', headers, body });
  if (!made.ok) throw new Error(`the library was not made: ${await made.text()}`);
  return until('the films', scanMaxMs, async () => {
    const { items } = await get<Schemas['MoviePage']>('/api/v1/movies?limit=100');
    if (items.length < count) return undefined;
    const films = await Promise.all(
      items.map(({ id }) => get<Schemas['Movie']>(`/api/v1/movies/${id}`)),
    );
    const known = films.flatMap(({ id, versions }) => {
      const file = versions[0]?.files[0];
      return file ? [{ id, fileId: file.id }] : [];
    });
    return known.length >= count ? known : undefined;
  });
}
